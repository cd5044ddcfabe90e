/* GROUP(function, name) for each group; no include guard, since it is read twice. */
GROUP(heap_create, "HeapCreate")

/* HeapDestroy, GetProcessHeap and GetProcessHeaps: which heaps there are. */
#include "cases.h"

static void observe_private(const struct heap_kind *kind)
{
    DWORD before = GetProcessHeaps(0, NULL);
    HANDLE heap = create_kind(kind);
    observe(named("%s, counted", kind->name), "%d", (int)(GetProcessHeaps(0, NULL) - before));
    for (int i = 0; i < 100; i++)
        HeapAlloc(heap, 0, (SIZE_T)i * 50);
    HeapAlloc(heap, 0, 300000);
    OBSERVE_BOOL(named("%s with blocks", kind->name), HeapDestroy(heap));
    observe(named("%s with blocks, counted after it", kind->name), "%d", (int)(GetProcessHeaps(0, NULL) - before));
    heap = create_kind(kind);
    HeapLock(heap);
    OBSERVE_BOOL(named("%s that the caller has locked", kind->name), HeapDestroy(heap));
    heap = create_kind(kind);
    OBSERVE_BOOL(named("%s without blocks", kind->name), HeapDestroy(heap));
}

static void destroy(void *heap) { HeapDestroy(heap); }

void heap_destroy(void)
{
    for (int i = 0; i < HEAP_KINDS; i++)
        observe_private(&heap_kinds[i]);
    OBSERVE_BOOL("process heap", HeapDestroy(GetProcessHeap()));
    void *block = HeapAlloc(GetProcessHeap(), 0, 100);
    observe("process heap serves on", "%s", yes(block != NULL && HeapFree(GetProcessHeap(), 0, block)));
    for (int i = 0; i < BAD_HANDLES; i++) {
        HANDLE bad = bad_handle(i);
        OBSERVE_BOOL(bad_handle_name(i), HeapDestroy(bad));
    }
    HANDLE heap = HeapCreate(0, 0, 0);
    DWORD before = GetProcessHeaps(0, NULL);
    HeapAlloc(heap, 0, 100);
    on_thread(destroy, heap);
    observe("by another thread, counted after it", "%d", (int)(GetProcessHeaps(0, NULL) - before));
}

static HANDLE handle_elsewhere;
static void ask(void *unused) { (void)unused, handle_elsewhere = GetProcessHeap(); }

void get_process_heap(void)
{
    HANDLE heap = NULL;
    OBSERVE_NULL("handle", heap = GetProcessHeap());
    observe("same again", "%s", yes(GetProcessHeap() == heap));
    on_thread(ask, NULL);
    observe("same on another thread", "%s", yes(handle_elsewhere == heap));
    HANDLE other = HeapCreate(0, 0, 0);
    observe("same after HeapCreate", "%s", yes(GetProcessHeap() == heap));
    HeapDestroy(other);
    observe("same after HeapDestroy", "%s", yes(GetProcessHeap() == heap));
    observe("sound", "%s", yes(HeapValidate(heap, 0, NULL)));
    void *block = NULL;
    OBSERVE_NULL("block", block = HeapAlloc(heap, 0, 1000));
    OBSERVE_SIZE("block, size", HeapSize(heap, 0, block));
    OBSERVE_BOOL("block, freed", HeapFree(heap, 0, block));
    OBSERVE_BOOL("lock", HeapLock(heap));
    OBSERVE_BOOL("unlock", HeapUnlock(heap));
    OBSERVE_NULL("block that cannot be", HeapAlloc(heap, 0, NO_SIZE));
    OBSERVE_NULL("block that cannot be, raising", HeapAlloc(heap, HEAP_GENERATE_EXCEPTIONS, NO_SIZE));
}

enum { ROOM = 256, MARK = 0x5A5A };

static int place_of(HANDLE heap, HANDLE *handles, DWORD count)
{
    for (DWORD i = 0; i < count; i++)
        if (handles[i] == heap)
            return (int)i;
    return -1;
}

static int marks_from(HANDLE *handles, DWORD first)
{
    for (DWORD i = first; i < ROOM; i++)
        if (handles[i] != (HANDLE)MARK)
            return 0;
    return 1;
}

static void mark(HANDLE *handles)
{
    for (int i = 0; i < ROOM; i++)
        handles[i] = (HANDLE)MARK;
}

void get_process_heaps(void)
{
    HANDLE handles[ROOM];
    DWORD before = GetProcessHeaps(0, NULL), count = 0;
    OBSERVE_BOOL("how many, at least one", GetProcessHeaps(0, NULL) >= 1);
    HANDLE heaps[3];
    for (int i = 0; i < 3; i++) {
        heaps[i] = HeapCreate(0, 0, 0);
        observe(named("%d more", i + 1), "%d", (int)(GetProcessHeaps(0, NULL) - before));
    }
    mark(handles);
    OBSERVE_BOOL("large buffer, returns how many there are", (count = GetProcessHeaps(ROOM, handles)) == before + 3);
    observe("large buffer, first is the process heap", "%s", yes(handles[0] == GetProcessHeap()));
    observe("large buffer, rest is left alone", "%s", yes(marks_from(handles, count)));
    for (int i = 0; i < 3; i++)
        observe(named("large buffer, heap %d is in it", i + 1), "%s", yes(place_of(heaps[i], handles, count) > 0));
    observe("large buffer, in the order of creation", "%s",
        yes(place_of(heaps[0], handles, count) < place_of(heaps[1], handles, count) && place_of(heaps[1], handles, count) < place_of(heaps[2], handles, count)));
    mark(handles);
    OBSERVE_BOOL("exact buffer, returns how many there are", GetProcessHeaps(count, handles) == count);
    observe("exact buffer, rest is left alone", "%s", yes(marks_from(handles, count)));
    mark(handles);
    OBSERVE_BOOL("buffer too small by one, returns how many there are", GetProcessHeaps(count - 1, handles) == count);
    observe("buffer too small by one, filled", "%s", yes(handles[0] == GetProcessHeap() && handles[count - 2] != (HANDLE)MARK));
    observe("buffer too small by one, rest is left alone", "%s", yes(marks_from(handles, count - 1)));
    mark(handles);
    OBSERVE_BOOL("buffer of one, returns how many there are", GetProcessHeaps(1, handles) == count);
    observe("buffer of one, filled with the process heap", "%s", yes(handles[0] == GetProcessHeap()));
    observe("buffer of one, rest is left alone", "%s", yes(marks_from(handles, 1)));
    mark(handles);
    OBSERVE_BOOL("buffer of none, returns how many there are", GetProcessHeaps(0, handles) == count);
    observe("buffer of none, left alone", "%s", yes(marks_from(handles, 0)));
    OBSERVE_BOOL("no buffer though room is announced, returns how many there are", GetProcessHeaps(ROOM, NULL) == count);
    /* Who faults there does so with the process heap locked. */
    HeapUnlock(GetProcessHeap());
    HeapDestroy(heaps[1]);
    mark(handles);
    OBSERVE_BOOL("after HeapDestroy, returns one less", (count = GetProcessHeaps(ROOM, handles)) == before + 2);
    observe("after HeapDestroy, the heap is gone", "%d", place_of(heaps[1], handles, count));
    observe("after HeapDestroy, the others are there", "%s", yes(place_of(heaps[0], handles, count) > 0 && place_of(heaps[2], handles, count) > 0));
    HeapDestroy(heaps[0]), HeapDestroy(heaps[2]);
    HANDLE many[100];
    for (int i = 0; i < 100; i++)
        many[i] = HeapCreate(i % 2 ? HEAP_NO_SERIALIZE : 0, 0, i % 3 ? 0 : MiB);
    observe("100 more", "%d", (int)(GetProcessHeaps(0, NULL) - before));
    for (int i = 0; i < 100; i++)
        HeapDestroy(many[i]);
    observe("100 less", "%d", (int)(GetProcessHeaps(0, NULL) - before));
}

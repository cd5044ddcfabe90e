// The list of heaps, the last error of the thread pool's threads and the memory figures belong to the whole process.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

[assembly: PrivateHeaps.Tests.NamesRunningTests]

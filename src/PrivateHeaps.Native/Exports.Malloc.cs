using System.Runtime;
using PrivateHeaps.Heaps;
using PrivateHeaps.Malloc;
using ThreadState = PrivateHeaps.Heaps.ThreadState;

namespace PrivateHeaps.Native;

/// <summary>The functions that shim_malloc.c calls: <see cref="MallocFamily"/>, with names that C can link to.</summary>
internal static unsafe partial class Exports
{
    [RuntimeExport("ph_malloc")]
    public static void* Malloc(nuint bytes, ThreadCache* cache) => MallocFamily.Allocate(cache, bytes);

    [RuntimeExport("ph_free")]
    public static int Free(void* block, ThreadCache* cache) => MallocFamily.Free(cache, block);

    [RuntimeExport("ph_calloc")]
    public static void* Calloc(nuint count, nuint size, ThreadCache* cache) => MallocFamily.AllocateZeroed(cache, count, size);

    [RuntimeExport("ph_realloc")]
    public static void* Realloc(ThreadState* thread, void* block, nuint bytes) => MallocFamily.Resize(thread, block, bytes);

    [RuntimeExport("ph_reallocarray")]
    public static void* ReallocArray(ThreadState* thread, void* block, nuint count, nuint size) =>
        MallocFamily.ResizeArray(thread, block, count, size);

    [RuntimeExport("ph_posix_memalign")]
    public static int PosixMemalign(ThreadState* thread, void** result, nuint alignment, nuint bytes) =>
        MallocFamily.AllocateAlignedTo(thread, result, alignment, bytes);

    [RuntimeExport("ph_aligned_alloc")]
    public static void* AlignedAlloc(ThreadState* thread, nuint alignment, nuint bytes) => MallocFamily.AllocateAligned(thread, alignment, bytes);

    [RuntimeExport("ph_memalign")]
    public static void* Memalign(ThreadState* thread, nuint alignment, nuint bytes) => MallocFamily.AllocateAlignedUp(thread, alignment, bytes);

    [RuntimeExport("ph_valloc")]
    public static void* Valloc(ThreadState* thread, nuint bytes) => MallocFamily.AllocatePage(thread, bytes);

    [RuntimeExport("ph_pvalloc")]
    public static void* Pvalloc(ThreadState* thread, nuint bytes) => MallocFamily.AllocatePages(thread, bytes);

    [RuntimeExport("ph_malloc_usable_size")]
    public static nuint MallocUsableSize(void* block, ThreadCache* cache) => MallocFamily.UsableSize(cache, block);

    [RuntimeExport("ph_malloc_trim")]
    public static int MallocTrim(ThreadState* thread) => MallocFamily.Trim(thread);

    [RuntimeExport("ph_mallinfo2")]
    public static void Mallinfo2(ThreadState* thread, MallocInfo* info) => MallocFamily.Describe(thread, info);
}

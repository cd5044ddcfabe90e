using System.Runtime.CompilerServices;
using PrivateHeaps.Heaps;
using PrivateHeaps.Platform;
using ThreadState = PrivateHeaps.Heaps.ThreadState;

namespace PrivateHeaps.Malloc;

/// <summary>
/// malloc and its relatives over the process heap, as ISO C, POSIX and glibc have them. Every function may be called from any thread.
/// Failure is null with errno ENOMEM; success leaves errno alone. Every block is aligned to 16 bytes. An address that is not the start of
/// a live block ends the process with one sentence, as glibc does.
/// </summary>
internal static unsafe partial class MallocFamily
{
    /// <summary>malloc. Zero bytes give a block of their own.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void* Allocate(ThreadCache* cache, nuint bytes) => Heap.AllocateProcess<SlowPath>(cache, bytes);

    /// <summary>calloc.</summary>
    public static void* AllocateZeroed(ThreadCache* cache, nuint count, nuint size) =>
        TryMultiply(count, size, out nuint bytes) ? Heap.AllocateProcessZeroed<SlowPath>(cache, bytes) : NoMemory();

    /// <summary>free. The engine refuses null without looking at it, so the test for null costs live blocks nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Free(ThreadCache* cache, void* block) => Heap.FreeProcess<SlowPath>(cache, block);

    /// <summary>
    /// realloc. Null allocates. Zero bytes free the block and return null, as glibc does: programs written for it would lose the block otherwise.
    /// On failure the block is as it was.
    /// </summary>
    public static void* Resize(ThreadState* thread, void* block, nuint bytes)
    {
        if (block == null || bytes == 0)
            return ResizeUncommon(thread, block, bytes);

        void* resized = Heap.Reallocate(thread, Heap.ProcessHandle, HeapFlags.MapsEarly, block, bytes);
        return resized != null ? resized : ResizeRefused(thread, block);
    }

    /// <summary>reallocarray.</summary>
    public static void* ResizeArray(ThreadState* thread, void* block, nuint count, nuint size) =>
        TryMultiply(count, size, out nuint bytes) ? Resize(thread, block, bytes) : NoMemory();

    /// <summary>malloc_usable_size: exactly the bytes that were asked for; 0 for null and for anything else that is no live block.</summary>
    public static nuint UsableSize(ThreadCache* cache, void* block)
    {
        nuint bytes = Heap.SizeAtOnce(cache, block);
        return bytes != 0 ? bytes : UncommonSize(block);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static nuint UncommonSize(void* block)
    {
        if (block == null)
            return 0;

        nuint bytes = Heap.Size((ThreadState*)Host.CallingThread(), Heap.ProcessHandle, HeapFlags.MapsEarly, block);
        return bytes != nuint.MaxValue ? bytes : 0;
    }

    /// <summary>Half a word's worth of bits in both factors cannot overflow; only larger ones pay for a division.</summary>
    private static bool TryMultiply(nuint count, nuint size, out nuint product)
    {
        product = count * size;
        return (count | size) >> (sizeof(nuint) * 4) == 0 || count == 0 || product / count == size;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void* NoMemory()
    {
        CCaller.SetErrno(Errno.NoMemory);
        return null;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void* ResizeUncommon(ThreadState* thread, void* block, nuint bytes)
    {
        if (block == null)
            return Allocate(thread->Process, bytes);

        if (!Heap.Free(thread, Heap.ProcessHandle, HeapFlags.MapsEarly, block))
            Refuse("realloc()"u8, block);
        return null;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void* ResizeRefused(ThreadState* thread, void* block)
    {
        if (Threads.Attach(thread)->Failure == HeapFailure.BadBlock)
            Refuse("realloc()"u8, block);
        return NoMemory();
    }

    /// <summary>A checked heap has said what there is to say; if the process goes on after that, so does the call.</summary>
    private static void Refuse(ReadOnlySpan<byte> function, void* block)
    {
        if (!Heap.IsChecked(Heap.ProcessHandle))
            Diagnosis.Stop(function, Heap.ProcessHandle, block);
    }

    /// <summary>The engine's slow paths, and errno or the sentence when they refuse.</summary>
    private readonly struct SlowPath : ISlowPath
    {
        public static bool IsProcess => true;

        [MethodImpl(MethodImplOptions.NoInlining)]
        public static void* Allocate(nint handle, uint flags, nuint bytes, ThreadState* thread)
        {
            void* block = Heap.AllocateUncommon((ThreadState*)Host.CallingThread(), handle, flags | HeapFlags.MapsEarly, bytes);
            return block != null ? block : NoMemory();
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public static void* AllocateProcess(nuint bytes) => Allocate(Heap.ProcessHandle, 0, bytes, null);

        [MethodImpl(MethodImplOptions.NoInlining)]
        public static int Free(nint handle, uint flags, void* block, ThreadState* thread)
        {
            if (!Heap.FreeSlow((ThreadState*)Host.CallingThread(), handle, flags | HeapFlags.MapsEarly, block) && block != null)
                Refuse("free()"u8, block);
            return 1;
        }
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Heaps;

/// <summary>
/// One heap's caches, found by where the stack of the calling thread lies. Only a thread itself runs on its stack, so a cache that is found here
/// is the caller's if the caller's stack is that of the cache's owner. A thread-static costs a call and a chain of dependent loads: of 10,000 blocks
/// that are allocated and then freed, each takes 5.3 ns with this, and by HeapApi, which uses one, 8.4. Code on another stack than its thread's own, such as a host's coroutine, misses.
/// <para>
/// A hit is right whatever else goes on, although the place, the cache and its owner's state are read without a lock while others may write them.
/// What is read last is StackLow, which is not zero only from <see cref="Watch"/> to the end of the thread that called it: the C library zeroes it
/// in that thread, before another can get its stack (<see cref="PosixThreads.TryZeroAtEnd"/>). So on a hit the state that was read is the
/// caller's own, and has been since before the call. Then so is the cache: it named that state during the call, and only the state's thread makes a
/// cache name it (<see cref="ThreadCache.Create"/>), until it is dropped. Partners, who must not be faster than that: CurrentThread, which detaches the
/// state of an ended thread only when StackLow is zero; Threads.Detach, after which no cache names the state any more, before it becomes another
/// thread's; Threads.GiveCache, by which what a stale place leads to stays a cache, and what that names a state, for good. Whether the cache
/// serves this heap is then decided as for any other call, by what its Busy holds.
/// </para>
/// </summary>
[InlineArray(Count)]
internal unsafe struct CachePlaces
{
    private const int IndexBits = 4;
    private const int Count = 1 << IndexBits;

    // Threads at the same depth of stacks of 8 MiB, or any other size, spread over the places by Fibonacci hashing; one thread takes
    // another place with every 64 KiB of depth.
    private const int StepShift = 16;
    private const uint Multiplier = 0x9E3779B1;

    /// <summary>
    /// How much of its stack a thread is known by, from where it began. A constant, so that one word, StackLow, tells all; calls from deeper down
    /// miss, as do those of a thread with a smaller stack. Of the main thread's, which grows, the system keeps far more free of other uses.
    /// </summary>
    private const nuint KnownBytes = 1 * Units.MiB;

    // Two threads that share a place take turns rarely, so that one of them keeps hitting and the line is hardly written.
    private const uint MissesForPlace = 256;

    // Leads nowhere: its owner's StackLow is zero.
    private static readonly ThreadCache* s_nobodys = MakeNobodys();

    [ThreadStatic]
    private static uint t_misses;

    private nint _first;

    /// <summary>Where the end of a thread can be noticed without managed code. Elsewhere the faces use the thread-static.</summary>
    public static bool AreUsed => OperatingSystem.IsLinux();

    /// <summary>Every place leads to some cache, so that nobody tests for null.</summary>
    public static CachePlaces Create()
    {
        CachePlaces places = default;
        ((Span<nint>)places).Fill((nint)s_nobodys);
        return places;
    }

    /// <summary>Makes the calling thread, whose state it is, known by its stack, if the system can tell where that is and when the thread ends.</summary>
    public static void Watch(ThreadState* own)
    {
        if (AreUsed && PosixThreads.TryGetStack(out nuint end, out nuint bytes) && bytes >= KnownBytes && PosixThreads.TryZeroAtEnd(&own->StackLow))
        {
            own->StackLow = end - KnownBytes;
        }
    }

    /// <summary>The caller's place, the same in all heaps as long as its stack does not grow or shrink by much.</summary>
    public static nint Here
    {
        [SkipLocalsInit]
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            byte here;
            return IndexOf((nuint)(&here));
        }
    }

    /// <summary>
    /// The caller's own cache for the heap, and the caller's state, if its stack leads to one; if so, the engine decides whether the cache still serves the heap.
    /// Any place will do, but <see cref="Here"/> finds it.
    /// </summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryGet(nint place, out ThreadCache* cache, out ThreadState* own)
    {
        byte here;
        cache = (ThreadCache*)Unsafe.Add(ref _first, place);
        own = cache->Thread;
        return (nuint)(&here) - own->StackLow < KnownBytes;
    }

    /// <summary>After a miss, and after the call that it was for: gives the caller's cache for the heap its place, unless a living thread has it and it is not its turn.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Note(ThreadState* own, nint handle)
    {
        ref nint place = ref Unsafe.Add(ref _first, Here);
        ThreadCache* cache = Heap.CacheOf(own, handle);
        if (own->StackLow != 0 && cache != null && (nint)cache != place
            && (((ThreadCache*)place)->Thread->StackLow == 0 || ++t_misses % MissesForPlace == 0))
        {
            // Partner: TryGet in other threads, which must find the cache's owner set.
            Shared.Write(ref place, (nint)cache);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nint IndexOf(nuint stack) => (nint)(((uint)(stack >> StepShift) * Multiplier) >> (32 - IndexBits));

    private static ThreadCache* MakeNobodys()
    {
        ThreadCache* cache = (ThreadCache*)NativeMemory.AllocZeroed((nuint)(sizeof(ThreadCache) + sizeof(ThreadState)));
        cache->Thread = (ThreadState*)(cache + 1);
        return cache;
    }
}

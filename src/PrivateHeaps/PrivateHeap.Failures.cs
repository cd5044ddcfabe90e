using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using PrivateHeaps.Heaps;
using ThreadState = PrivateHeaps.Heaps.ThreadState;

namespace PrivateHeaps;

/// <summary>
/// How refusals become exceptions: told apart after the fact, from what the engine noted, so that a call that succeeds tests nothing for it.
/// </summary>
public sealed unsafe partial class PrivateHeap
{
    /// <summary>The status codes that heaps with <see cref="PrivateHeapOptions.GenerateExceptions"/> report; the numbers are those of Windows.</summary>
    private const int StatusNoMemory = unchecked((int)0xC0000017), StatusAccessViolation = unchecked((int)0xC0000005);

    private bool GeneratesExceptions => (Heap.OptionsOf(_handle) & HeapFlags.GenerateExceptions) != 0;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void ThrowIfGone(ThreadState* thread)
    {
        if (thread->Failure == HeapFailure.BadHandle)
        {
            throw new ObjectDisposedException(ToString(), "The heap was disposed; its memory is gone.");
        }
    }

    [DoesNotReturn]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void ThrowNoRoom(ThreadState* thread, nuint byteCount)
    {
        ThrowIfGone(thread);
        OutOfMemoryException exception = new($"There is no room for {byteCount} bytes in {this}.");
        if (GeneratesExceptions)
        {
            exception.HResult = StatusNoMemory;
        }

        throw exception;
    }

    [DoesNotReturn]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void ThrowRefused(ThreadState* thread, void* block, nuint byteCount)
    {
        if (thread->Failure == HeapFailure.BadBlock)
        {
            ThrowNotABlock(block);
        }

        ThrowNoRoom(thread, byteCount);
    }

    /// <summary>Null comes here, too, so that freeing a block does not have to look for it.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void ThrowNotFreed(ThreadState* thread, void* block)
    {
        ThrowIfGone(thread);
        if (block != null)
        {
            ThrowNotABlock(block);
        }
    }

    [DoesNotReturn]
    private void ThrowNotABlock(void* block)
    {
        string message =
            $"0x{(nuint)block:X} is not the start of a live block of {this}. " +
            "Pass the address that this heap returned, and pass it to the heap that it came from; a block that was freed or has moved is no longer one.";
        if (GeneratesExceptions)
        {
            throw new AccessViolationException(message) { HResult = StatusAccessViolation };
        }

        throw new ArgumentException(message, nameof(block));
    }
}

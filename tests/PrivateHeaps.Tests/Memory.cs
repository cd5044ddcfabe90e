using System.Runtime.InteropServices;

namespace PrivateHeaps.Tests;

/// <summary>Bytes of blocks: patterns that show lost, moved or overwritten contents.</summary>
internal static unsafe class Memory
{
    public static void Fill(void* block, nuint bytes, byte value)
    {
        NativeMemory.Fill(block, bytes, value);
    }

    /// <summary>The first byte in the range that has another value; -1 if none has.</summary>
    public static long FirstOther(void* block, nuint start, nuint end, byte value)
    {
        for (nuint index = start; index < end;)
        {
            int bytes = (int)Math.Min(end - index, 1 << 30);
            int other = new ReadOnlySpan<byte>((byte*)block + index, bytes).IndexOfAnyExcept(value);
            if (other >= 0)
            {
                return (long)index + other;
            }

            index += (nuint)bytes;
        }

        return -1;
    }

    public static void AssertFilled(void* block, nuint start, nuint end, byte value)
    {
        long other = FirstOther(block, start, end, value);
        Assert.True(other < 0, $"Byte {other} of the block is {(other < 0 ? 0 : ((byte*)block)[other])}, not {value}.");
    }
}

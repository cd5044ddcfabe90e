namespace PrivateHeaps.Tests.Platform;

/// <summary>A block with a pattern in its first bytes, and here and there further on.</summary>
internal sealed unsafe class SampledBlock(byte* address, nuint bytes, byte value)
{
    private const nuint SampleBytes = 64 * 1024;

    public byte* Address => address;

    public nuint Bytes => bytes;

    public byte Value => value;

    public void Fill(nuint from)
    {
        for (nuint index = 0; index < Bytes; index = Next(index))
        {
            if (index >= from)
            {
                Address[index] = Value;
            }
        }
    }

    public bool IsIntact(nuint end)
    {
        for (nuint index = 0; index < end; index = Next(index))
        {
            if (Address[index] != Value)
            {
                return false;
            }
        }

        return true;
    }

    private static nuint Next(nuint index) => index < 63 ? index + 1 : (index + SampleBytes) & ~(SampleBytes - 1);
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.Arm;

namespace PrivateHeaps.Foundation;

/// <summary>Arithmetic on sizes and addresses. Alignments are powers of two.</summary>
internal static class Bits
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsPowerOfTwo(nuint value) => value != 0 && (value & (value - 1)) == 0;

    /// <summary>The next multiple of the alignment; the caller has made sure that it does not overflow.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nuint RoundUp(nuint value, nuint alignment) => (value + (alignment - 1)) & ~(alignment - 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nuint RoundDown(nuint value, nuint alignment) => value & ~(alignment - 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Min(uint a, uint b) => a < b ? a : b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Max(uint a, uint b) => a > b ? a : b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nuint Min(nuint a, nuint b) => a < b ? a : b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nuint Max(nuint a, nuint b) => a > b ? a : b;

    /// <summary>
    /// How many bits are set: counted in pairs, then in fours, then in bytes, whose sum the product leaves in the top byte. BitOperations would call the framework, which the native
    /// libraries do not have, where the processor may lack the instruction.
    /// </summary>
    public static uint CountSet(ulong value)
    {
        if (ArmBase.Arm64.IsSupported)
        {
            return (uint)BitOperations.PopCount(value);
        }

        value -= (value >> 1) & 0x5555_5555_5555_5555;
        value = (value & 0x3333_3333_3333_3333) + ((value >> 2) & 0x3333_3333_3333_3333);
        value = (value + (value >> 4)) & 0x0F0F_0F0F_0F0F_0F0F;
        return (uint)((value * 0x0101_0101_0101_0101) >> 56);
    }

    /// <summary>The number of a hash bucket for an address, among 2^shift of them: the top bits of its granule's product by the golden ratio.</summary>
    public static nuint Bucket(nuint address, int shift) => (nuint)((((ulong)address >> Units.GranuleShift) * 0x9E37_79B9_7F4A_7C15) >> (64 - shift));
}

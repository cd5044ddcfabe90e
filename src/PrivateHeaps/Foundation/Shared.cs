using System.Runtime.CompilerServices;

namespace PrivateHeaps.Foundation;

/// <summary>
/// Every access to a word that threads share without a lock. A read acquires, a write releases, everything else is a full barrier; what an access
/// relies on is said where it is made. One class, so that a test build can put a scheduler in its place and try the order of the accesses.
/// </summary>
internal static unsafe class Shared
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Read(bool* word) => Volatile.Read(ref *word);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte Read(byte* word) => Volatile.Read(ref *word);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static short Read(short* word) => Volatile.Read(ref *word);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort Read(ushort* word) => Volatile.Read(ref *word);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Read(int* word) => Volatile.Read(ref *word);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Read(uint* word) => Volatile.Read(ref *word);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Read(long* word) => Volatile.Read(ref *word);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nint Read(nint* word) => Volatile.Read(ref *word);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nuint Read(nuint* word) => Volatile.Read(ref *word);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(bool* word, bool value) => Volatile.Write(ref *word, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(byte* word, byte value) => Volatile.Write(ref *word, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(ushort* word, ushort value) => Volatile.Write(ref *word, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(int* word, int value) => Volatile.Write(ref *word, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(uint* word, uint value) => Volatile.Write(ref *word, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(ulong* word, ulong value) => Volatile.Write(ref *word, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(nint* word, nint value) => Volatile.Write(ref *word, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(nuint* word, nuint value) => Volatile.Write(ref *word, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte CompareExchange(byte* word, byte value, byte comparand) => Interlocked.CompareExchange(ref *word, value, comparand);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int CompareExchange(int* word, int value, int comparand) => Interlocked.CompareExchange(ref *word, value, comparand);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint CompareExchange(uint* word, uint value, uint comparand) => Interlocked.CompareExchange(ref *word, value, comparand);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long CompareExchange(long* word, long value, long comparand) => Interlocked.CompareExchange(ref *word, value, comparand);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nint CompareExchange(nint* word, nint value, nint comparand) => Interlocked.CompareExchange(ref *word, value, comparand);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Exchange(int* word, int value) => Interlocked.Exchange(ref *word, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nint Exchange(nint* word, nint value) => Interlocked.Exchange(ref *word, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Increment(int* word) => Interlocked.Increment(ref *word);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Decrement(int* word) => Interlocked.Decrement(ref *word);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Increment(ulong* word) => Interlocked.Increment(ref *word);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Decrement(ulong* word) => Interlocked.Decrement(ref *word);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Add(long* word, long value) => Interlocked.Add(ref *word, value);

    /// <summary>Returns what the word held before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int And(int* word, int value) => Interlocked.And(ref *word, value);

    /// <summary>Returns what the word held before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Or(int* word, int value) => Interlocked.Or(ref *word, value);

    // The same for static fields, which have no address in C#.

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Read(ref bool field) => Volatile.Read(ref field);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(ref bool field, bool value) => Volatile.Write(ref field, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Read(ref long field) => Volatile.Read(ref field);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(ref long field, long value) => Volatile.Write(ref field, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Read(ref int field) => Volatile.Read(ref field);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(ref int field, int value) => Volatile.Write(ref field, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nint Read(ref nint field) => Volatile.Read(ref field);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(ref nint field, nint value) => Volatile.Write(ref field, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int CompareExchange(ref int field, int value, int comparand) => Interlocked.CompareExchange(ref field, value, comparand);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nint CompareExchange(ref nint field, nint value, nint comparand) => Interlocked.CompareExchange(ref field, value, comparand);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Exchange(ref int field, int value) => Interlocked.Exchange(ref field, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nint Exchange(ref nint field, nint value) => Interlocked.Exchange(ref field, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Increment(ref int field) => Interlocked.Increment(ref field);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Decrement(ref int field) => Interlocked.Decrement(ref field);
}

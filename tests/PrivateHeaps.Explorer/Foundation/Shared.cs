using System.Runtime.CompilerServices;
using PrivateHeaps.Explorer.Scheduling;

namespace PrivateHeaps.Foundation;

/// <summary>The engine's class of this name, with every access before the scheduler. Same names, same meaning; and no inlining, no speed.</summary>
internal static unsafe class Shared
{
    public static bool Read(bool* word) => Load(word);

    public static byte Read(byte* word) => Load(word);

    public static short Read(short* word) => Load(word);

    public static ushort Read(ushort* word) => Load(word);

    public static int Read(int* word) => Load(word);

    public static uint Read(uint* word) => Load(word);

    public static long Read(long* word) => Load(word);

    public static ulong Read(ulong* word) => Load(word);

    public static nint Read(nint* word) => Load(word);

    public static nuint Read(nuint* word) => Load(word);

    public static void Write(bool* word, bool value) => Store(word, value);

    public static void Write(byte* word, byte value) => Store(word, value);

    public static void Write(short* word, short value) => Store(word, value);

    public static void Write(ushort* word, ushort value) => Store(word, value);

    public static void Write(int* word, int value) => Store(word, value);

    public static void Write(uint* word, uint value) => Store(word, value);

    public static void Write(long* word, long value) => Store(word, value);

    public static void Write(ulong* word, ulong value) => Store(word, value);

    public static void Write(nint* word, nint value) => Store(word, value);

    public static void Write(nuint* word, nuint value) => Store(word, value);

    public static byte CompareExchange(byte* word, byte value, byte comparand) => Swap(word, value, comparand);

    public static int CompareExchange(int* word, int value, int comparand) => Swap(word, value, comparand);

    public static uint CompareExchange(uint* word, uint value, uint comparand) => Swap(word, value, comparand);

    public static long CompareExchange(long* word, long value, long comparand) => Swap(word, value, comparand);

    public static ulong CompareExchange(ulong* word, ulong value, ulong comparand) => Swap(word, value, comparand);

    public static nint CompareExchange(nint* word, nint value, nint comparand) => Swap(word, value, comparand);

    public static int Exchange(int* word, int value)
    {
        Begin(word);
        int before = *word;
        *word = value;
        return before;
    }

    public static nint Exchange(nint* word, nint value)
    {
        Begin(word);
        nint before = *word;
        *word = value;
        return before;
    }

    public static int Increment(int* word)
    {
        Begin(word);
        return ++*word;
    }

    public static int Decrement(int* word)
    {
        Begin(word);
        return --*word;
    }

    public static ulong Increment(ulong* word)
    {
        Begin(word);
        return ++*word;
    }

    public static ulong Decrement(ulong* word)
    {
        Begin(word);
        return --*word;
    }

    public static long Add(long* word, long value)
    {
        Begin(word);
        return *word += value;
    }

    public static int And(int* word, int value)
    {
        Begin(word);
        int before = *word;
        *word &= value;
        return before;
    }

    public static int Or(int* word, int value)
    {
        Begin(word);
        int before = *word;
        *word |= value;
        return before;
    }

    // Static fields of these types do not move.

    public static bool Read(ref bool field) => Load((bool*)Unsafe.AsPointer(ref field));

    public static void Write(ref bool field, bool value) => Store((bool*)Unsafe.AsPointer(ref field), value);

    public static long Read(ref long field) => Load((long*)Unsafe.AsPointer(ref field));

    public static void Write(ref long field, long value) => Store((long*)Unsafe.AsPointer(ref field), value);

    public static int Read(ref int field) => Load((int*)Unsafe.AsPointer(ref field));

    public static void Write(ref int field, int value) => Store((int*)Unsafe.AsPointer(ref field), value);

    public static nint Read(ref nint field) => Load((nint*)Unsafe.AsPointer(ref field));

    public static void Write(ref nint field, nint value) => Store((nint*)Unsafe.AsPointer(ref field), value);

    public static int CompareExchange(ref int field, int value, int comparand) => Swap((int*)Unsafe.AsPointer(ref field), value, comparand);

    public static nint CompareExchange(ref nint field, nint value, nint comparand) => Swap((nint*)Unsafe.AsPointer(ref field), value, comparand);

    public static int Exchange(ref int field, int value) => Exchange((int*)Unsafe.AsPointer(ref field), value);

    public static int Increment(ref int field) => Increment((int*)Unsafe.AsPointer(ref field));

    public static int Decrement(ref int field) => Decrement((int*)Unsafe.AsPointer(ref field));

    public static nint Exchange(ref nint field, nint value) => Exchange((nint*)Unsafe.AsPointer(ref field), value);

    private static T Load<T>(T* word)
        where T : unmanaged
    {
        Scheduler.Reach(word, sizeof(T), writes: false);
        T value = *word;
        Scheduler.AddOwnStores(word, &value, sizeof(T));
        return value;
    }

    private static void Store<T>(T* word, T value)
        where T : unmanaged
    {
        bool meets = Scheduler.Reach(word, sizeof(T), writes: true);
        if (!Scheduler.TryKeep(word, &value, sizeof(T), meets))
        {
            *word = value;
            Scheduler.NoteWritten();
        }
    }

    // Atomic, as no other thread runs between here and the next access.
    private static T Swap<T>(T* word, T value, T comparand)
        where T : unmanaged, IEquatable<T>
    {
        if (Mutant.SplitsExchanges)
        {
            T seen = Load(word);
            if (seen.Equals(comparand))
            {
                Store(word, value);
            }

            return seen;
        }

        Begin(word);
        T before = *word;
        if (before.Equals(comparand))
        {
            *word = value;
        }

        return before;
    }

    private static void Begin<T>(T* word)
        where T : unmanaged
    {
        Scheduler.Reach(word, sizeof(T), writes: true);
        Scheduler.Fence();
        Scheduler.NoteWritten();
    }
}

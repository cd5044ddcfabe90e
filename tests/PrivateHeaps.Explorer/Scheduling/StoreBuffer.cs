namespace PrivateHeaps.Explorer.Scheduling;

/// <summary>What a processor of the x86 kind has stored and the others do not see yet: it comes into memory in the order of the stores.</summary>
internal sealed unsafe class StoreBuffer
{
    private const int Capacity = 32;

    private readonly nint[] _addresses = new nint[Capacity];
    private readonly ulong[] _values = new ulong[Capacity];
    private readonly int[] _sizes = new int[Capacity];
    private int _first;

    public int Count { get; private set; }

    public bool IsFull => Count == Capacity;

    public void Clear() => Count = 0;

    public void Add(void* word, void* value, int bytes)
    {
        int place = (_first + Count++) % Capacity;
        _addresses[place] = (nint)word;
        _sizes[place] = bytes;
        _values[place] = 0;
        fixed (ulong* copy = &_values[place])
        {
            Buffer.MemoryCopy(value, copy, sizeof(ulong), bytes);
        }
    }

    /// <summary>The oldest store comes into memory.</summary>
    public void FlushOne()
    {
        int place = Mutant.ReordersStores ? (_first + Count - 1) % Capacity : _first;
        fixed (ulong* value = &_values[place])
        {
            Buffer.MemoryCopy(value, (void*)_addresses[place], sizeof(ulong), _sizes[place]);
        }

        _first = place == _first ? (_first + 1) % Capacity : _first;
        Count--;
    }

    /// <summary>Whether a store to any of these bytes is in it.</summary>
    public bool Holds(void* word, int bytes)
    {
        for (int index = 0; index < Count; index++)
        {
            int place = (_first + index) % Capacity;
            if (_addresses[place] < (nint)word + bytes && (nint)word < _addresses[place] + _sizes[place])
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Puts what the owner sees of these bytes over what memory holds.</summary>
    public void Overlay(void* word, void* value, int bytes)
    {
        for (int index = 0; index < Count; index++)
        {
            int place = (_first + index) % Capacity;
            for (int i = 0; i < _sizes[place]; i++)
            {
                nint offset = _addresses[place] + i - (nint)word;
                if (offset >= 0 && offset < bytes)
                {
                    ((byte*)value)[offset] = (byte)(_values[place] >> (8 * i));
                }
            }
        }
    }
}

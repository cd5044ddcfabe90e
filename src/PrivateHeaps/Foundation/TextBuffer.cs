namespace PrivateHeaps.Foundation;

/// <summary>Writes a short text into memory of the caller's, without objects. What does not fit is left out, and <see cref="IsFull"/> tells.</summary>
internal unsafe struct TextBuffer
{
    private readonly byte* _end;
    private byte* _next;

    /// <summary>A buffer of the given size, the closing zero included.</summary>
    public TextBuffer(byte* text, int bytes)
    {
        _next = text;
        _end = text + bytes - 1;
        *text = 0;
    }

    public bool IsFull { get; private set; }

    public void Add(ReadOnlySpan<byte> text)
    {
        foreach (byte letter in text)
        {
            AddByte(letter);
        }
    }

    /// <summary>Text that ends with a zero.</summary>
    public void Add(byte* text)
    {
        for (; *text != 0; text++)
        {
            AddByte(*text);
        }
    }

    public void AddDecimal(ulong value)
    {
        if (value >= 10)
        {
            AddDecimal(value / 10);
        }

        AddByte((byte)('0' + value % 10));
    }

    /// <summary>As 0x1F.</summary>
    public void AddHex(ulong value)
    {
        Add("0x"u8);
        AddHexDigits(value);
    }

    private void AddHexDigits(ulong value)
    {
        if (value >= 16)
        {
            AddHexDigits(value >> 4);
        }

        uint digit = (uint)value & 15;
        AddByte((byte)(digit < 10 ? '0' + digit : 'A' + digit - 10));
    }

    private void AddByte(byte letter)
    {
        if (_next == _end)
        {
            IsFull = true;
            return;
        }

        *_next++ = letter;
        *_next = 0;
    }
}

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

    /// <summary>So many bytes of text.</summary>
    public void Add(byte* text, nuint bytes)
    {
        for (nuint i = 0; i < bytes; i++)
        {
            AddByte(text[i]);
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

    public void AddSigned(long value)
    {
        if (value < 0)
        {
            AddByte((byte)'-');
        }

        AddDecimal(value < 0 ? 0 - (ulong)value : (ulong)value);
    }

    /// <summary>As 0F.</summary>
    public void AddHexByte(byte value)
    {
        AddDigit((uint)value >> 4);
        AddDigit((uint)value & 15);
    }

    /// <summary>Text that ends with a zero, as it stands between the quotation marks of a JSON string.</summary>
    public void AddEscaped(byte* text)
    {
        for (; *text != 0; text++)
        {
            if (*text < ' ')
            {
                Add("\\u00"u8);
                AddHexByte(*text);
                continue;
            }

            if (*text is (byte)'"' or (byte)'\\')
            {
                AddByte((byte)'\\');
            }

            AddByte(*text);
        }
    }

    /// <summary>How many bytes were written, the closing zero not counted.</summary>
    public readonly nuint Bytes(byte* text) => (nuint)(_next - text);

    private void AddHexDigits(ulong value)
    {
        if (value >= 16)
        {
            AddHexDigits(value >> 4);
        }

        AddDigit((uint)value & 15);
    }

    private void AddDigit(uint digit) => AddByte((byte)(digit < 10 ? '0' + digit : 'A' + digit - 10));

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

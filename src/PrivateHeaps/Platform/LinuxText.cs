using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PrivateHeaps.Platform;

/// <summary>
/// A text of the kernel's, read from its start: /proc and /sys. Numbers and words are taken off it one after the other; behind the end
/// everything is 0. For one thread. Made for the stack: the buffer is an inline array of less than a page, since the checks of a fixed
/// buffer and of a larger frame need a runtime.
/// </summary>
internal unsafe struct LinuxText
{
    private const int BufferBytes = 2048;

    private int _file;
    private int _position;
    private int _length;
    private Buffer _buffer;

    /// <summary>The path ends with a zero.</summary>
    public bool Open(ReadOnlySpan<byte> path)
    {
        // Safety: the path is constant data of the image, which never moves.
        _file = LibcPages.open((byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(path)));
        _position = 0;
        _length = 0;
        return _file >= 0;
    }

    public void Close() => LibcPages.close(_file);

    /// <summary>The next byte, which stays; 0 at the end.</summary>
    public byte Peek()
    {
        fixed (Buffer* buffer = &_buffer)
        {
            if (_position == _length)
            {
                nint count = LibcPages.read(_file, buffer, BufferBytes);
                _position = 0;
                _length = count < 0 ? 0 : (int)count;
            }

            return _position == _length ? (byte)0 : ((byte*)buffer)[_position];
        }
    }

    public byte Next()
    {
        byte next = Peek();
        _position += next == 0 ? 0 : 1;
        return next;
    }

    /// <summary>Goes to the start of the next line.</summary>
    public void SkipLine()
    {
        while (Next() is not ((byte)'\n' or 0))
        {
        }
    }

    /// <summary>The number before the next character that is no digit, without that character; spaces before it do not count. 0 for none.</summary>
    public ulong Number(uint radix)
    {
        SkipSpaces();
        ulong number = 0;
        for (uint digit = Digit(Peek()); digit < radix; digit = Digit(Peek()))
        {
            number = (number * radix) + digit;
            Next();
        }

        return number;
    }

    /// <summary>As <see cref="Number"/>, decimal; false when there is none.</summary>
    public bool TryNumber(out ulong number)
    {
        SkipSpaces();
        bool found = Digit(Peek()) < 10;
        number = Number(10);
        return found;
    }

    /// <summary>Whether the text goes on with the word, which is taken off as far as it agrees.</summary>
    public bool Take(ReadOnlySpan<byte> word)
    {
        for (int index = 0; index < word.Length; index++)
        {
            if (Peek() != word[index])
            {
                return false;
            }

            Next();
        }

        return true;
    }

    private void SkipSpaces()
    {
        while (Peek() == (byte)' ')
        {
            Next();
        }
    }

    private static uint Digit(byte character) => character switch
    {
        >= (byte)'0' and <= (byte)'9' => (uint)(character - '0'),
        >= (byte)'a' and <= (byte)'f' => (uint)(character - 'a' + 10),
        _ => uint.MaxValue,
    };

    [InlineArray(BufferBytes)]
    private struct Buffer
    {
        private byte _first;
    }
}

using System.Runtime.InteropServices;

namespace PrivateHeaps.Platform;

/// <summary>
/// A program or library as it lies on the disk, mapped to look up which function an address belongs to. The file is not trusted: whatever it says is
/// compared with its size, and a file that makes no sense has no functions. Made for the stack; for one thread.
/// </summary>
internal unsafe struct ElfFile
{
    private const uint Magic = 0x464C457F;
    private const byte SixtyFourBits = 2;
    private const byte LittleEndian = 1;
    private const uint LoadSegment = 1;
    private const uint SymbolTable = 2;
    private const uint DynamicSymbolTable = 11;
    private const int FunctionType = 2;
    private const int IndirectFunctionType = 10;
    private const int ReadProtection = 1;
    private const int MapPrivate = 2;

    private byte* _file;
    private nuint _bytes;

    /// <summary>The path ends with a zero. False when there is no such file or it is no ELF file of 64 bits.</summary>
    public bool Open(byte* path)
    {
        int file = LibcPages.open(path);
        if (file < 0)
        {
            return false;
        }

        _bytes = LibcPages.file_bytes(file);
        _file = _bytes < (nuint)sizeof(Header) || (nint)_bytes < 0 ? (byte*)-1 : (byte*)Libc.mmap(null, _bytes, ReadProtection, MapPrivate, file, 0);
        LibcPages.close(file);
        if ((nint)_file == -1)
        {
            return false;
        }

        Header* header = (Header*)_file;
        if (header->Magic == Magic && header->Class == SixtyFourBits && header->Order == LittleEndian)
        {
            return true;
        }

        Close();
        return false;
    }

    public readonly void Close() => Libc.munmap(_file, _bytes);

    /// <summary>The address that the file itself has for what lies there, which debuggers and symbolizers ask for; false when it loads nothing from there.</summary>
    public readonly bool TryAddress(ulong fileOffset, out ulong address)
    {
        Header* header = (Header*)_file;
        for (uint index = 0; index < header->SegmentCount; index++)
        {
            Segment* segment = (Segment*)At(header->Segments + ((ulong)index * header->SegmentBytes), (ulong)sizeof(Segment));
            if (segment != null && segment->Type == LoadSegment && fileOffset - segment->Offset < segment->FileBytes)
            {
                address = segment->Address + (fileOffset - segment->Offset);
                return true;
            }
        }

        address = 0;
        return false;
    }

    /// <summary>
    /// The function that the address lies in: its name, and the address's distance from its start; false when the file does not tell. The name ends with
    /// a zero and lives until <see cref="Close"/>.
    /// </summary>
    public readonly bool TryFunction(ulong address, out byte* name, out ulong offset)
    {
        Section* table = SectionOf(SymbolTable);
        table = table != null ? table : SectionOf(DynamicSymbolTable);
        Section* names = table == null ? null : SectionAt(table->Link);
        byte* texts = names == null ? null : At(names->Offset, names->Bytes);
        Symbol* symbols = table == null ? null : (Symbol*)At(table->Offset, table->Bytes);
        Symbol* best = null;
        if (symbols != null && texts != null && names->Bytes != 0 && texts[names->Bytes - 1] == 0)
        {
            for (ulong index = 0; index < table->Bytes / (ulong)sizeof(Symbol); index++)
            {
                Symbol* symbol = &symbols[index];
                if (symbol->IsFunction && symbol->Address <= address && symbol->Name < names->Bytes && (best == null || symbol->Address > best->Address))
                {
                    best = symbol;
                }
            }
        }

        // Functions without a size were written by hand.
        bool isFound = best != null && (best->Bytes == 0 || address - best->Address < best->Bytes);
        name = isFound ? texts + best->Name : null;
        offset = isFound ? address - best->Address : 0;
        return isFound;
    }

    private readonly Section* SectionOf(uint type)
    {
        for (uint index = 0; index < ((Header*)_file)->SectionCount; index++)
        {
            Section* section = SectionAt(index);
            if (section != null && section->Type == type)
            {
                return section;
            }
        }

        return null;
    }

    private readonly Section* SectionAt(uint index)
    {
        Header* header = (Header*)_file;
        return index >= header->SectionCount ? null : (Section*)At(header->Sections + ((ulong)index * header->SectionBytes), (ulong)sizeof(Section));
    }

    // Safety: inside the mapping, whatever the file says. What is not aligned is read all the same on the processors that there are.
    private readonly byte* At(ulong offset, ulong bytes) => offset <= _bytes && bytes <= _bytes - offset ? _file + offset : null;

#pragma warning disable CS0649 // Nobody assigns these fields: they are in the file.
    [StructLayout(LayoutKind.Explicit, Size = 64)]
    private struct Header
    {
        [FieldOffset(0)]
        public uint Magic;
        [FieldOffset(4)]
        public byte Class;
        [FieldOffset(5)]
        public byte Order;
        [FieldOffset(32)]
        public ulong Segments;
        [FieldOffset(40)]
        public ulong Sections;
        [FieldOffset(54)]
        public ushort SegmentBytes;
        [FieldOffset(56)]
        public ushort SegmentCount;
        [FieldOffset(58)]
        public ushort SectionBytes;
        [FieldOffset(60)]
        public ushort SectionCount;
    }

    [StructLayout(LayoutKind.Explicit, Size = 56)]
    private struct Segment
    {
        [FieldOffset(0)]
        public uint Type;
        [FieldOffset(8)]
        public ulong Offset;
        [FieldOffset(16)]
        public ulong Address;
        [FieldOffset(32)]
        public ulong FileBytes;
    }

    [StructLayout(LayoutKind.Explicit, Size = 64)]
    private struct Section
    {
        [FieldOffset(4)]
        public uint Type;
        [FieldOffset(24)]
        public ulong Offset;
        [FieldOffset(32)]
        public ulong Bytes;
        [FieldOffset(40)]
        public uint Link;
    }

    [StructLayout(LayoutKind.Explicit, Size = 24)]
    private struct Symbol
    {
        [FieldOffset(0)]
        public uint Name;
        [FieldOffset(4)]
        public byte Information;
        [FieldOffset(6)]
        public ushort Section;
        [FieldOffset(8)]
        public ulong Address;
        [FieldOffset(16)]
        public ulong Bytes;

        public readonly bool IsFunction => Section != 0 && (Information & 15) is (FunctionType or IndirectFunctionType);
    }
}

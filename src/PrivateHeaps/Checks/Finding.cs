using System.Runtime.CompilerServices;
using PrivateHeaps.Foundation;

namespace PrivateHeaps.Checks;

/// <summary>
/// One thing that a check found, complete enough to be reported after the heap has been left. There is one such structure, in metadata, which
/// <see cref="Findings.Begin"/> lends to one thread at a time.
/// </summary>
internal unsafe struct Finding
{
    public const int MessageBytes = 512;
    public const int DumpBytesMaximum = 64;
    public const int NameBytes = 32;

    public FindingKind Kind;

    /// <summary>Constant text with a zero: the function as the program called it, or who found it.</summary>
    public byte* Function;

    /// <summary>The address that was given, or at which the damage begins.</summary>
    public nuint Address;

    /// <summary>The start of the block; 0 when there is none.</summary>
    public nuint Block;

    /// <summary>The requested size of the block, or of all leaked blocks of the site.</summary>
    public nuint Bytes;

    /// <summary>Blocks of a leak; otherwise 1.</summary>
    public nuint Count;

    /// <summary>Places that allocated them; otherwise 1.</summary>
    public nuint Places;

    public nint Heap;
    public bool IsProcessHeap;
    public NameText HeapName;

    /// <summary>From the start of the block to the first byte that was overwritten or touched; negative in front of it.</summary>
    public nint FirstOffset;

    /// <summary>The same for the last byte.</summary>
    public nint LastOffset;

    /// <summary>Stack numbers of <see cref="Stacks"/>; 0 for none.</summary>
    public uint AllocatedBy;
    public uint FreedBy;
    public uint CaughtBy;

    /// <summary>Where the bytes of Dump were read from, and how many they are.</summary>
    public nuint DumpAddress;
    public uint DumpBytes;
    public DumpMemory Dump;

    /// <summary>The sentence, with a zero.</summary>
    public MessageText Message;

    /// <summary>A buffer that writes the sentence anew.</summary>
    public static TextBuffer BeginMessage(Finding* finding) => new((byte*)&finding->Message, MessageBytes);

    public static void AddKind(ref TextBuffer text, FindingKind kind)
    {
        switch (kind)
        {
            case FindingKind.Overflow:
                text.Add("overflow"u8);
                break;
            case FindingKind.Underflow:
                text.Add("underflow"u8);
                break;
            case FindingKind.UseAfterFree:
                text.Add("use-after-free"u8);
                break;
            case FindingKind.DoubleFree:
                text.Add("double-free"u8);
                break;
            case FindingKind.BadAddress:
                text.Add("bad-address"u8);
                break;
            case FindingKind.BadHandle:
                text.Add("bad-handle"u8);
                break;
            case FindingKind.BadParameter:
                text.Add("bad-parameter"u8);
                break;
            case FindingKind.Corrupt:
                text.Add("corrupt"u8);
                break;
            default:
                text.Add("leak"u8);
                break;
        }
    }

    [InlineArray(NameBytes)]
    public struct NameText
    {
        private byte _first;
    }

    [InlineArray(DumpBytesMaximum)]
    public struct DumpMemory
    {
        private byte _first;
    }

    [InlineArray(MessageBytes)]
    public struct MessageText
    {
        private byte _first;
    }
}

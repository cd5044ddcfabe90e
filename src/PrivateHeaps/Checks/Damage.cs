using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Checks;

/// <summary>The findings about the bytes of a block and around it, with their sentences.</summary>
internal static unsafe class Damage
{
    private const nuint BytesOfDumpLine = 16;

    /// <summary>Says which block the finding is about.</summary>
    public static void SetBlock(Finding* finding, BlockRecord* record)
    {
        finding->Block = record->Address;
        finding->Address = record->Address;
        finding->Bytes = record->Bytes;
        finding->AllocatedBy = record->AllocatedBy;
        finding->FreedBy = record->FreedBy;
    }

    /// <summary>Says which heap the finding is about. The name is zero-terminated.</summary>
    public static void SetHeap(Finding* finding, nint heap, byte* name, bool isProcessHeap)
    {
        finding->Heap = heap;
        finding->IsProcessHeap = isProcessHeap;
        for (int i = 0; name[i] != 0 && i < Finding.NameBytes - 1; i++)
        {
            ((byte*)&finding->HeapName)[i] = name[i];
        }
    }

    /// <summary>Bytes [first, last] behind the end of the block, counted from there, were overwritten.</summary>
    public static void DescribeOverrun(Finding* finding, nuint first, nuint last, nuint readableEnd)
    {
        SetRange(finding, (nint)(finding->Bytes + first), (nint)(finding->Bytes + last));
        TextBuffer text = BeginWithBlock(finding);
        text.Add(" were overrun: "u8);
        AddCount(ref text, last - first + 1);
        text.Add(last == first ? " behind their end was overwritten"u8 : " behind their end were overwritten"u8);
        AddStart(ref text, first, " behind it on"u8);
        EndFound(ref text, finding);
        AddDump(finding, (byte*)finding->Block, (byte*)readableEnd);
    }

    /// <summary>Bytes [first, last] in front of the block, counted from it downward and from 1, were overwritten.</summary>
    public static void DescribeUnderrun(Finding* finding, nuint first, nuint last, byte* readableStart)
    {
        SetRange(finding, -(nint)last, -(nint)first);
        TextBuffer text = BeginWithBlock(finding);
        text.Add(" were underrun: "u8);
        AddCount(ref text, last - first + 1);
        text.Add(last == first ? " in front of them was overwritten"u8 : " in front of them were overwritten"u8);
        AddStart(ref text, last == first ? 0 : last, " in front of them on"u8);
        EndFound(ref text, finding);
        AddDump(finding, readableStart, (byte*)(finding->Block + finding->Bytes));
    }

    /// <summary>Bytes [first, last] of a freed block were overwritten.</summary>
    public static void DescribeWriteAfterFree(Finding* finding, nuint first, nuint last, nuint readableEnd)
    {
        SetRange(finding, (nint)first, (nint)last);
        TextBuffer text = BeginWithBlock(finding);
        text.Add(" were written to after they were freed: "u8);
        AddCount(ref text, last - first + 1);
        text.Add(" from offset "u8);
        text.AddDecimal(first);
        text.Add(last == first ? " on was overwritten"u8 : " on were overwritten"u8);
        EndFound(ref text, finding);
        AddDump(finding, (byte*)finding->Block, (byte*)readableEnd);
    }

    /// <summary>The program has touched a page that cannot be accessed, beside a live block or where a freed one was.</summary>
    public static void DescribeAccess(Finding* finding, nuint address, bool isWrite)
    {
        nint offset = (nint)(address - finding->Block);
        SetRange(finding, offset, offset);
        TextBuffer text = BeginWithBlock(finding);
        bool isFreed = finding->Kind == FindingKind.UseAfterFree;
        text.Add(isFreed ? (isWrite ? " were written to after they were freed: "u8 : " were read after they were freed: "u8)
            : finding->Kind == FindingKind.Underflow ? " were underrun: "u8 : " were overrun: "u8);
        text.Add(isWrite ? "the program wrote to "u8 : "the program read from "u8);
        text.AddHex(address);
        text.Add(", "u8);
        if (offset < 0)
        {
            AddCount(ref text, (nuint)(-offset));
            text.Add(" in front of them"u8);
        }
        else if ((nuint)offset < finding->Bytes)
        {
            text.Add("at offset "u8);
            text.AddDecimal((nuint)offset);
        }
        else if ((nuint)offset == finding->Bytes)
        {
            text.Add("right behind their end"u8);
        }
        else
        {
            AddCount(ref text, (nuint)offset - finding->Bytes);
            text.Add(" behind their end"u8);
        }

        text.Add("."u8);
        if (!isFreed)
        {
            nuint shown = Bits.Min(finding->Bytes, Finding.DumpBytesMaximum);
            AddDump(finding, (byte*)finding->Block + (offset < 0 ? 0 : finding->Bytes - shown), (byte*)finding->Block + finding->Bytes);
        }
    }

    /// <summary>Blocks were still allocated when something ended, which is said after "when".</summary>
    public static void DescribeLeak(Finding* finding, bool isSite, ReadOnlySpan<byte> end)
    {
        TextBuffer text = Finding.BeginMessage(finding);
        text.AddDecimal(finding->Count);
        text.Add(finding->Count == 1 ? " block of "u8 : " blocks of "u8);
        AddHeap(ref text, finding);
        if (finding->Places > 1)
        {
            text.Add(" from "u8);
            text.AddDecimal(finding->Places);
            text.Add(" further places"u8);
        }

        text.Add(isSite ? " from one place, "u8 : ", "u8);
        AddCount(ref text, finding->Bytes);
        text.Add(finding->Count == 1 ? ", was still allocated when "u8 : " in all, were still allocated when "u8);
        text.Add(end);
        text.Add("."u8);
    }

    /// <summary>The process heap, or heap 'name', or heap 0x....</summary>
    public static void AddHeap(ref TextBuffer text, Finding* finding)
    {
        byte* name = (byte*)&finding->HeapName;
        text.Add(finding->IsProcessHeap ? "the process heap"u8 : "heap "u8);
        if (finding->IsProcessHeap)
        {
            return;
        }

        if (*name == 0)
        {
            text.AddHex((nuint)finding->Heap);
            return;
        }

        text.Add("'"u8);
        text.Add(name);
        text.Add("'"u8);
    }

    private static TextBuffer BeginWithBlock(Finding* finding)
    {
        TextBuffer text = Finding.BeginMessage(finding);
        text.Add("the "u8);
        AddCount(ref text, finding->Bytes);
        text.Add(" at "u8);
        text.AddHex(finding->Block);
        text.Add(" of "u8);
        AddHeap(ref text, finding);
        return text;
    }

    private static void AddCount(ref TextBuffer text, nuint bytes)
    {
        text.AddDecimal(bytes);
        text.Add(bytes == 1 ? " byte"u8 : " bytes"u8);
    }

    private static void AddStart(ref TextBuffer text, nuint gap, ReadOnlySpan<byte> where)
    {
        if (gap != 0)
        {
            text.Add(", from "u8);
            AddCount(ref text, gap);
            text.Add(where);
        }
    }

    private static void EndFound(ref TextBuffer text, Finding* finding)
    {
        text.Add(" (found by "u8);
        text.Add(finding->Function);
        text.Add(")."u8);
    }

    private static void SetRange(Finding* finding, nint first, nint last)
    {
        finding->FirstOffset = first;
        finding->LastOffset = last;
        finding->Address = finding->Block + (nuint)first;
    }

    // The lines around the first damaged byte, one before it, within what can be read.
    private static void AddDump(Finding* finding, byte* low, byte* high)
    {
        nuint damaged = finding->Block + (nuint)finding->FirstOffset;
        nuint start = Bits.RoundDown(damaged, BytesOfDumpLine) - BytesOfDumpLine;
        start = Bits.Max(start, (nuint)low);
        nuint end = Bits.Min(start + Finding.DumpBytesMaximum, (nuint)high);
        if (start < end)
        {
            finding->DumpAddress = start;
            finding->DumpBytes = (uint)(end - start);
            Os.Copy(&finding->Dump, (void*)start, end - start);
        }
    }
}

using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Checks;

/// <summary>
/// A finding as programs read it: one JSON object in one line, with the keys kind, message, function, address, bytes, count, places, heap, heapName, processHeap, block,
/// offset, dump, pid, allocated, freed, caught. Addresses and handles are text ("0x1F"), the dump is pairs of hexadecimal digits, the last three are arrays.
/// </summary>
internal static unsafe class FindingJson
{
    public static void Add(ref TextBuffer text, Finding* finding)
    {
        text.Add("{\"kind\":\""u8);
        Finding.AddKind(ref text, finding->Kind);
        text.Add("\",\"message\":\""u8);
        text.AddEscaped((byte*)&finding->Message);
        text.Add("\",\"function\":\""u8);
        text.AddEscaped(finding->Function);
        text.Add("\",\"address\":\""u8);
        text.AddHex(finding->Address);
        text.Add("\",\"bytes\":"u8);
        text.AddDecimal(finding->Bytes);
        text.Add(",\"count\":"u8);
        text.AddDecimal(finding->Count);
        text.Add(",\"places\":"u8);
        text.AddDecimal(finding->Places);
        text.Add(",\"heap\":\""u8);
        text.AddHex((nuint)finding->Heap);
        text.Add("\",\"heapName\":\""u8);
        text.AddEscaped((byte*)&finding->HeapName);
        text.Add("\",\"processHeap\":"u8);
        text.Add(finding->IsProcessHeap ? "true"u8 : "false"u8);
        text.Add(",\"block\":\""u8);
        text.AddHex(finding->Block);
        text.Add("\",\"offset\":"u8);
        text.AddSigned(finding->FirstOffset);
        text.Add(",\"dump\":\""u8);
        for (uint i = 0; i < finding->DumpBytes; i++)
        {
            text.AddHexByte(((byte*)&finding->Dump)[i]);
        }

        text.Add("\",\"pid\":"u8);
        text.AddDecimal((ulong)Libc.getpid());
        AddStack(ref text, ",\"allocated\":["u8, finding->AllocatedBy);
        AddStack(ref text, ",\"freed\":["u8, finding->FreedBy);
        AddStack(ref text, ",\"caught\":["u8, finding->CaughtBy);
        text.Add("}\n"u8);
    }

    /// <summary>The line with which a checked program begins: it tells a program without findings from one that never loaded the library.</summary>
    public static void AddProcess(ref TextBuffer text)
    {
        text.Add("{\"kind\":\"process\",\"pid\":"u8);
        text.AddDecimal((ulong)Libc.getpid());
        text.Add("}\n"u8);
    }

    private static void AddStack(ref TextBuffer text, ReadOnlySpan<byte> key, uint stack)
    {
        text.Add(key);
        if (stack != 0)
        {
            Stacks.AddJson(ref text, stack);
        }

        text.Add("]"u8);
    }
}

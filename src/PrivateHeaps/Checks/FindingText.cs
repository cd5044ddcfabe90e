using PrivateHeaps.Foundation;

namespace PrivateHeaps.Checks;

/// <summary>
/// A finding as people read it: the sentence, the stacks under their headings, the bytes around the damage.
/// <code>
/// privateheaps: the 40 bytes at 0x7F0012345670 of heap 'cache' were overrun: 3 bytes behind their end were overwritten.
/// caught by:
///     ...
/// allocated by:
///     ...
///   0x7F0012345690: 41 41 41 41 41 41 41 41*41*41*41 AB AB AB AB AB
/// </code>
/// </summary>
internal static unsafe class FindingText
{
    private const uint BytesOfLine = 16;

    public static void Add(ref TextBuffer text, Finding* finding)
    {
        text.Add("privateheaps: "u8);
        text.Add((byte*)&finding->Message);
        text.Add("\n"u8);
        AddStack(ref text, "caught by:\n"u8, finding->CaughtBy);
        AddStack(ref text, "allocated by:\n"u8, finding->AllocatedBy);
        AddStack(ref text, "freed by:\n"u8, finding->FreedBy);
        AddDump(ref text, finding);
    }

    private static void AddStack(ref TextBuffer text, ReadOnlySpan<byte> heading, uint stack)
    {
        if (stack != 0)
        {
            text.Add(heading);
            Stacks.Add(ref text, stack);
        }
    }

    // What was overwritten has a star in front.
    private static void AddDump(ref TextBuffer text, Finding* finding)
    {
        byte* bytes = (byte*)&finding->Dump;
        for (uint i = 0; i < finding->DumpBytes; i++)
        {
            nuint address = finding->DumpAddress + i;
            nint offset = (nint)(address - finding->Block);
            if (i % BytesOfLine == 0)
            {
                text.Add("  "u8);
                text.AddHex(address);
                text.Add(":"u8);
            }

            text.Add(finding->FirstOffset <= offset && offset <= finding->LastOffset ? "*"u8 : " "u8);
            text.AddHexByte(bytes[i]);
            if (i % BytesOfLine == BytesOfLine - 1 || i == finding->DumpBytes - 1)
            {
                text.Add("\n"u8);
            }
        }
    }
}

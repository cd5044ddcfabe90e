using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Checks;

/// <summary>
/// What this process has found and not reported: a program that goes on may find something with every call, and nobody reads so much. Leaks are counted by
/// themselves, so that what went before does not hide them. Used only by whoever has the structure of a finding.
/// </summary>
internal static unsafe class Omissions
{
    /// <summary>Findings of a process that are reported, and as many places of leaks.</summary>
    public const uint MostReports = 1000;

    // Reported.
    private static uint s_findings;
    private static uint s_leaks;

    // Omitted.
    private static nuint s_omittedFindings;
    private static nuint s_places;
    private static nuint s_blocks;
    private static nuint s_bytes;

    /// <summary>Whether there are any.</summary>
    public static bool Any => (s_omittedFindings | s_places) != 0;

    /// <summary>Counts a finding; true when it is to be reported.</summary>
    public static bool Admits(Finding* finding, bool isLast)
    {
        if (finding->Kind == FindingKind.Leak)
        {
            return ++s_leaks <= MostReports;
        }

        return ++s_findings <= MostReports || isLast;
    }

    /// <summary>Counts a finding that is not reported.</summary>
    public static void Add(Finding* finding)
    {
        if (finding->Kind == FindingKind.Leak)
        {
            s_places += finding->Places;
            s_blocks += finding->Count;
            s_bytes += finding->Bytes;
        }
        else
        {
            s_omittedFindings++;
        }
    }

    /// <summary>In the child of a fork: what its parent has found is its parent's.</summary>
    public static void Reset()
    {
        s_findings = 0;
        s_leaks = 0;
        Clear();
    }

    /// <summary>They have been told.</summary>
    public static void Clear()
    {
        s_omittedFindings = 0;
        s_places = 0;
        s_blocks = 0;
        s_bytes = 0;
    }

    /// <summary>The sentence with which the reports of a process stop for now.</summary>
    public static void AddLimit(ref TextBuffer text)
    {
        text.Add("privateheaps: "u8);
        text.AddDecimal(MostReports);
        text.Add(" findings were reported; what this process finds from here on is only counted.\n"u8);
    }

    /// <summary>The last sentence of a process: how many there were.</summary>
    public static void AddText(ref TextBuffer text)
    {
        text.Add("privateheaps: "u8);
        if (s_omittedFindings != 0)
        {
            AddCount(ref text, s_omittedFindings, " more finding"u8);
            text.Add(s_places == 0 ? ""u8 : ", and "u8);
        }

        if (s_places != 0)
        {
            AddCount(ref text, s_places, " more place"u8);
            text.Add(" of leaks with "u8);
            AddCount(ref text, s_blocks, " block"u8);
            text.Add(", "u8);
            AddCount(ref text, s_bytes, " byte"u8);
            text.Add(" in all"u8);
        }

        text.Add(s_omittedFindings + s_places == 1 ? " was not reported.\n"u8 : " were not reported.\n"u8);
    }

    /// <summary>A line of the report, with the keys kind, pid, findings, places, count and bytes; without the counts when they are not known yet.</summary>
    public static void AddJson(ref TextBuffer text, bool withCounts)
    {
        text.Add("{\"kind\":\"omitted\",\"pid\":"u8);
        text.AddDecimal((ulong)Libc.getpid());
        if (withCounts)
        {
            text.Add(",\"findings\":"u8);
            text.AddDecimal(s_omittedFindings);
            text.Add(",\"places\":"u8);
            text.AddDecimal(s_places);
            text.Add(",\"count\":"u8);
            text.AddDecimal(s_blocks);
            text.Add(",\"bytes\":"u8);
            text.AddDecimal(s_bytes);
        }

        text.Add("}\n"u8);
    }

    private static void AddCount(ref TextBuffer text, nuint count, ReadOnlySpan<byte> noun)
    {
        text.AddDecimal(count);
        text.Add(noun);
        text.Add(count == 1 ? ""u8 : "s"u8);
    }
}

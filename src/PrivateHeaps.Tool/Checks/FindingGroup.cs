using PrivateHeaps.Tool.Reports;

namespace PrivateHeaps.Tool.Checks;

/// <summary>Findings of one kind, in heaps of one name, with one place of allocation and one of discovery: a line of the table.</summary>
internal sealed class FindingGroup
{
    private FindingGroup(IReadOnlyList<Finding> findings)
    {
        Findings = findings;
        First = findings[0];
    }

    public IReadOnlyList<Finding> Findings { get; }

    public Finding First { get; }

    public string Kind => First.Kind;

    /// <summary>How often it was found; of leaks, how many blocks there are.</summary>
    public ulong Count => First.IsLeak ? Sum(finding => finding.Count) : (ulong)Findings.Count;

    /// <summary>The bytes of all blocks together.</summary>
    public ulong Bytes => Sum(finding => finding.Bytes);

    /// <summary>"24 B", or "24 B to 1 KiB" when the blocks are of several sizes; of leaks, the bytes of all blocks together. Empty where there is no block.</summary>
    public string Size => First.IsLeak ? $"{Human.Bytes(Bytes)} in all" : First.Block.Length == 0 || First.Block == "0x0" ? ""
        : Range(Findings.Min(finding => finding.Bytes), Findings.Max(finding => finding.Bytes));

    public string Heap => HeapOf(First);

    /// <summary>How many places of allocation it stands for; more than 1 only for leaks that are not told apart.</summary>
    public ulong Places => First.Places == 1 ? 1 : Sum(finding => finding.Places);

    public string AllocatedAt => Places == 1 ? SiteOf(First.Allocated) : $"{Human.Count(Places)} more places";

    /// <summary>Where the program made the call in which it was found; else what found it, as the end of the process.</summary>
    public string CaughtAt => First.IsLeak ? "" : OwnFrameOf(First.Caught)?.Short ?? First.Function;

    /// <summary>The groups of errors in the order of their coming, then those of leaks, most bytes first.</summary>
    public static List<FindingGroup> Of(IEnumerable<Finding> findings)
    {
        List<FindingGroup> groups = [.. findings
            .GroupBy(finding => (finding.Kind, HeapOf(finding), finding.Function, SiteOf(finding.Allocated), SiteOf(finding.Caught), finding.Places == 1))
            .Select(group => new FindingGroup([.. group]))];
        return [.. groups.Where(group => !group.First.IsLeak), .. groups.Where(group => group.First.IsLeak).OrderByDescending(group => group.Bytes)];
    }

    /// <summary>The frame that the program's author knows best: the innermost one that is not in a library which everybody has. Empty for no stack.</summary>
    public static StackFrame? FrameOf(IReadOnlyList<StackFrame> stack) => OwnFrameOf(stack) ?? stack.FirstOrDefault();

    /// <summary>As <see cref="FrameOf"/>, but null where all frames are of such libraries.</summary>
    public static StackFrame? OwnFrameOf(IReadOnlyList<StackFrame> stack) => stack.FirstOrDefault(frame => !IsCommon(frame));

    private static string SiteOf(IReadOnlyList<StackFrame> stack) => FrameOf(stack)?.Short ?? "";

    // Two processes do not have the same handles, so a heap that has a name goes by that.
    private static string HeapOf(Finding finding) => finding.IsProcessHeap ? "process heap" : finding.HeapName.Length > 0 ? $"'{finding.HeapName}'" : finding.Heap;

    private static bool IsCommon(StackFrame frame)
    {
        // What a program begins with, and its copy of operator new, are in its own file, but its author did not write them.
        string name = Path.GetFileName(frame.Module ?? "");
        string function = frame.Function ?? "";
        return function == "_start" || function.StartsWith("operator new", StringComparison.Ordinal) || function.StartsWith("operator delete", StringComparison.Ordinal) || name.StartsWith("libc.", StringComparison.Ordinal) || name.StartsWith("libc-", StringComparison.Ordinal) || name.StartsWith("libc++", StringComparison.Ordinal)
            || name.StartsWith("libstdc++", StringComparison.Ordinal) || name.StartsWith("ld-linux", StringComparison.Ordinal) || name.StartsWith("libgcc_s", StringComparison.Ordinal);
    }

    private static string Range(ulong least, ulong most) => least == most ? Human.Bytes(least) : $"{Human.Bytes(least)} to {Human.Bytes(most)}";

    private ulong Sum(Func<Finding, ulong> value) => Findings.Aggregate(0ul, (sum, finding) => sum + value(finding));
}

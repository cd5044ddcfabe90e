using PrivateHeaps.Tool.Checks;
using PrivateHeaps.Tool.Launching;

namespace PrivateHeaps.Tool.Tests.Checks;

/// <summary>Findings of programs that never ran.</summary>
internal static class SampleFindings
{
    /// <summary>As the engine writes it, with every key.</summary>
    public const string Line =
        """{"kind":"overflow","message":"free was given 0x7F10, \"a\".","function":"free","address":"0x7F28","bytes":24,"count":1,"places":1,"heap":"0x10001","heapName":"cache","block":"0x7F10","offset":-8,"dump":"4142AB","pid":17,"allocated":["malloc_it+0x1C (/usr/bin/sample+0x113C)"],"freed":[],"caught":["(/usr/lib/libc.so.6+0x2724A)","main+0x5 (/usr/bin/sample+0x1200)"]}""";

    public static Finding Overflow(int process = 17, ulong bytes = 24) => Finding.Parse(Line)! with { ProcessId = process, Bytes = bytes };

    public static Finding Leak(string function, ulong count, ulong bytes, string heap = "", int process = 17) => new()
    {
        Kind = "leak",
        Message = $"{count} blocks were never freed.",
        Count = count,
        Bytes = bytes,
        Heap = "0x10002",
        HeapName = heap,
        ProcessId = process,
        Allocated = [StackFrame.Parse($"{function}+0x8 (/usr/bin/sample+0x1300)")],
    };

    public static CheckReport Report(params Finding[] findings) => Report(["""{"kind":"process","pid":17}"""], findings);

    public static CheckReport Report(string[] lines, params Finding[] findings) =>
        new(["/usr/bin/sample", "an argument"], new LaunchResult { ProcessId = 17, ExitCode = 3 }, new FindingFile(lines), findings);
}

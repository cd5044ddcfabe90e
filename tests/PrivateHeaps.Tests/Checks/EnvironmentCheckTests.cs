using System.Text.Json;
using System.Text.RegularExpressions;
using PrivateHeaps.Checks;

namespace PrivateHeaps.Tests.Checks;

/// <summary>PRIVATEHEAPS_CHECK in the environment of a .NET process: each word, words that mean nothing, the report file, the event.</summary>
public sealed class EnvironmentCheckTests
{
    private const string Variable = "PRIVATEHEAPS_CHECK", ReportVariable = "PRIVATEHEAPS_CHECK_REPORT";
    private const string Overrun = "privateheaps: the 40 bytes at 0x* of heap 'checked' were overrun: 1 byte behind their end was overwritten (found by PrivateHeap.Free).\n";
    private const string Underrun = "privateheaps: the 40 bytes at 0x* of heap 'checked' were underrun: 1 byte in front of them was overwritten (found by PrivateHeap.Free).\n";
    private const string WrittenLater = "privateheaps: the 40 bytes at 0x* of heap 'checked' were written to after they were freed: 1 byte from offset 8 on was overwritten (found by HeapCompact).\n";
    private const string FreedTwice = "privateheaps: PrivateHeap.Free was given 0x*, which was already freed.\n";
    private const string Unknown = "', which is none of htc, hfc, hpc, hvc, hpa, hpa=before, ust, leaks, continue, quarantine=BYTES, sample, sample=N, all, 1 and 0; the other words are in force.\n";
    private const string Dump = "  0x*: *\n";

    /// <summary>The environment's words, the heap's own checks, what the child does, what becomes of the calls, standard error with * for any text.</summary>
    public static TheoryData<string, HeapChecks, string, string, string> Words => new()
    {
        { "htc", 0, "write behind;write behind in the process heap;write in front;write after free;invent a handle", "thrown overflow;thrown overflow;thrown underflow;went on;went on", $"{Overrun}*of the process heap were overrun: *{Underrun}{Dump}" },
        { "hfc", 0, "write behind;write after free;free twice", "went on;thrown use-after-free;thrown double-free", $"{WrittenLater}*{FreedTwice}" },
        { "hpc", 0, "invent a handle;free twice", "thrown bad-handle;thrown double-free", $"privateheaps: HeapFree was given the heap 0x12340, which is none or was destroyed.\n{FreedTwice}" },
        { "htc,hvc", 0, "write behind, then allocate", "thrown overflow", $"privateheaps: the 40 bytes at 0x* of heap 'checked' were overrun: 1 byte behind their end was overwritten (found by PrivateHeap.Alloc).\n{Dump}" },
        { "hpa", 0, "look;write behind;write in front", "in front of a page;thrown overflow;thrown underflow", $"{Overrun}{Dump}{Underrun}{Dump}" },
        { "hpa=before", 0, "look;write behind", "behind a page;thrown overflow", $"{Overrun}{Dump}" },
        { "ust", 0, "write behind;free twice", "went on;thrown double-free", $"{FreedTwice}caught by:\n    *CheckScenarios.Misuse*allocated by:\n    *CheckScenarios.Misuse*freed by:\n    *CheckScenarios.Misuse*" },
        { "quarantine=64K", 0, "free twice", "thrown double-free", FreedTwice },
        { "sample=1", 0, "look", "in front of a page", "" },
        { "sample", 0, "look at many", "some in front of a page", "" },
        { "leaks", 0, "keep;keep in a heap that is disposed", "went on;went on", "privateheaps: 1 block of heap 'other', 8 bytes, was still allocated when the heap was destroyed.\nprivateheaps: 1 block of heap 'checked', 40 bytes, was still allocated when the process ended.\n" },
        { "htc,continue", 0, "write behind;write behind and keep", "went on;went on", $"{Overrun}{Dump}privateheaps: *(found by the end of the process).\n{Dump}" },
        { "1", 0, "write behind;write after free;keep;look", "thrown overflow;thrown use-after-free;went on;among others", $"{Overrun}caught by:\n*{WrittenLater}caught by:\n*" },
        { "all", 0, "look;write behind;keep", "in front of a page;thrown overflow;went on", $"{Overrun}caught by:\n*privateheaps: 2 blocks of heap 'checked' from one place, 80 bytes in all, were still allocated when the process ended.\nallocated by:\n*" },
        { "0", 0, "write behind;write after free", "went on;went on", "" },
        { "", HeapChecks.TailChecking | HeapChecks.Leaks | HeapChecks.Continue, "write behind and keep", "went on", $"privateheaps: *(found by the end of the process).\n{Dump}privateheaps: 1 block of heap 'checked', 40 bytes, was still allocated when the process ended.\n" },
        { "htc", 0, "write behind and have it locked for ever", "went on", "" },
        { "htd,htc,quarantine=some", 0, "write behind", "thrown overflow", $"privateheaps: PRIVATEHEAPS_CHECK has the word 'htd{Unknown}privateheaps: PRIVATEHEAPS_CHECK has the word 'quarantine=some{Unknown}{Overrun}{Dump}" },
        { "htc", HeapChecks.FreeChecking, "write behind;write after free", "thrown overflow;thrown use-after-free", $"{Overrun}{Dump}{WrittenLater}{Dump}" },
        { "continue", HeapChecks.TailChecking, "write behind;write behind in the process heap", "went on;went on", $"{Overrun}{Dump}" },
        { "htc", 0, "listen;write behind", "listening;told overflow;thrown overflow", "" },
        { "htc,leaks,continue", 0, "listen;write behind and keep", "listening;went on;told overflow;told leak", "" },
    };

    [Theory]
    [MemberData(nameof(Words))]
    public void Each_word_of_the_environment_holds_for_every_heap(string words, HeapChecks own, string misuses, string output, string errors)
    {
        (int ExitCode, string Output, string Errors) child = Child.Run((Variable, words), [nameof(CheckScenarios), $"{own}", .. misuses.Split(';')]);
        Assert.Matches($"^{Regex.Escape(errors).Replace(@"\*", "(?s:.*?)", StringComparison.Ordinal)}$", child.Errors);
        Assert.Equal((0, output.Replace(';', '\n') + "\n"), (child.ExitCode, child.Output));
    }

    [Fact]
    public void Damage_that_is_found_when_the_process_ends_is_its_end()
    {
        (int exitCode, string output, string errors) = Child.Run((Variable, "htc"), nameof(CheckScenarios), nameof(HeapChecks.None), "write behind and keep");
        Assert.Equal("went on\n", output);
        Assert.Contains("were overrun: 1 byte behind their end was overwritten (found by the end of the process).\n", errors, StringComparison.Ordinal);
        Assert.Contains($"{typeof(HeapCorruptionException)}: the 40 bytes at", errors, StringComparison.Ordinal);
        Assert.NotEqual(0, exitCode);
    }

    [Fact]
    public void The_report_file_has_a_line_of_JSON_for_the_process_and_for_each_finding()
    {
        string path = Path.GetTempFileName();
        try
        {
            (int exitCode, _, _) = Child.RunWith([(Variable, "htc,ust,leaks"), (ReportVariable, path)], nameof(CheckScenarios), nameof(HeapChecks.None), "write behind", "free twice", "keep");
            JsonElement[] lines = [.. File.ReadAllLines(path).Select(line => JsonDocument.Parse(line).RootElement)];
            Assert.Equal(0, exitCode);
            Assert.Equal(["process", "overflow", "double-free", "leak"], lines.Select(line => line.GetProperty("kind").GetString()));
            Assert.Single(lines.Select(line => line.GetProperty("pid").GetInt32()).Distinct());
            Assert.All(lines[1..], line => Assert.Equal(
                ["kind", "message", "function", "address", "bytes", "count", "places", "heap", "heapName", "processHeap", "block", "offset", "dump", "pid", "allocated", "freed", "caught"],
                line.EnumerateObject().Select(property => property.Name)));
            Assert.Equal(("checked", 40, 40, "PrivateHeap.Free"), (lines[1].GetProperty("heapName").GetString(), lines[1].GetProperty("bytes").GetInt32(), lines[1].GetProperty("offset").GetInt32(), lines[1].GetProperty("function").GetString()));
            Assert.All((string[])["allocated", "freed", "caught"], key => Assert.Contains(nameof(CheckScenarios), lines[2].GetProperty(key)[0].GetString(), StringComparison.Ordinal));
        }
        finally
        {
            File.Delete(path);
        }
    }
}

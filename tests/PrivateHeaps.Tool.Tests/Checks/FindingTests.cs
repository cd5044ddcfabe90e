using System.Text;
using PrivateHeaps.Tool.Checks;

namespace PrivateHeaps.Tool.Tests.Checks;

public class FindingTests
{
    [Fact]
    public void A_line_of_the_engine_is_read_with_all_its_keys()
    {
        Finding finding = Finding.Parse(SampleFindings.Line)!;

        Assert.Equal(("overflow", "free was given 0x7F10, \"a\".", "free", "0x7F28"), (finding.Kind, finding.Message, finding.Function, finding.Address));
        Assert.Equal((24ul, 1ul, "0x10001", "cache", "0x7F10"), (finding.Bytes, finding.Count, finding.Heap, finding.HeapName, finding.Block));
        Assert.Equal((-8L, "4142AB", 17), (finding.Offset, finding.Dump, finding.ProcessId));
        Assert.Equal(["malloc_it"], finding.Allocated.Select(frame => frame.Function));
        Assert.Empty(finding.Freed);
        Assert.Equal([null, "main"], finding.Caught.Select(frame => frame.Function));
    }

    [Fact]
    public void What_a_line_leaves_out_is_empty_and_what_is_new_in_it_is_passed_over()
    {
        Finding finding = Finding.Parse("""{"kind":"new-kind","future":{"a":[1]}}""")!;

        Assert.Equal(("new-kind", "", 0ul, 1ul, 1ul), (finding.Kind, finding.Message, finding.Bytes, finding.Count, finding.Places));
        Assert.Empty(finding.Caught);
        Assert.Contains("new-kind", FindingKinds.Of(finding.Kind).Description);
    }

    [Theory]
    [InlineData("")]
    [InlineData("privateheaps: not JSON")]
    [InlineData("""{"kind":"overflow","message":"cut o""")]
    [InlineData("[1]")]
    [InlineData("""{"message":"no kind"}""")]
    [InlineData("""{"kind":1}""")]
    [InlineData("""{"kind":"overflow","allocated":1}""")]
    [InlineData("""{"kind":"overflow","bytes":"many"}""")]
    [InlineData("""{"kind":"overflow","processHeap":0}""")]
    public void What_is_no_finding_is_none(string line) => Assert.Null(Finding.Parse(line));

    [Fact]
    public void The_file_of_all_processes_is_read_up_to_what_a_killed_one_left_unfinished()
    {
        using var directory = new FindingDirectory();
        Assert.Equal((0, 0, 0), Counts(directory));

        File.WriteAllBytes(directory.File, [.. Encoding.UTF8.GetBytes(SampleFindings.Line), .. "\n\n{\"kind\":\"process\",\"pid\":17}\n{\"kind\":\"leak\",\"heapName\":\""u8, 0xFF, 0xFE, .. "\"}\n{\"kind\":\"ov"u8]);

        Assert.Equal((2, 1, 1), Counts(directory));
        Assert.Equal("\uFFFD\uFFFD", directory.Read().Findings[1].HeapName);
    }

    [Theory]
    [InlineData("main+0x1C (/usr/bin/sample+0x113C)", "main", "/usr/bin/sample", 0x113Cul, "main (sample+0x113c)")]
    [InlineData("(/tmp/a (b)+0x1/lib.so (deleted)+0xFF)", null, "/tmp/a (b)+0x1/lib.so (deleted)", 0xFFul, "lib.so (deleted)+0xff")]
    [InlineData("operator new(unsigned long)+0x4 (/lib/libx.so+0x10)", "operator new(unsigned long)", "/lib/libx.so", 0x10ul, "operator new(unsigned long) (libx.so+0x10)")]
    [InlineData("0x7F0012345678", null, null, 0ul, "0x7F0012345678")]
    [InlineData("Sample.Program.Main (/src/Program.cs:12)", "Sample.Program.Main", null, 0ul, "Sample.Program.Main (Program.cs:12)")]
    [InlineData("Sample.Program.<Main>$", "Sample.Program.<Main>$", null, 0ul, "Sample.Program.<Main>$")]
    [InlineData("", "", null, 0ul, "")]
    public void A_frame_is_taken_apart(string text, string? function, string? module, ulong offset, string shown)
    {
        StackFrame frame = StackFrame.Parse(text);

        Assert.Equal((text, function, module, offset, shown), (frame.Text, frame.Function, frame.Module, frame.Offset, frame.Short));
    }

    private static (int, int, int) Counts(FindingDirectory directory) => (directory.Read().Findings.Count, directory.Read().ImageCount, directory.Read().UnreadableCount);
}

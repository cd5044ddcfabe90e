using PrivateHeaps.Tool.Checks;
using PrivateHeaps.Tool.Reports;

namespace PrivateHeaps.Tool.Tests.Checks;

public class CheckTextTests
{
    private static readonly ReportStyle s_plain = new(Color: false, Unicode: false);

    [Fact]
    public void Findings_of_one_kind_and_place_share_a_line_and_leaks_come_last()
    {
        string text = CheckText.Render(
            SampleFindings.Report(
                SampleFindings.Leak("small", 2, 16),
                SampleFindings.Overflow(),
                SampleFindings.Leak("large", 1, 3_072, "cache"),
                SampleFindings.Overflow(process: 18, bytes: 2_048),
                SampleFindings.Leak("small", 3, 24, process: 18)),
            s_plain);

        Assert.Equal(
            """

            pheap: sample exited with code 3; 2 findings, 6 blocks of 3.0 KiB in all still allocated.
              kind      count     block size  heap     allocated at               caught at
              overflow      2  24 B to 2 KiB  'cache'  malloc_it (sample+0x113c)  main (sample+0x1200)
              leak          1   3 KiB in all  'cache'  large (sample+0x1300)
              leak          5    40 B in all  0x10002  small (sample+0x1300)

            """,
            text);
    }

    [Fact]
    public void What_the_end_of_a_process_found_says_so_and_a_call_without_a_block_has_no_size()
    {
        Finding atEnd = SampleFindings.Overflow() with
        {
            Function = "the end of the process",
            IsProcessHeap = true,
            Block = "0x0",
            Allocated = [StackFrame.Parse("operator new(unsigned long)+0x1 (/usr/bin/sample+0x20)"), StackFrame.Parse("make+0x20 (/usr/bin/sample+0x1300)")],
            Caught = [StackFrame.Parse("exit+0x1 (/usr/lib/libc.so.6+0x20)"), StackFrame.Parse("_start+0x20 (/usr/bin/sample+0x1200)")],
        };

        Assert.EndsWith(
            """
              kind      count  block size  heap          allocated at          caught at
              overflow      1              process heap  make (sample+0x1300)  the end of the process

            """,
            CheckText.Render(SampleFindings.Report(atEnd), s_plain));
    }

    [Theory]
    [InlineData(0, "nothing was checked.\n  It never used the checked heap: it is linked statically, runs with another user's rights (setuid), or was started without LD_PRELOAD.\n")]
    [InlineData(1, "nothing was found.\n")]
    [InlineData(3, "nothing was found in 3 programs.\n")]
    public void A_run_in_which_nothing_was_found_says_whether_anything_was_looked_at(int imageCount, string expected)
    {
        string[] lines = [.. Enumerable.Repeat("""{"kind":"process","pid":17}""", imageCount)];

        Assert.Equal($"\npheap: sample exited with code 3; {expected}", CheckText.Render(SampleFindings.Report(lines), s_plain));
    }

    [Fact]
    public void Twenty_lines_of_leaks_are_enough_and_the_rest_is_counted()
    {
        Finding[] leaks = [.. Enumerable.Range(1, 32).Select(number => SampleFindings.Leak($"site{number:00}", 1, (ulong)number))];

        string text = CheckText.Render(SampleFindings.Report(leaks), s_plain);

        Assert.Equal(20, text.Split('\n').Count(line => line.StartsWith("  leak ", StringComparison.Ordinal)));
        Assert.Contains("site13 ", text);
        Assert.DoesNotContain("site12 ", text);
        Assert.Contains("... and 12 blocks of 78 B in all from 12 more places; --report FILE.sarif has them all.", text);
    }

    [Fact]
    public void A_hundred_lines_of_errors_are_enough_and_the_rest_is_counted()
    {
        Finding[] errors = [.. Enumerable.Range(1, 103).Select(number => SampleFindings.Overflow() with { Function = $"function{number}" }), SampleFindings.Overflow() with { Function = "function103" }];

        string text = CheckText.Render(SampleFindings.Report(errors), s_plain);

        Assert.Equal(100, text.Split('\n').Count(line => line.StartsWith("  overflow ", StringComparison.Ordinal)));
        Assert.Contains("104 findings.", text);
        Assert.Contains("  ... and 4 findings in 3 more lines; --report FILE.sarif has them all.\n", text);
    }

    [Fact]
    public void Places_that_a_process_tells_together_are_one_line_and_all_of_them_are_counted()
    {
        Finding together = SampleFindings.Leak("", 7, 70) with { Places = 5, Allocated = [] };
        Finding[] leaks = [.. Enumerable.Range(1, 20).Select(number => SampleFindings.Leak($"site{number:00}", 1, 100))];

        Assert.Matches("  leak +7 +70 B in all  0x10002  5 more places *\n", CheckText.Render(SampleFindings.Report(together), s_plain));
        Assert.Contains("... and 7 blocks of 70 B in all from 5 more places; --report FILE.sarif has more of them.\n", CheckText.Render(SampleFindings.Report([.. leaks, together]), s_plain));
    }

    [Fact]
    public void What_processes_have_found_and_not_reported_is_said_at_the_end()
    {
        string[] lines =
        [
            """{"kind":"omitted","pid":17}""", """{"kind":"omitted","pid":17,"findings":1,"places":0,"count":0,"bytes":0}""",
            """{"kind":"omitted","pid":18}""", """{"kind":"omitted","pid":18,"findings":4000,"places":2,"count":3,"bytes":2048}""",
            """{"kind":"process","pid":19}""", """{"kind":"omitted","pid":19}""",
        ];

        Assert.EndsWith(
            """
              4,001 more findings of processes with too many were only counted.
              3 more blocks of 2 KiB in all from 2 more places were still allocated.
              A process found more than was reported, and ended before saying how much.

            """,
            CheckText.Render(SampleFindings.Report(lines, SampleFindings.Overflow()), s_plain));
    }

    [Fact]
    public void Lines_that_could_not_be_read_are_mentioned() =>
        Assert.Contains("2 lines of the processes could not be read", CheckText.Render(SampleFindings.Report(["{", "["], SampleFindings.Overflow()), s_plain));

    [Fact]
    public void Names_out_of_the_program_neither_break_lines_nor_pass_for_markup()
    {
        string text = CheckText.Render(SampleFindings.Report(SampleFindings.Overflow() with { HeapName = "[red]a\nb\u001b[31m" }), s_plain);

        Assert.Contains("'[red]a b [31m'", text);
        Assert.Contains("\u001b[91m1 finding\u001b[0m", CheckText.Render(SampleFindings.Report(SampleFindings.Overflow()), new ReportStyle(Color: true, Unicode: true)));
    }
}

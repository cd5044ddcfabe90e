using PrivateHeaps.Heaps;
using PrivateHeaps.Tool.Launching;
using PrivateHeaps.Tool.Reports;

namespace PrivateHeaps.Tool.Tests.Reports;

public class ReportTextTests
{
    private static readonly ReportStyle s_plain = new(Color: false, Unicode: false);

    [Fact]
    public void A_report_has_a_headline_the_figures_and_the_live_blocks()
    {
        string text = Render(SampleCensus.Exited(3), s_plain, SampleCensus.Create());

        Assert.Equal(
            """

            pheap: sample exited with code 3 after 1.4 s (processor: 0.0 ms in programs, 0.0 ms in the kernel)
              allocations               1,002  in use at the end       6.1 KiB
              frees                       990  in use at the peak     12.2 KiB
              reallocations                 4  committed at the end   24.4 KiB
              failed allocations            1  committed at the peak  48.8 KiB
              blocks live at the end       12  reserved                  1 GiB
              largest live block      2.9 KiB  threads at the peak           3
              fragmentation at the end (1 - in use / committed): 75.0 %

              Blocks live at the end, by size
              up to  live  allocated
               32 B    10      1,000  ########################
              4 KiB     2          2  #####

            """,
            text);
    }

    [Fact]
    public void A_killed_program_has_a_bound_for_its_largest_block()
    {
        string text = Render(SampleCensus.Killed(11), s_plain, SampleCensus.Create(endedInOrder: 0));

        Assert.Contains("pheap: sample was ended by SIGSEGV after", text);
        Assert.Contains("at most 4 KiB", text);
    }

    [Fact]
    public void Every_other_image_has_one_line()
    {
        string text = Render(
            SampleCensus.Exited(),
            s_plain,
            SampleCensus.Create(endedInOrder: 2, command: "before"),
            SampleCensus.Create(),
            SampleCensus.Create(processId: SampleCensus.ProcessId + 1, command: "child"));

        Assert.Contains("Other processes that used the heap: 2", text);
        Assert.Single(text.Split('\n'), line => line.Contains("before") && line.EndsWith("exec"));
        Assert.Single(text.Split('\n'), line => line.Contains("child") && line.EndsWith("exited"));
    }

    [Fact]
    public void A_hundred_lines_of_others_are_enough()
    {
        IEnumerable<Census> others = Enumerable.Range(1, 1_234).Select(number => SampleCensus.Create(processId: SampleCensus.ProcessId + number, command: "child"));

        string text = Render(SampleCensus.Exited(), s_plain, [SampleCensus.Create(), .. others]);

        Assert.Equal(100, text.Split('\n').Count(line => line.Contains("child")));
        Assert.Contains("... and 1,134 more", text);
    }

    [Fact]
    public void A_program_that_never_used_the_heap_is_told_why() =>
        Assert.Contains("It never used the heap: it is linked statically", Render(SampleCensus.Exited(), s_plain));

    [Fact]
    public void An_image_that_made_way_for_a_program_without_the_heap_is_told_apart() =>
        Assert.Contains("the program that took its place did not use the heap", Render(SampleCensus.Exited(), s_plain, SampleCensus.Create(endedInOrder: 2)));

    [Fact]
    public void Colors_and_fine_bars_are_used_where_they_can_be_shown()
    {
        string text = Render(SampleCensus.Exited(), new ReportStyle(Color: true, Unicode: true), SampleCensus.Create());

        Assert.Contains("\u001b[1mpheap:", text);
        Assert.Contains("████▊", text);
        Assert.DoesNotContain('\u001b', Render(SampleCensus.Exited(), s_plain, SampleCensus.Create()));
    }

    [Fact]
    public void A_command_with_square_brackets_is_not_taken_for_markup() =>
        Assert.Contains("pheap: [red]x exited", ReportText.Render(new RunReport(["/bin/[red]x"], SampleCensus.Exited(), []), s_plain));

    private static string Render(LaunchResult result, ReportStyle style, params Census[] censuses) =>
        ReportText.Render(new RunReport(["/usr/bin/sample"], result, [.. censuses.Select((census, index) => new ProcessImage(census, index))]), style);
}

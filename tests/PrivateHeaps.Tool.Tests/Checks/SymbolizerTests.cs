using PrivateHeaps.Tool.Checks;

namespace PrivateHeaps.Tool.Tests.Checks;

public class SymbolizerTests
{
    private static readonly StackFrame[] s_frames =
    [
        StackFrame.Parse("main+0x1C (/usr/bin/sample+0x113C)"), StackFrame.Parse("named+0x1 (/usr/bin/sample+0x1200)"), StackFrame.Parse("(/usr/bin/sample+0x1300)"),
    ];

    [Theory]
    [InlineData("0x000000000000113c\n")] // addr2line
    [InlineData("0x113c\n")] // llvm-symbolizer
    public void An_answer_gives_frames_their_lines_and_inlined_calls_frames_of_their_own(string address)
    {
        Dictionary<ulong, List<StackFrame>> found = Symbolizer.Read(
            address + "inlined\n/src/sample.h:7 (discriminator 3)\nmain\n/src/sample.c:12\n0x1200\n??\n??:0\n0x1300\nvector<int, a::b>::grow()\n/src/x y.cpp:?\n", s_frames);

        Assert.Equal(["inlined (sample.h:7)", "main (sample.c:12)"], found[0x113C].Select(frame => frame.Short));
        Assert.Equal(["named (sample+0x1200)"], found[0x1200].Select(frame => frame.Short));
        Assert.Equal(["vector<int, a::b>::grow() (sample+0x1300)"], found[0x1300].Select(frame => frame.Short));
    }

    [Theory]
    [InlineData("")]
    [InlineData("error: no such file\n")]
    [InlineData("0x9999\nmain\n/src/sample.c:12\n")]
    [InlineData("0x113c\nmain\n")]
    public void An_answer_to_something_else_gives_nothing(string answer) => Assert.Empty(Symbolizer.Read(answer, s_frames));

    [Fact]
    public void A_finding_whose_module_is_not_there_stays_as_it_is()
    {
        Finding finding = SampleFindings.Leak("main", 1, 8) with { Allocated = [StackFrame.Parse("main+0x1 (/no/such/module+0x10)"), StackFrame.Parse("0x7F00")] };

        Assert.Equal(finding.Allocated, Symbolizer.Resolve([finding])[0].Allocated);
    }
}

using PrivateHeaps.Tool.Checks;

namespace PrivateHeaps.Tool.Tests.Checks;

public class CheckListTests
{
    [Theory]
    [InlineData(null, false, false, false, "htc,hfc,hpc,ust,quarantine=16M")]
    [InlineData(null, true, false, false, "hpa,hpc,ust")]
    [InlineData(null, false, true, true, "htc,hfc,hpc,ust,quarantine=16M,leaks,continue")]
    [InlineData("htc, hpa=before ,sample=100", false, true, false, "htc,hpa=before,sample=100,ust,leaks")]
    [InlineData("all,continue,quarantine=1g,sample", false, false, true, "all,continue,quarantine=1g,sample")]
    public void Options_become_the_words_of_the_engine(string? checks, bool isPageHeap, bool isLeaks, bool isContinue, string expected)
    {
        Assert.Equal(expected, CheckList.Create(checks, isPageHeap, isLeaks, isContinue, out string error));
        Assert.Equal("", error);
    }

    [Theory]
    [InlineData("htc,page", "there is no check 'page'; there are htc, hfc,")]
    [InlineData("HTC", "there is no check 'HTC'")]
    [InlineData(" , ", "the list is empty; there are htc, hfc,")]
    [InlineData("htc=1", "htc takes no value.")]
    [InlineData("quarantine", "quarantine takes a number of bytes, as in quarantine=16M.")]
    [InlineData("quarantine=0", "quarantine takes a number of bytes, as in quarantine=16M.")]
    [InlineData("quarantine=16T", "quarantine takes a number of bytes, as in quarantine=16M.")]
    [InlineData("sample=often", "sample takes the number of allocations of which one is sampled, as in sample=1000.")]
    [InlineData("hpa=above", "hpa has its page before or behind the block, not 'above'.")]
    public void A_list_that_makes_no_sense_is_answered_with_a_sentence(string checks, string sentence)
    {
        Assert.Null(CheckList.Create(checks, false, false, false, out string error));
        Assert.StartsWith($"--checks: {sentence}", error);
    }

    [Fact]
    public void A_list_beside_page_heap_is_refused()
    {
        Assert.Null(CheckList.Create("htc", true, false, false, out string error));
        Assert.Equal("--page-heap and --checks exclude each other; write hpa into the list of --checks.", error);
    }
}

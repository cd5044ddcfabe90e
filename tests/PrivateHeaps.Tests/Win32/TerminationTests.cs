using System.Text.RegularExpressions;
using PrivateHeaps.Tests.Conformance;

namespace PrivateHeaps.Tests.Win32;

/// <summary>HeapEnableTerminationOnCorruption: from then on a bad free ends the process with one sentence.</summary>
public sealed class TerminationTests
{
    public static TheoryData<string, string, string> Misuses()
    {
        TheoryData<string, string, string> data = [];
        foreach (string face in (string[])[nameof(HeapApiFace), nameof(NativeFace)])
        {
            data.Add(face, "freed", "HeapFree was given 0x[0-9A-F]+, which was already freed.");
            data.Add(face, "freed large", "HeapFree was given 0x[0-9A-F]+, which was already freed.");
            data.Add(face, "inside", "HeapFree was given 0x[0-9A-F]+, which points 16 bytes into a live block of 48 bytes.");
            data.Add(face, "inside large", "HeapFree was given 0x[0-9A-F]+, which points 8192 bytes into a live block of 300000 bytes.");
            data.Add(face, "inside solo", "HeapFree was given 0x[0-9A-F]+, which points 100000 bytes into a live block of 3000000 bytes.");
            data.Add(face, "misaligned", "HeapFree was given 0x[0-9A-F]+, which points 1 bytes into a live block of 48 bytes.");
            data.Add(face, "other heap", "HeapFree was given 0x[0-9A-F]+, which is a live block of another heap, 0x[0-9A-F]+.");
            data.Add(face, "nowhere", "HeapFree was given 0x123456789000, which lies in no heap.");
            data.Add(face, "realloc", "HeapReAlloc was given 0x[0-9A-F]+, which was already freed.");
            data.Add(face, "bounded", "HeapFree was given 0x[0-9A-F]+, which points 160 bytes into a live block of 5000 bytes.");
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Misuses))]
    public void A_bad_free_ends_the_process_with_one_sentence(string face, string misuse, string sentence)
    {
        (int exitCode, string output, string errors) = Child.Run(null, nameof(TerminationScenarios.Misuse), face, misuse);
        Assert.Equal("harmless\n", output);
        Assert.NotEqual(0, exitCode);
        Assert.Matches("privateheaps: " + sentence.Replace(".", "\\.", StringComparison.Ordinal) + "\n", errors);
        Assert.Single(Regex.Matches(errors, "privateheaps:"));
    }

    [Theory]
    [InlineData(nameof(HeapApiFace))]
    [InlineData(nameof(NativeFace))]
    public void Good_frees_go_on(string face)
    {
        (int exitCode, string output, string errors) = Child.Run(null, nameof(TerminationScenarios.Misuse), face, "none");
        Assert.Equal((0, "harmless\nfreed\n", ""), (exitCode, output, errors));
    }
}

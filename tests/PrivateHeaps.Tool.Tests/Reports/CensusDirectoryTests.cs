using System.Runtime.InteropServices;
using PrivateHeaps.Heaps;
using PrivateHeaps.Tool.Reports;

namespace PrivateHeaps.Tool.Tests.Reports;

public class CensusDirectoryTests
{
    [Fact]
    public void Images_are_read_in_the_order_of_their_beginning()
    {
        using var directory = new CensusDirectory();
        Census late = SampleCensus.Create(command: "late");
        late.StartNanoseconds = 100;
        Write(directory, "12-1", late);
        Write(directory, "12-0", SampleCensus.Create(command: "early"));

        Assert.Equal([("early", 0), ("late", 1)], directory.ReadImages().Select(image => (image.Command, image.Sequence)));
    }

    [Fact]
    public void Files_that_are_not_a_whole_census_are_left_out()
    {
        using var directory = new CensusDirectory();
        Census unfinished = SampleCensus.Create();
        unfinished.Magic = 0;
        Write(directory, "1-0", unfinished);
        File.WriteAllBytes(Path.Combine(directory.Path, "2-0"), new byte[100]);
        Write(directory, "3-0", SampleCensus.Create());
        directory.Library($"{directory.Path}/3-0 a name with spaces");

        Assert.Single(directory.ReadImages());
    }

    [Fact]
    public void The_directory_is_private_and_goes_away()
    {
        var directory = new CensusDirectory();
        Write(directory, "1-0", SampleCensus.Create());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(directory.Path));

        directory.Dispose();
        directory.Dispose();

        Assert.False(Directory.Exists(directory.Path));
    }

    [Fact]
    public void A_library_whose_path_would_break_LD_PRELOAD_gets_another_name()
    {
        using var directory = new CensusDirectory();

        Assert.Equal("/opt/plain/lib.so", directory.Library("/opt/plain/lib.so"));
        string other = directory.Library("/opt/with space:and colon/lib.so");
        Assert.DoesNotContain(' ', other);
        Assert.DoesNotContain(':', other);
        Assert.Equal("/opt/with space:and colon/lib.so", new FileInfo(other).LinkTarget);
    }

    private static void Write(CensusDirectory directory, string name, Census census) =>
        File.WriteAllBytes(Path.Combine(directory.Path, name), MemoryMarshal.AsBytes(new ReadOnlySpan<Census>(in census)));
}

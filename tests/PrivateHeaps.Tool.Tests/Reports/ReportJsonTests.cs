using System.Text.Json;
using PrivateHeaps.Tool.Launching;
using PrivateHeaps.Tool.Reports;

namespace PrivateHeaps.Tool.Tests.Reports;

public class ReportJsonTests
{
    [Fact]
    public void Numbers_are_raw()
    {
        JsonElement program = Write(SampleCensus.Exited(7)).GetProperty("program");

        Assert.Equal(6_250, program.GetProperty("bytesInUse").GetInt64());
        Assert.Equal(1L << 30, program.GetProperty("reservedBytes").GetInt64());
        Assert.Equal(0.75, program.GetProperty("fragmentation").GetDouble());
        Assert.Equal(32, program.GetProperty("sizeClasses")[0].GetProperty("toBytes").GetInt64());
        Assert.Equal(10, program.GetProperty("sizeClasses")[0].GetProperty("live").GetInt64());
    }

    [Fact]
    public void The_ending_is_an_exit_code_or_a_signal()
    {
        JsonElement exited = Write(SampleCensus.Exited(7)).GetProperty("ending");
        JsonElement killed = Write(SampleCensus.Killed(9)).GetProperty("ending");

        Assert.Equal(("exited", 7), (exited.GetProperty("kind").GetString(), exited.GetProperty("exitCode").GetInt32()));
        Assert.Equal(("signaled", "SIGKILL"), (killed.GetProperty("kind").GetString(), killed.GetProperty("signalName").GetString()));
        Assert.False(killed.TryGetProperty("exitCode", out _));
    }

    [Fact]
    public void Every_name_is_documented()
    {
        string document = File.ReadAllText(Path.Combine(Root(), "docs", "report.md"));
        var names = new SortedSet<string>();
        Collect(Write(SampleCensus.Exited()), names);
        Collect(Write(SampleCensus.Killed(9)), names);

        Assert.Equal([], names.Where(name => !document.Contains($"`{name}`")));
        Assert.True(names.Count > 30);
    }

    private static JsonElement Write(LaunchResult result)
    {
        using var stream = new MemoryStream();
        ReportJson.Write(new RunReport(["/usr/bin/sample", "argument"], result, [new ProcessImage(SampleCensus.Create(), 0)]), stream);
        return JsonDocument.Parse(stream.ToArray()).RootElement;
    }

    private static void Collect(JsonElement element, SortedSet<string> names)
    {
        if (element.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty property in element.EnumerateObject())
            {
                names.Add(property.Name);
                Collect(property.Value, names);
            }
        }

        if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement item in element.EnumerateArray())
                Collect(item, names);
        }
    }

    private static string Root()
    {
        string directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "global.json")))
            directory = Path.GetDirectoryName(directory) ?? throw new DirectoryNotFoundException("The root of the repository is nowhere above the tests.");
        return directory;
    }
}

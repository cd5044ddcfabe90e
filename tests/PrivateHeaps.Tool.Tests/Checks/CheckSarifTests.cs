using System.Text.Json;
using PrivateHeaps.Tool.Checks;

namespace PrivateHeaps.Tool.Tests.Checks;

public class CheckSarifTests
{
    /// <summary>The properties that SARIF 2.1.0 has for each object that a report uses, those that must be there with a star; what is behind a colon is the object in it.</summary>
    private static readonly Dictionary<string, string[]> s_shapes = new()
    {
        ["log"] = ["$schema", "version*", "runs*:run"],
        ["run"] = ["tool*:tool", "invocations:invocation", "originalUriBaseIds:uriBases", "results:result"],
        ["uriBases"] = ["SRCROOT:artifactLocation"],
        ["tool"] = ["driver*:driver"],
        ["driver"] = ["name*", "version", "rules:rule"],
        ["rule"] = ["id*", "name", "shortDescription:text", "fullDescription:text", "help:text", "defaultConfiguration:configuration"],
        ["configuration"] = ["level"],
        ["text"] = ["text*"],
        ["invocation"] = ["commandLine", "executionSuccessful*", "exitCode", "exitSignalName", "exitSignalNumber"],
        ["result"] =
        [
            "ruleId", "ruleIndex", "level", "message*:text", "locations:location", "stacks:stack", "occurrenceCount", "partialFingerprints:fingerprints", "properties:bag",
        ],
        ["location"] = ["physicalLocation:physicalLocation", "logicalLocations:logicalLocation", "message:text"],
        ["physicalLocation"] = ["artifactLocation:artifactLocation", "region:region"],
        ["artifactLocation"] = ["uri", "uriBaseId"],
        ["region"] = ["startLine"],
        ["logicalLocation"] = ["fullyQualifiedName", "kind"],
        ["stack"] = ["message:text", "frames*:frame"],
        ["frame"] = ["location:location", "module"],
        ["fingerprints"] = ["site/v1"],
        ["bag"] = ["function", "heap", "blockCount", "bytes", "address", "block", "offset", "dump", "processIds"],
    };

    private static readonly Finding s_withSource = SampleFindings.Overflow() with
    {
        Caught = [StackFrame.Parse("strlen+0x1 (/usr/lib/libc.so.6+0x20)"), StackFrame.Parse("main+0x5 (/usr/bin/sample+0x1200)") with { File = "/src/a project/main.c", Line = 12 }],
        Freed = [StackFrame.Parse("0x7F00"), StackFrame.Parse("(/usr/bin/sample+0x40)"), StackFrame.Parse("other+0x5 (/usr/bin/sample+0x1200)") with { File = "/else#where/b.c" }],
    };

    [Fact]
    public void A_report_has_the_shape_of_SARIF()
    {
        foreach (CheckReport report in new[] { SampleFindings.Report(), SampleFindings.Report(s_withSource, SampleFindings.Leak("small", 2, 16), s_withSource with { Kind = "new-kind" }) })
            AssertShape(Write(report), "log", "log");
    }

    [Fact]
    public void Every_kind_has_a_rule_that_explains_it_and_results_point_to_their_rules()
    {
        JsonElement run = Run(SampleFindings.Report(s_withSource, SampleFindings.Leak("small", 2, 16), s_withSource with { Kind = "double-free" }));
        JsonElement rules = run.GetProperty("tool").GetProperty("driver").GetProperty("rules");

        Assert.Equal(["overflow", "double-free", "leak"], rules.EnumerateArray().Select(rule => rule.GetProperty("id").GetString()));
        Assert.All(rules.EnumerateArray(), rule => Assert.True(rule.GetProperty("help").GetProperty("text").GetString()!.Length > 40));
        Assert.Equal(
            [("overflow", 0, "error"), ("double-free", 1, "error"), ("leak", 2, "warning")],
            run.GetProperty("results").EnumerateArray().Select(result => (result.GetProperty("ruleId").GetString(), result.GetProperty("ruleIndex").GetInt32(), result.GetProperty("level").GetString())));
        Assert.Equal(3, run.GetProperty("invocations")[0].GetProperty("exitCode").GetInt32());
    }

    [Fact]
    public void A_location_is_a_source_line_where_one_is_known_and_else_a_name()
    {
        JsonElement result = Run(SampleFindings.Report(s_withSource)).GetProperty("results")[0];

        JsonElement place = result.GetProperty("locations")[0].GetProperty("physicalLocation");
        Assert.Equal("a%20project/main.c", place.GetProperty("artifactLocation").GetProperty("uri").GetString());
        Assert.Equal("SRCROOT", place.GetProperty("artifactLocation").GetProperty("uriBaseId").GetString());
        Assert.Equal(12, place.GetProperty("region").GetProperty("startLine").GetInt32());
        Assert.Equal(["caught", "allocated", "freed"], result.GetProperty("stacks").EnumerateArray().Select(stack => stack.GetProperty("message").GetProperty("text").GetString()));
        JsonElement[] freed = [.. result.GetProperty("stacks")[2].GetProperty("frames").EnumerateArray().Select(frame => frame.GetProperty("location"))];
        Assert.Equal("0x7F00", Name(freed[0]));
        Assert.Equal("sample+0x40", Name(freed[1]));
        Assert.Equal("file:///else%23where/b.c", freed[2].GetProperty("physicalLocation").GetProperty("artifactLocation").GetProperty("uri").GetString());
        Assert.False(freed[2].GetProperty("physicalLocation").TryGetProperty("region", out _));

        static string? Name(JsonElement location) => location.GetProperty("logicalLocations")[0].GetProperty("fullyQualifiedName").GetString();
    }

    [Fact]
    public void A_place_keeps_its_fingerprint_when_addresses_change_and_sums_its_findings()
    {
        JsonElement first = Run(SampleFindings.Report(s_withSource)).GetProperty("results")[0];
        JsonElement results = Run(SampleFindings.Report(s_withSource with { Address = "0x1", ProcessId = 5 }, s_withSource, s_withSource with { Function = "realloc" })).GetProperty("results");

        Assert.Equal(2, results.GetArrayLength());
        Assert.Equal(Fingerprint(first), Fingerprint(results[0]));
        Assert.NotEqual(Fingerprint(first), Fingerprint(results[1]));
        Assert.Equal(2, results[0].GetProperty("occurrenceCount").GetInt32());
        Assert.Equal([5, 17], results[0].GetProperty("properties").GetProperty("processIds").EnumerateArray().Select(process => process.GetInt32()));

        static string? Fingerprint(JsonElement result) => result.GetProperty("partialFingerprints").GetProperty("site/v1").GetString();
    }

    private static JsonElement Run(CheckReport report) => Write(report).GetProperty("runs")[0];

    private static JsonElement Write(CheckReport report)
    {
        using var stream = new MemoryStream();
        CheckSarif.Write(report, "/src", stream);
        return JsonDocument.Parse(stream.ToArray()).RootElement;
    }

    private static void AssertShape(JsonElement element, string shape, string path)
    {
        foreach (JsonElement part in element.ValueKind == JsonValueKind.Array ? [.. element.EnumerateArray()] : new[] { element })
        {
            Dictionary<string, string[]> known = s_shapes[shape].Select(property => property.Split(':')).ToDictionary(parts => parts[0].TrimEnd('*'));
            foreach (string required in s_shapes[shape].Select(property => property.Split(':')[0]).Where(property => property.EndsWith('*')))
                Assert.True(part.TryGetProperty(required.TrimEnd('*'), out _), $"{path} has no {required}");
            foreach (JsonProperty property in part.EnumerateObject())
            {
                Assert.True(known.TryGetValue(property.Name, out string[]? description), $"{path} has {property.Name}");
                if (description.Length > 1)
                    AssertShape(property.Value, description[1], $"{path}.{property.Name}");
            }
        }
    }
}

using System.Text.Json;
using PrivateHeaps.Tool.Checks;

namespace PrivateHeaps.Tool.Tests.Checks;

public class CheckSarifTests
{
    /// <summary>
    /// What the schema of SARIF 2.1.0 says of each object and property that a report uses. Behind the name, a star says that it must be there; behind the colon is what
    /// it holds: an object, an array of something, of which no two may be equal if it is a set, or a value.
    /// </summary>
    private static readonly Dictionary<string, string[]> s_shapes = new()
    {
        ["log"] = ["$schema:uri", "version*:one of 2.1.0", "runs*:array of run"],
        ["run"] = ["tool*:tool", "invocations:array of invocation", "originalUriBaseIds:uriBases", "results:array of result"],
        ["uriBases"] = ["SRCROOT:artifactLocation"],
        ["tool"] = ["driver*:driver"],
        ["driver"] = ["name*:string", "version:string", "rules:set of rule"],
        ["rule"] = ["id*:string", "name:string", "shortDescription:text", "fullDescription:text", "help:text", "defaultConfiguration:configuration"],
        ["configuration"] = ["level:level"],
        ["text"] = ["text*:string"],
        ["invocation"] =
        [
            "commandLine:string", "executionSuccessful*:boolean", "exitCode:integer", "exitSignalName:string", "exitSignalNumber:integer",
            "toolExecutionNotifications:array of notification",
        ],
        ["notification"] = ["level:level", "message*:text"],
        ["result"] =
        [
            "ruleId:string", "ruleIndex:integer from -1", "level:level", "message*:text", "locations:array of location", "stacks:set of stack", "occurrenceCount:integer from 1",
            "partialFingerprints:fingerprints", "properties:bag",
        ],
        ["location"] = ["physicalLocation:physicalLocation", "logicalLocations:set of logicalLocation", "message:text"],
        ["physicalLocation"] = ["artifactLocation*:artifactLocation", "region:region"],
        ["artifactLocation"] = ["uri:uri", "uriBaseId:string"],
        ["region"] = ["startLine:integer from 1"],
        ["logicalLocation"] = ["fullyQualifiedName:string", "kind:string"],
        ["stack"] = ["message:text", "frames*:array of frame"],
        ["frame"] = ["location:location", "module:string"],
        ["fingerprints"] = ["site/v1:string"],
        ["bag"] =
        [
            "function:string", "heap:string", "blockCount:integer", "placeCount:integer", "bytes:integer", "address:string", "block:string", "offset:integer", "dump:string",
            "processIds:array of integer",
        ],
    };

    private static readonly Finding s_withSource = SampleFindings.Overflow() with
    {
        Caught = [StackFrame.Parse("strlen+0x1 (/usr/lib/libc.so.6+0x20)"), StackFrame.Parse("main+0x5 (/usr/bin/sample+0x1200)") with { File = "/src/a project/main.c", Line = 12 }],
        Freed = [StackFrame.Parse("0x7F00"), StackFrame.Parse("(/usr/bin/sample+0x40)"), StackFrame.Parse("other+0x5 (/usr/bin/sample+0x1200)") with { File = "/else#where/b.c" }],
    };

    [Fact]
    public void A_report_has_the_shape_of_SARIF()
    {
        Finding bare = new() { Kind = "corrupt" };
        Finding together = SampleFindings.Leak("", 7, 70) with { Places = 5, Allocated = [] };
        string[] omitted = ["""{"kind":"omitted","pid":17}""", """{"kind":"omitted","pid":17,"findings":4,"places":2,"count":3,"bytes":5}"""];
        CheckReport[] reports =
        [
            SampleFindings.Report(),
            SampleFindings.Report(s_withSource, SampleFindings.Leak("small", 2, 16), s_withSource with { Kind = "new-kind" }),
            SampleFindings.Report(bare, together, SampleFindings.Overflow() with { HeapName = "\"\u001b\u0001", Caught = [StackFrame.Parse("a:b%c") with { File = "relative:path/ü.c" }] }),
            SampleFindings.Report(omitted, s_withSource),
        ];
        foreach (CheckReport report in reports)
            AssertShape(Write(report), "log", "log");
    }

    [Fact]
    public void What_was_found_and_not_reported_is_a_notification_of_the_tool()
    {
        JsonElement notifications = Run(SampleFindings.Report(["""{"kind":"omitted","pid":17,"findings":4,"places":0,"count":0,"bytes":0}"""], s_withSource))
            .GetProperty("invocations")[0].GetProperty("toolExecutionNotifications");

        Assert.Equal(["4 more findings of processes with too many were only counted."], notifications.EnumerateArray().Select(notification => notification.GetProperty("message").GetProperty("text").GetString()));
        Assert.Equal(0, Run(SampleFindings.Report(s_withSource)).GetProperty("invocations")[0].GetProperty("toolExecutionNotifications").GetArrayLength());
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
        if (shape.Split(" of ") is ["array" or "set", string part])
        {
            Assert.True(element.ValueKind == JsonValueKind.Array, $"{path} is no array");
            Assert.True(shape.StartsWith("array", StringComparison.Ordinal) || element.EnumerateArray().DistinctBy(one => one.GetRawText()).Count() == element.GetArrayLength(), $"{path} has two equal elements");
            foreach (JsonElement one in element.EnumerateArray())
                AssertShape(one, part, $"{path}[]");
        }
        else if (s_shapes.TryGetValue(shape, out string[]? properties))
        {
            AssertProperties(element, properties, path);
        }
        else
        {
            Assert.True(IsValue(element, shape), $"{path} is {element.GetRawText()}, and is to be: {shape}");
        }
    }

    private static void AssertProperties(JsonElement element, string[] properties, string path)
    {
        Assert.True(element.ValueKind == JsonValueKind.Object, $"{path} is no object");
        Dictionary<string, string> shapes = properties.Select(property => property.Split(':', 2)).ToDictionary(parts => parts[0].TrimEnd('*'), parts => parts[1]);
        foreach (string required in properties.Select(property => property.Split(':')[0]).Where(property => property.EndsWith('*')))
            Assert.True(element.TryGetProperty(required.TrimEnd('*'), out _), $"{path} has no {required}");
        foreach (JsonProperty property in element.EnumerateObject())
        {
            Assert.True(shapes.TryGetValue(property.Name, out string? shape), $"{path} has {property.Name}");
            AssertShape(property.Value, shape, $"{path}.{property.Name}");
        }
    }

    private static bool IsValue(JsonElement element, string shape) => shape switch
    {
        "string" => element.ValueKind == JsonValueKind.String,
        "boolean" => element.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "integer" => element.ValueKind == JsonValueKind.Number && element.TryGetInt64(out _),
        "integer from -1" => IsValue(element, "integer") && element.GetInt64() >= -1,
        "integer from 1" => IsValue(element, "integer") && element.GetInt64() >= 1,
        "level" => element.GetString() is "none" or "note" or "warning" or "error",
        "uri" => Uri.IsWellFormedUriString(element.GetString(), UriKind.RelativeOrAbsolute),
        "one of 2.1.0" => element.GetString() == "2.1.0",
        _ => throw new ArgumentException($"There is no shape '{shape}'."),
    };
}

using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using PrivateHeaps.Tool.Reports;

namespace PrivateHeaps.Tool.Checks;

/// <summary>
/// What a check found as SARIF 2.1.0, the format that editors and code hosts take findings of analyzers in: a rule for each kind, a result for each
/// line of the table, with its stacks. A location is the source line where one is known; else it is named, as the function or as module+offset.
/// </summary>
internal static class CheckSarif
{
    private const string Schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
    private const string SourceRoot = "SRCROOT";

    /// <param name="report">What was found.</param>
    /// <param name="sourceRoot">The folder from which sources are named, as a full path.</param>
    /// <param name="stream">Where it is written, in UTF-8.</param>
    public static void Write(CheckReport report, string sourceRoot, Stream stream)
    {
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        string root = sourceRoot.EndsWith('/') ? sourceRoot : sourceRoot + "/";
        FindingKind[] rules = [.. report.Groups.Select(group => group.Kind).Distinct().Select(FindingKinds.Of)];
        json.WriteStartObject();
        json.WriteString("$schema", Schema);
        json.WriteString("version", "2.1.0");
        json.WriteStartArray("runs");
        json.WriteStartObject();
        WriteTool(json, rules);
        WriteInvocation(json, report);
        json.WriteStartObject("originalUriBaseIds");
        json.WriteStartObject(SourceRoot);
        json.WriteString("uri", UriOf(root));
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteStartArray("results");
        foreach (FindingGroup group in report.Groups)
            WriteResult(json, group, Array.FindIndex(rules, rule => rule.Id == group.Kind), root);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        stream.Write("\n"u8);
    }

    private static void WriteTool(Utf8JsonWriter json, FindingKind[] rules)
    {
        json.WriteStartObject("tool");
        json.WriteStartObject("driver");
        json.WriteString("name", "PrivateHeaps");
        json.WriteString("version", typeof(CheckSarif).Assembly.GetName().Version?.ToString(3));
        json.WriteStartArray("rules");
        foreach (FindingKind rule in rules)
        {
            json.WriteStartObject();
            json.WriteString("id", rule.Id);
            json.WriteString("name", rule.Name);
            WriteText(json, "shortDescription", rule.Description);
            WriteText(json, "fullDescription", $"{rule.Description} {rule.Help}");
            WriteText(json, "help", rule.Help);
            json.WriteStartObject("defaultConfiguration");
            json.WriteString("level", LevelOf(rule.Id));
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteInvocation(Utf8JsonWriter json, CheckReport report)
    {
        json.WriteStartArray("invocations");
        json.WriteStartObject();
        json.WriteString("commandLine", string.Join(' ', report.CommandLine));
        json.WriteBoolean("executionSuccessful", true);
        if (report.Result.Signal == 0)
        {
            json.WriteNumber("exitCode", report.Result.ExitCode);
        }
        else
        {
            json.WriteString("exitSignalName", SignalName.Of(report.Result.Signal));
            json.WriteNumber("exitSignalNumber", report.Result.Signal);
        }

        json.WriteStartArray("toolExecutionNotifications");
        foreach (string sentence in report.File.Omission.Sentences)
        {
            json.WriteStartObject();
            json.WriteString("level", "warning");
            WriteText(json, "message", sentence);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void WriteResult(Utf8JsonWriter json, FindingGroup group, int ruleIndex, string root)
    {
        Finding first = group.First;
        json.WriteStartObject();
        json.WriteString("ruleId", group.Kind);
        json.WriteNumber("ruleIndex", ruleIndex);
        json.WriteString("level", LevelOf(group.Kind));
        WriteText(json, "message", MessageOf(group));
        json.WriteStartArray("locations");
        IReadOnlyList<StackFrame>[] stacks = [first.Caught, first.Freed, first.Allocated];
        if (stacks.Select(FindingGroup.OwnFrameOf).FirstOrDefault(own => own is not null) is { } frame)
            WriteLocation(json, frame, root);
        json.WriteEndArray();
        json.WriteStartArray("stacks");
        WriteStack(json, "caught", first.Caught, root);
        WriteStack(json, "allocated", first.Allocated, root);
        WriteStack(json, "freed", first.Freed, root);
        json.WriteEndArray();
        json.WriteNumber("occurrenceCount", group.Findings.Count);
        json.WriteStartObject("partialFingerprints");
        json.WriteString("site/v1", FingerprintOf(group));
        json.WriteEndObject();
        WriteProperties(json, group);
        json.WriteEndObject();
    }

    private static void WriteStack(Utf8JsonWriter json, string title, IReadOnlyList<StackFrame> frames, string root)
    {
        if (frames.Count == 0)
            return;

        json.WriteStartObject();
        WriteText(json, "message", title);
        json.WriteStartArray("frames");
        foreach (StackFrame frame in frames)
        {
            json.WriteStartObject();
            json.WritePropertyName("location");
            WriteLocation(json, frame, root);
            if (frame.Module is not null)
                json.WriteString("module", Path.GetFileName(frame.Module));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteLocation(Utf8JsonWriter json, StackFrame frame, string root)
    {
        json.WriteStartObject();
        if (frame.File is not null)
        {
            json.WriteStartObject("physicalLocation");
            json.WriteStartObject("artifactLocation");
            bool isBelow = frame.File.StartsWith(root, StringComparison.Ordinal);
            json.WriteString("uri", isBelow ? Uri.EscapeDataString(frame.File[root.Length..]).Replace("%2F", "/") : UriOf(frame.File));
            if (isBelow)
                json.WriteString("uriBaseId", SourceRoot);
            json.WriteEndObject();
            if (frame.Line > 0)
            {
                json.WriteStartObject("region");
                json.WriteNumber("startLine", frame.Line);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        if (frame.Function is not null || frame.File is null)
        {
            json.WriteStartArray("logicalLocations");
            json.WriteStartObject();
            json.WriteString("fullyQualifiedName", frame.Function ?? (frame.Module is null ? frame.Text : $"{Path.GetFileName(frame.Module)}+0x{frame.Offset:x}"));
            json.WriteString("kind", frame.Function is null ? "module" : "function");
            json.WriteEndObject();
            json.WriteEndArray();
        }

        WriteText(json, "message", frame.Text);
        json.WriteEndObject();
    }

    private static void WriteProperties(Utf8JsonWriter json, FindingGroup group)
    {
        Finding first = group.First;
        json.WriteStartObject("properties");
        json.WriteString("function", first.Function);
        json.WriteString("heap", group.Heap);
        json.WriteNumber("blockCount", group.Count);
        json.WriteNumber("placeCount", group.Places);
        json.WriteNumber("bytes", group.First.IsLeak ? group.Bytes : first.Bytes);
        json.WriteString("address", first.Address);
        json.WriteString("block", first.Block);
        json.WriteNumber("offset", first.Offset);
        json.WriteString("dump", first.Dump);
        json.WriteStartArray("processIds");
        foreach (int process in group.Findings.Select(finding => finding.ProcessId).Distinct())
            json.WriteNumberValue(process);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteText(Utf8JsonWriter json, string name, string text)
    {
        json.WriteStartObject(name);
        json.WriteString("text", text);
        json.WriteEndObject();
    }

    // The sentence of one leak counts its own blocks only.
    private static string MessageOf(FindingGroup group) => group.First.IsLeak && group.Findings.Count > 1
        ? $"{Human.Count(group.Count)} blocks of {Human.Bytes(group.Bytes)} in all, of heap {group.Heap}, were never freed."
        : group.First.Message;

    private static string LevelOf(string kind) => kind == FindingKinds.Leak ? "warning" : "error";

    private static string UriOf(string path) => path.StartsWith('/') ? "file://" + Uri.EscapeDataString(path).Replace("%2F", "/") : Uri.EscapeDataString(path).Replace("%2F", "/");

    /// <summary>The same from run to run: names of functions, no addresses, no lines.</summary>
    private static string FingerprintOf(FindingGroup group)
    {
        IEnumerable<StackFrame> frames = [.. group.First.Caught, .. group.First.Allocated];
        string site = string.Join('\n', [group.Kind, group.First.HeapName, group.First.Function, .. frames.Select(frame => frame.Function ?? Path.GetFileName(frame.Module) ?? "")]);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(site)))[..32];
    }
}

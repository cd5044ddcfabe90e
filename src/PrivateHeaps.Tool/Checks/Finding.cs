using System.Text.Json;

namespace PrivateHeaps.Tool.Checks;

/// <summary>One thing that a check found in one process: a line of the file that PRIVATEHEAPS_CHECK_REPORT names.</summary>
internal sealed record Finding
{
    /// <summary>"overflow", "double-free" and so on; see <see cref="FindingKinds"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>The sentence that was printed to standard error.</summary>
    public string Message { get; init; } = "";

    /// <summary>The function that the program called, or that found it.</summary>
    public string Function { get; init; } = "";

    /// <summary>As text, like 0x7F0012345678.</summary>
    public string Address { get; init; } = "";

    /// <summary>The requested size of the block; of a leak, of all its blocks together.</summary>
    public ulong Bytes { get; init; }

    /// <summary>Blocks of a leak; else 1.</summary>
    public ulong Count { get; init; } = 1;

    /// <summary>Of a leak that stands for several places, how many; else 1.</summary>
    public ulong Places { get; init; } = 1;

    /// <summary>Of a line about what is not reported, how many findings; null for any other, and where it is not known.</summary>
    public ulong? OmittedFindings { get; init; }

    /// <summary>The handle, as text.</summary>
    public string Heap { get; init; } = "";

    /// <summary>Empty for a heap without a name.</summary>
    public string HeapName { get; init; } = "";

    /// <summary>Whether it is the heap behind malloc.</summary>
    public bool IsProcessHeap { get; init; }

    /// <summary>The address of the block, as text.</summary>
    public string Block { get; init; } = "";

    /// <summary>From the start of the block to the first byte in question.</summary>
    public long Offset { get; init; }

    /// <summary>The bytes around it, as hexadecimal digits.</summary>
    public string Dump { get; init; } = "";

    public int ProcessId { get; init; }

    /// <summary>Who allocated the block, the innermost frame first; empty when that was not recorded.</summary>
    public IReadOnlyList<StackFrame> Allocated { get; init; } = [];

    /// <summary>Who freed it.</summary>
    public IReadOnlyList<StackFrame> Freed { get; init; } = [];

    /// <summary>Who made the call in which it was found.</summary>
    public IReadOnlyList<StackFrame> Caught { get; init; } = [];

    public bool IsLeak => Kind == FindingKinds.Leak;

    /// <summary>Null when the line is no finding, as the last one of a process that was killed as it wrote.</summary>
    public static Finding? Parse(string line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement finding = document.RootElement;
            if (finding.ValueKind != JsonValueKind.Object || Text(finding, "kind") is not { Length: > 0 } kind)
                return null;

            return new Finding
            {
                Kind = kind,
                Message = Text(finding, "message"),
                Function = Text(finding, "function"),
                Address = Text(finding, "address"),
                Bytes = Number(finding, "bytes", 0),
                Count = Number(finding, "count", 1),
                Places = Number(finding, "places", 1),
                OmittedFindings = finding.TryGetProperty("findings", out _) ? Number(finding, "findings", 0) : null,
                Heap = Text(finding, "heap"),
                HeapName = Text(finding, "heapName"),
                IsProcessHeap = finding.TryGetProperty("processHeap", out JsonElement process) && process.GetBoolean(),
                Block = Text(finding, "block"),
                Offset = finding.TryGetProperty("offset", out JsonElement offset) && offset.TryGetInt64(out long from) ? from : 0,
                Dump = Text(finding, "dump"),
                ProcessId = (int)Number(finding, "pid", 0),
                Allocated = Frames(finding, "allocated"),
                Freed = Frames(finding, "freed"),
                Caught = Frames(finding, "caught"),
            };
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static string Text(JsonElement finding, string key) => finding.TryGetProperty(key, out JsonElement value) ? value.GetString() ?? "" : "";

    private static ulong Number(JsonElement finding, string key, ulong otherwise) =>
        finding.TryGetProperty(key, out JsonElement value) && value.TryGetUInt64(out ulong number) ? number : otherwise;

    private static StackFrame[] Frames(JsonElement finding, string key) =>
        finding.TryGetProperty(key, out JsonElement frames) ? [.. frames.EnumerateArray().Select(frame => StackFrame.Parse(frame.GetString() ?? ""))] : [];
}

using System.Text.Encodings.Web;
using System.Text.Json;

namespace PrivateHeaps.Tool.Reports;

/// <summary>A report for programs. The names and their meaning are documented in docs/report.md; a change of either changes the version.</summary>
internal static class ReportJson
{
    private const int Version = 1;

    public static void Write(RunReport report, Stream stream)
    {
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        json.WriteNumber("version", Version);
        json.WriteStartArray("commandLine");
        foreach (string argument in report.CommandLine)
            json.WriteStringValue(argument);
        json.WriteEndArray();
        WriteEnding(json, report);
        json.WritePropertyName("program");
        if (report.Main is { } main)
            WriteImage(json, main);
        else
            json.WriteNullValue();
        json.WriteStartArray("others");
        foreach (ProcessImage image in report.Others)
            WriteImage(json, image);
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        stream.Write("\n"u8);
    }

    private static void WriteEnding(Utf8JsonWriter json, RunReport report)
    {
        bool exited = report.Result.Signal == 0;
        json.WriteStartObject("ending");
        json.WriteString("kind", exited ? "exited" : "signaled");
        if (exited)
        {
            json.WriteNumber("exitCode", report.Result.ExitCode);
        }
        else
        {
            json.WriteNumber("signal", report.Result.Signal);
            json.WriteString("signalName", SignalName.Of(report.Result.Signal));
            json.WriteBoolean("coreDumped", report.Result.CoreDumped != 0);
        }

        json.WriteNumber("processId", report.Result.ProcessId);
        json.WriteNumber("wallNanoseconds", report.Result.WallNanoseconds);
        json.WriteNumber("userNanoseconds", report.Result.UserNanoseconds);
        json.WriteNumber("systemNanoseconds", report.Result.SystemNanoseconds);
        json.WriteNumber("peakResidentBytes", report.Result.PeakResidentBytes);
        json.WriteEndObject();
    }

    private static void WriteImage(Utf8JsonWriter json, ProcessImage image)
    {
        json.WriteStartObject();
        json.WriteNumber("processId", image.ProcessId);
        json.WriteNumber("parentProcessId", image.ParentProcessId);
        json.WriteNumber("sequence", image.Sequence);
        json.WriteString("command", image.Command);
        json.WriteNumber("startUnixNanoseconds", image.StartNanoseconds);
        json.WriteString("end", image.End switch
        {
            ImageEnd.Exited => "exited",
            ImageEnd.Replaced => "replaced",
            ImageEnd.Running => "running",
            _ => "killed",
        });
        json.WriteNumber("threadPeak", image.ThreadPeak);
        json.WriteNumber("allocations", image.Allocations);
        json.WriteNumber("frees", image.Frees);
        json.WriteNumber("reallocations", image.Reallocations);
        json.WriteNumber("failedAllocations", image.FailedAllocations);
        json.WriteNumber("bytesInUse", image.BytesInUse);
        json.WriteNumber("peakBytesInUse", image.PeakBytesInUse);
        json.WriteNumber("committedBytes", image.CommittedBytes);
        json.WriteNumber("peakCommittedBytes", image.PeakCommittedBytes);
        json.WriteNumber("reservedBytes", image.ReservedBytes);
        json.WriteNumber("liveBlocks", image.LiveBlocks);
        json.WriteNumber("largestLiveBytes", image.LargestLiveBytes);
        json.WriteBoolean("largestLiveIsExact", image.LargestLiveIsExact);
        json.WritePropertyName("fragmentation");
        if (image.Fragmentation is { } fragmentation)
            json.WriteNumberValue(Math.Round(fragmentation, 6));
        else
            json.WriteNullValue();
        json.WriteStartArray("sizeClasses");
        foreach (SizeClass one in image.SizeClasses)
        {
            json.WriteStartObject();
            json.WriteNumber("fromBytes", one.FromBytes);
            json.WriteNumber("toBytes", one.ToBytes);
            json.WriteNumber("allocated", one.Allocated);
            json.WriteNumber("freed", one.Freed);
            json.WriteNumber("live", one.Live);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}

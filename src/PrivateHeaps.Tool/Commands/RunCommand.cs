using System.CommandLine;
using PrivateHeaps.Tool.Launching;
using PrivateHeaps.Tool.Reports;

namespace PrivateHeaps.Tool.Commands;

/// <summary>"pheap run [--report FILE.json] -- PROGRAM ARGS": runs a program on the heap, ends as it ended, and reports what it did with the heap.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var report = new Option<FileInfo?>("--report") { Description = "Also writes the report to this file, as JSON.", HelpName = "FILE.json" };
        Argument<string[]> program = GuestProgram.CreateArgument();
        var command = new Command("run", "Runs a program on the heap and prints a report when it ends: pheap run [--report FILE.json] -- PROGRAM ARGS") { report, program };
        command.SetAction(parsed => Run(parsed, parsed.GetValue(program) ?? [], parsed.GetValue(report)));
        return command;
    }

    private static int Run(ParseResult parsed, string[] program, FileInfo? reportFile)
    {
        if (!GuestProgram.IsReady(parsed, program, "run"))
            return ExitCode.OwnFailure;

        try
        {
            // Opened before the program runs, so that a hopeless name does not cost a long run.
            using FileStream? json = reportFile?.Open(FileMode.Create, FileAccess.Write, FileShare.ReadWrite);
            using var directory = new CensusDirectory();
            LaunchResult result = Launcher.Launch(program.Length, directory.Library(Installation.MallocLibrary), [$"PRIVATEHEAPS_CENSUS={directory.Path}"]);
            if (result.Error != 0)
                return GuestProgram.Refuse(program[0], result);

            Report(new RunReport(program, result, directory.ReadImages()), json);
            return GuestProgram.End(result, directory);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Complaint.Print(error.Message);
            return ExitCode.OwnFailure;
        }
    }

    /// <summary>A report that cannot be written does not change how the program ended.</summary>
    private static void Report(RunReport report, FileStream? json)
    {
        ReportStyle style = ReportStyle.OfStandardError();

        // Spectre.Console asks .NET about the console, and .NET would then send the terminal that TERM names a sequence of its own.
        Environment.SetEnvironmentVariable("TERM", null);
        Complaint.Write(ReportText.Render(report, style));
        if (json is null)
            return;

        try
        {
            ReportJson.Write(report, json);
            json.Dispose();
        }
        catch (IOException error)
        {
            Complaint.Print($"the JSON report is incomplete: {error.Message}");
        }
    }
}

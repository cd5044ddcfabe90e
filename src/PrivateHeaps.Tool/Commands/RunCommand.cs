using System.CommandLine;
using System.CommandLine.Parsing;
using PrivateHeaps.Tool.Launching;
using PrivateHeaps.Tool.Reports;

namespace PrivateHeaps.Tool.Commands;

/// <summary>
/// "pheap run [--report FILE.json] -- PROGRAM ARGS": runs a program on the heap, ends as it ended, and reports what it did with the heap.
/// Failures of pheap itself end with the codes that env and timeout have for them.
/// </summary>
internal static class RunCommand
{
    private const int OwnFailure = 125;
    private const int CannotExecute = 126;
    private const int NotFound = 127;
    private const int SignalBase = 128;

    public static Command Create()
    {
        var report = new Option<FileInfo?>("--report") { Description = "Also writes the report to this file, as JSON.", HelpName = "FILE.json" };
        var program = new Argument<string[]>("PROGRAM ARGS")
        {
            Description = "The program and its arguments, after --.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var command = new Command("run", "Runs a program on the heap and prints a report when it ends: pheap run [--report FILE.json] -- PROGRAM ARGS") { report, program };
        command.SetAction(parsed => Run(parsed, parsed.GetValue(program) ?? [], parsed.GetValue(report)));
        return command;
    }

    private static int Run(ParseResult parsed, string[] program, FileInfo? reportFile)
    {
        // The launcher takes the program's arguments from the end of the command line, so nothing of pheap's own may stand among them.
        int afterDashes = parsed.Tokens.Reverse().TakeWhile(token => token.Type != TokenType.DoubleDash).Count();
        if (program.Length == 0 || afterDashes != program.Length)
        {
            Complaint.Print("which program? Write it after --, as in: pheap run -- ls -l");
            return OwnFailure;
        }

        if (!File.Exists(Installation.MallocLibrary))
        {
            Complaint.Print($"{Installation.MallocLibrary} is not built.");
            return OwnFailure;
        }

        try
        {
            // Opened before the program runs, so that a hopeless name does not cost a long run.
            using FileStream? json = reportFile?.Open(FileMode.Create, FileAccess.Write, FileShare.ReadWrite);
            using var directory = new CensusDirectory();
            LaunchResult result = Launcher.Launch(program.Length, directory.Library(Installation.MallocLibrary), directory.Path);
            if (result.Error != 0)
                return Refuse(program[0], result);

            Report(new RunReport(program, result, directory.ReadImages()), json);
            return result.Signal == 0 ? result.ExitCode : End(directory, result.Signal);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Complaint.Print(error.Message);
            return OwnFailure;
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

    private static int Refuse(string program, LaunchResult result)
    {
        if (result.ProcessId == 0)
        {
            Complaint.Print($"no process for {program}: {result.ErrorText}.");
            return OwnFailure;
        }

        if (result.Error != LaunchResult.NoSuchFile)
        {
            Complaint.Print($"{program} cannot be executed: {result.ErrorText}.");
            return CannotExecute;
        }

        Complaint.Print(program.Contains('/') && File.Exists(program)
            ? $"{program} is there, but the interpreter that it names is not."
            : $"{program} was not found.");
        return NotFound;
    }

    private static int End(CensusDirectory directory, int signal)
    {
        directory.Dispose();
        Launcher.Die(signal);
        return SignalBase + signal;
    }
}

using System.CommandLine;
using PrivateHeaps.Tool.Checks;
using PrivateHeaps.Tool.Launching;
using PrivateHeaps.Tool.Reports;

namespace PrivateHeaps.Tool.Commands;

/// <summary>
/// "pheap check [options] -- PROGRAM ARGS": runs a program on checked heaps and lists what was found in it, its children included. Ends with
/// <see cref="ExitCode.Found"/> when there is something, else as the program ended.
/// </summary>
internal static class CheckCommand
{
    public static Command Create()
    {
        var checks = new Option<string?>("--checks")
        {
            Description = $"Which checks to make, by their names in gflags, instead of {CheckList.Default}: htc (tails), hfc (freed memory), hpc (parameters), hvc (validate "
                + "on each call), hpa (page heap; hpa=before: the page in front), ust (stacks), quarantine=BYTES, sample or sample=N (one block in N on guard pages), leaks, continue, all.",
            HelpName = "LIST",
        };
        var pageHeap = new Option<bool>("--page-heap") { Description = "Each block against a page that cannot be accessed, so that the very access stops the program." };
        var leaks = new Option<bool>("--leaks") { Description = "Also lists the blocks that are still allocated at the end, by heap and place." };
        var goesOn = new Option<bool>("--continue") { Description = "Lets the program go on after a finding where that is possible." };
        var report = new Option<FileInfo?>("--report") { Description = "Also writes the findings to this file, as SARIF 2.1.0.", HelpName = "FILE.sarif" };
        Argument<string[]> program = GuestProgram.CreateArgument();
        var command = new Command("check", "Runs a program on checked heaps and lists what was found in it: pheap check [options] -- PROGRAM ARGS")
        {
            checks, pageHeap, leaks, goesOn, report, program,
        };
        command.SetAction(parsed =>
        {
            string? list = CheckList.Create(parsed.GetValue(checks), parsed.GetValue(pageHeap), parsed.GetValue(leaks), parsed.GetValue(goesOn), out string error);
            if (list is not null && GuestProgram.IsReady(parsed, parsed.GetValue(program) ?? [], "check"))
                return Check(parsed.GetValue(program) ?? [], list, parsed.GetValue(report));

            if (error.Length > 0)
                Complaint.Print(error);
            return ExitCode.OwnFailure;
        });
        return command;
    }

    private static int Check(string[] program, string checks, FileInfo? reportFile)
    {
        try
        {
            // Opened before the program runs, so that a hopeless name does not cost a long run.
            using FileStream? sarif = reportFile?.Open(FileMode.Create, FileAccess.Write, FileShare.ReadWrite);
            using var directory = new FindingDirectory();
            string[] settings = [$"PRIVATEHEAPS_CHECK={checks}", $"PRIVATEHEAPS_CHECK_REPORT={directory.File}"];
            LaunchResult result = Launcher.Launch(program.Length, directory.Library(Installation.MallocLibrary), settings);
            if (result.Error != 0)
                return GuestProgram.Refuse(program[0], result);

            // Neither the report nor a symbolizer may bring .NET to send the terminal that TERM names a sequence of its own.
            ReportStyle style = ReportStyle.OfStandardError();
            Environment.SetEnvironmentVariable("TERM", null);
            FindingFile file = directory.Read();
            var report = new CheckReport(program, result, file, Symbolizer.Resolve(file.Findings));
            Complaint.Write(CheckText.Render(report, style));
            WriteSarif(report, sarif);
            return report.Groups.Count > 0 ? ExitCode.Found : GuestProgram.End(result, directory);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Complaint.Print(error.Message);
            return ExitCode.OwnFailure;
        }
    }

    /// <summary>A report that cannot be written does not change what was found.</summary>
    private static void WriteSarif(CheckReport report, FileStream? sarif)
    {
        if (sarif is null)
            return;

        try
        {
            CheckSarif.Write(report, Environment.CurrentDirectory, sarif);
            sarif.Dispose();
        }
        catch (IOException error)
        {
            Complaint.Print($"the SARIF report is incomplete: {error.Message}");
        }
    }
}

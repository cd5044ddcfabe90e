using System.CommandLine;
using System.CommandLine.Parsing;
using PrivateHeaps.Tool.Launching;

namespace PrivateHeaps.Tool.Commands;

/// <summary>The program that a command line names after --: how it is read, started, and ended after.</summary>
internal static class GuestProgram
{
    public static Argument<string[]> CreateArgument() => new("PROGRAM ARGS")
    {
        Description = "The program and its arguments, after --.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    /// <summary>Whether the program can be started; says why when not.</summary>
    public static bool IsReady(ParseResult parsed, string[] program, string command)
    {
        // The launcher takes the program's arguments from the end of the command line, so nothing of pheap's own may stand among them.
        int afterDashes = parsed.Tokens.Reverse().TakeWhile(token => token.Type != TokenType.DoubleDash).Count();
        if (program.Length == 0 || afterDashes != program.Length)
        {
            Complaint.Print($"which program? Write it after --, as in: pheap {command} -- ls -l");
            return false;
        }

        if (!File.Exists(Installation.MallocLibrary))
        {
            Complaint.Print($"{Installation.MallocLibrary} is not built.");
            return false;
        }

        return true;
    }

    /// <summary>Says why the program did not start; returns the exit code for that.</summary>
    public static int Refuse(string program, LaunchResult result)
    {
        if (result.ProcessId == 0)
        {
            Complaint.Print($"no process for {program}: {result.ErrorText}.");
            return ExitCode.OwnFailure;
        }

        if (result.Error != LaunchResult.NoSuchFile)
        {
            Complaint.Print($"{program} cannot be executed: {result.ErrorText}.");
            return ExitCode.CannotExecute;
        }

        Complaint.Print(program.Contains('/') && File.Exists(program)
            ? $"{program} is there, but the interpreter that it names is not."
            : $"{program} was not found.");
        return ExitCode.NotFound;
    }

    /// <summary>Ends as the program ended: returns its exit code, or dies by its signal after the directory is removed.</summary>
    public static int End(LaunchResult result, IDisposable directory)
    {
        if (result.Signal == 0)
            return result.ExitCode;

        directory.Dispose();
        Launcher.Die(result.Signal);
        return ExitCode.SignalBase + result.Signal;
    }
}

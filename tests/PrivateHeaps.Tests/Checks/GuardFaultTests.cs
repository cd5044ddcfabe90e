using System.Diagnostics;
using System.Text.RegularExpressions;
using PrivateHeaps.Checks;

namespace PrivateHeaps.Tests.Checks;

/// <summary>Accesses to guard pages in a .NET process: they are told by whom and of which block, and then the runtime ends the process. All others are the runtime's alone.</summary>
public sealed partial class GuardFaultTests
{
    private const string Overrun = "privateheaps: the 4096 bytes at 0x* of heap 'guarded' were overrun: the program read from 0x*";
    private const string Caught = "caught by:\n    *GuardFaultScenarios.";
    private const string Allocated = "allocated by:\n    *GuardFaultScenarios.AllocateHere *";
    private const string End = "Process terminated.*privateheaps: the 4096 bytes at 0x*HeapCorruptionException: the 4096 bytes at*";

    /// <summary>What the child does, standard output, standard error with * for any text.</summary>
    public static TheoryData<string, string, string> Faults => new()
    {
        { "read behind, where exceptions are caught", "", $"{Overrun}, right behind their end.\n{Caught}ReadHere *{Allocated}\n  0x*: 41 41*{End}" },
        { "write after free, in the thread pool", "", $"privateheaps: the 4096 bytes at 0x* of heap 'guarded' were written to after they were freed: the program wrote to 0x*, at offset 20.\n{Caught}WriteHere *{Allocated}freed by:\n    *GuardFaultScenarios.Run *{End}" },
        { "write in front, by the framework", "", $"privateheaps: the 4096 bytes at 0x* of heap 'guarded' were underrun: the program wrote to 0x*, 8 bytes in front of them.\ncaught by:\n    System.SpanHelpers.Fill*GuardFaultScenarios.Run *{Allocated}{End}" },
        { "read behind, by native code", "", $"{Overrun}, right behind their end.\n{Caught}StringLength*GuardFaultScenarios.Run *{Allocated}{End}" },
        { "read behind, on a thread of native code", "", $"{Overrun}, right behind their end.\n{Caught}ReadHere *{Allocated}{End}" },
        { "read behind, by native code on a thread of its own", "", $"{Overrun}, right behind their end.\n{Allocated}{End}" },
        { "read behind, beside a thread that collects garbage", "", $"{Overrun}, 3 bytes behind their end.\n{Caught}ReadHere *{Allocated}{End}" },
        { "read behind, listening", "told overflow of 4096 bytes at 4096 by the thread\n", $"*{End}" },
        { "read behind, listening and reading again", "", "Process terminated.*privateheaps: Attempted to read or write protected memory at 0x*" },
        { "read behind, listening and throwing", "", "Process terminated.*privateheaps: Attempted to read or write protected memory at 0x*InvalidOperationException: listener*" },
        { "read behind, eight threads at once", "", $"{Overrun}, *{Caught}ReadHere *{Allocated}{End}" },
        { "read what was never mapped", "", "Fatal error.*AccessViolationException: *GuardFaultScenarios.ReadHere*" },
        { "overflow the stack", "", "Stack overflow.*GuardFaultScenarios.OverflowStack*" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void An_access_to_a_guard_page_is_told_and_ends_the_process_and_others_are_the_runtimes(string fault, string output, string errors)
    {
        (int ExitCode, string Output, string Errors) child = Child.Run(null, nameof(GuardFaultScenarios), fault);
        Assert.Matches($"^{Regex.Escape(errors).Replace(@"\*", "(?s:.*?)", StringComparison.Ordinal)}$", child.Errors);
        Assert.Equal((134, output), (child.ExitCode, child.Output));
    }

    [Fact]
    public void The_environment_has_accesses_told_of_any_heap()
    {
        (int exitCode, _, string errors) = Child.Run(("PRIVATEHEAPS_CHECK", "sample=1"), nameof(CheckScenarios), nameof(HeapChecks.None), "read after free");
        Assert.Matches("^privateheaps: the 40 bytes at 0x[0-9A-F]+ of heap 'checked' were read after they were freed: the program read from 0x[0-9A-F]+, at offset 8.\n", errors);
        Assert.Equal(134, exitCode);
    }

    [Fact]
    public void Null_references_stay_exceptions()
    {
        Assert.Equal((0, "caught all\n", ""), Child.Run(null, nameof(GuardFaultScenarios), "null references"));
    }

    [Fact]
    public void The_machine_code_is_that_of_its_listing()
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            string[] lines = [.. File.ReadLines(Repository.PathTo("src", "PrivateHeaps", "Platform", "Managed", "LinuxFaults.cs")).SkipWhile(line => !line.Contains("> Code =>", StringComparison.Ordinal)).Skip(2).TakeWhile(line => line.Trim() != "];")];
            string bytes = string.Concat(lines.SelectMany(line => Bytes().Matches(line.Split("//")[0])).Select(match => match.Groups[1].Value));
            string source = Path.Combine(folder, "code.s"), code = Path.Combine(folder, "code");
            File.WriteAllLines(source, [".intel_syntax noprefix", ".set data, code + 4096", "code:", .. lines.Select(line => line.Split("//")[1])]);
            Run("gcc", "-nostdlib", "-static", "-Wl,-Ttext=0,-ecode,--oformat=binary,--build-id=none", "-o", code, source);
            Assert.Equal(Convert.ToHexString(File.ReadAllBytes(code)), bytes);
            Assert.InRange(bytes.Length, 200, 1000);
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    private static void Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    [GeneratedRegex("0x([0-9A-F]{2}),")]
    private static partial Regex Bytes();
}

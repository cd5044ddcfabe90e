using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Win32;

/// <summary>How the <see cref="HeapContract"/> is chosen, and what it changes. Each case has a process of its own.</summary>
public sealed class ContractTests
{
    private const string Variable = "PRIVATEHEAPS_CONTRACT";

    [Theory]
    [InlineData(null, "Documented")]
    [InlineData("", "Documented")]
    [InlineData("documented", "Documented")]
    [InlineData("observed", "Observed")]
    public void The_environment_chooses_the_contract(string? value, string contract)
    {
        (int exitCode, string output, string errors) = Child.Run(value == null ? null : (Variable, value), nameof(ContractScenarios.PrintContract));
        Assert.Equal((0, contract + "\n", ""), (exitCode, output, errors));
    }

    [Fact]
    public void A_wrong_value_is_named_and_the_default_holds()
    {
        (int exitCode, string output, string errors) = Child.Run((Variable, "Observd"), nameof(ContractScenarios.PrintContract));
        Assert.Equal((0, "Documented\n"), (exitCode, output));
        Assert.Equal("privateheaps: PRIVATEHEAPS_CONTRACT is 'Observd', which is neither 'documented' nor 'observed'; 'documented' is in force.\n", errors);
    }

    [Theory]
    [InlineData("true", "Observed")]
    [InlineData("false", "Documented")]
    public void The_AppContext_switch_goes_before_the_environment(string isObserved, string contract)
    {
        (int exitCode, string output, _) = Child.Run((Variable, isObserved == "true" ? "documented" : "observed"), nameof(ContractScenarios.PrintSwitched), isObserved);
        Assert.Equal((0, contract + "\n"), (exitCode, output));
    }

    [Fact]
    public void The_programs_own_choice_goes_before_all()
    {
        (_, string output, _) = Child.Run((Variable, "observed"), nameof(ContractScenarios.PrintFailures), "Documented");
        Assert.StartsWith("alloc: refused, untouched\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Documented_is_what_the_documents_say()
    {
        (_, string output, string errors) = Child.Run(null, nameof(ContractScenarios.PrintFailures), "Documented");
        Assert.Equal("", errors);
        Assert.Equal(
            """
            alloc: refused, untouched
            alloc in no heap: refused, untouched
            realloc: refused, untouched
            realloc in place: refused, untouched
            size: refused, untouched
            largest of 16 MiB: 524279
            largest of 256 KiB: 262128
            region: 4194304, overhead True, committed 4194304, uncommitted 0

            """,
            output);
    }

    [Fact]
    public void Observed_is_what_Windows_does()
    {
        (_, string output, string errors) = Child.Run(null, nameof(ContractScenarios.PrintFailures), "Observed");
        Assert.Equal("", errors);
        Assert.Equal(
            """
            alloc: refused, 8
            alloc in no heap: refused, 6
            realloc: refused, 8
            realloc in place: refused, 8
            size: refused, 87
            largest of 16 MiB: 1044440
            largest of 256 KiB: 260096
            region: 4080, overhead False, committed 8192, uncommitted 57344

            """,
            output);
    }

    [Fact]
    public void The_contract_is_fixed_once_a_heap_was_created()
    {
        (int exitCode, string output, _) = Child.Run(null, nameof(ContractScenarios.ChooseLate));
        Assert.Equal((0, "Heaps were created under the contract Documented already; choose before the first one.\nDocumented\n"), (exitCode, output));
    }

    [Theory]
    [InlineData("HeapCreate")]
    [InlineData("HeapAlloc")]
    [InlineData("HeapAlloc, refused")]
    [InlineData("GlobalAlloc")]
    [InlineData("VirtualAlloc")]
    [InlineData("GetSystemInfo")]
    public void The_first_call_of_a_process_leaves_the_last_error_alone(string function)
    {
        (_, string output, string errors) = Child.Run(null, nameof(ContractScenarios.PrintErrorOfFirstCall), function);
        Assert.Equal(("12345\n", ""), (output, errors));
    }

    [Fact]
    public void There_are_two_contracts() => Assert.Throws<ArgumentOutOfRangeException>(() => HeapApi.Contract = 0);
}

namespace PrivateHeaps.Tests.Structure;

/// <summary>
/// The proof that the native libraries run without the .NET runtime: from no function that is exported, or that the shim calls when the process starts, ends or forks, does any path of calls lead to a runtime
/// helper. The helpers are not even linked; what the compiled framework refers to are traps, and no trap is reachable.
/// </summary>
public sealed class FreestandingTests
{
    /// <summary>The C library's functions that the shim and the engine may call.</summary>
    private static readonly HashSet<string> s_allowedImports =
    [
        "__cxa_finalize", "__environ", "environ", "__errno_location", "__register_atfork", "__tls_get_addr", "abort", "clock_gettime", "dl_iterate_phdr", "dlsym", "fprintf",
        "getauxval", "getenv", "getrlimit", "longjmp", "memmove", "memset", "memcpy", "pthread_key_create", "pthread_setspecific", "sched_getcpu", "sigaction", "strcmp", "syscall", "vsnprintf",
    ];

    public static TheoryData<string> Libraries => ["libprivateheaps.so", "libprivateheaps-malloc.so"];

    [Theory]
    [MemberData(nameof(Libraries))]
    public void No_exported_function_reaches_a_runtime_helper(string library)
    {
        Disassembly code = new(Repository.PathTo("out", "native", library));
        Dictionary<string, string> reachable = code.ReachableFrom(code.EntryPoints);
        IEnumerable<string> helpers = reachable
            .Where(found => code.IsTrap(found.Key) || found.Key.StartsWith("Rhp", StringComparison.Ordinal))
            .Select(found => PathTo(reachable, found.Key));
        Assert.Empty(helpers);
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void The_walk_goes_through_the_engine(string library)
    {
        Disassembly code = new(Repository.PathTo("out", "native", library));
        Dictionary<string, string> reachable = code.ReachableFrom(code.EntryPoints);
        string[] expected = ["Heap__AllocateSlow", "Heap__FreeSlow", "Magazine__Refill", "Region__Create", "RunMap__Find", "Heap__Destroy", "LinuxOs__Commit"];
        Assert.All(expected, name => Assert.Contains(reachable.Keys, function => function.EndsWith(name, StringComparison.Ordinal)));
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void The_check_would_find_a_helper(string library)
    {
        // The framework code that lies in the library unused does refer to the runtime: started there, the same walk must find traps.
        Disassembly code = new(Repository.PathTo("out", "native", library));
        Dictionary<string, string> all = code.ReachableFrom(code.AllFunctions.Where(name => name.StartsWith("S_P_CoreLib", StringComparison.Ordinal)));
        Assert.Contains(all.Keys, code.IsTrap);
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void The_library_needs_nothing_but_the_C_library(string library)
    {
        IEnumerable<string> strange = Disassembly.StrongImports(Repository.PathTo("out", "native", library)).Where(name => !s_allowedImports.Contains(name));
        Assert.Empty(strange);
    }

    private static string PathTo(Dictionary<string, string> reachable, string function)
    {
        string path = function;
        for (string caller = reachable[function]; caller.Length != 0; caller = reachable[caller])
        {
            path = $"{caller} -> {path}";
        }

        return path;
    }
}

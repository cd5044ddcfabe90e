namespace PrivateHeaps.Tests.Structure;

/// <summary>
/// The proof that the native libraries run without the .NET runtime and its framework. The linker gives it: each function is a section of its own, only what the exports reach is taken, and what is
/// taken must be there. So nothing of the runtime is reached if nothing of it is in a library or wanted from outside.
/// </summary>
public sealed class FreestandingTests
{
    /// <summary>The C library's functions that the shim and the engine may call.</summary>
    private static readonly HashSet<string> s_allowedImports =
    [
        "__cxa_finalize", "__environ", "environ", "__errno_location", "__register_atfork", "__tls_get_addr", "abort", "clock_gettime", "dl_iterate_phdr", "dlsym", "fprintf",
        "getauxval", "getcpu", "getenv", "getrlimit", "longjmp", "memmove", "memset", "memcpy", "pthread_key_create", "pthread_setspecific", "sched_getcpu", "sigaction", "strcmp", "syscall", "vsnprintf",
    ];

    /// <summary>How the compiler begins the names of the runtime's functions, of what is in the framework's assemblies, and of the tables that objects have.</summary>
    private static readonly string[] s_prefixesOfOthers = ["Rh", "S_P_", "System_", "_ZTV", "__Array", "__GCSTATICS", "__THREADSTATIC", "unbox_"];

    public static string[] Names => ["libprivateheaps.so", "libprivateheaps-malloc.so"];

    public static TheoryData<string> Libraries => [.. Names];

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Nothing_of_the_framework_is_in_the_library(string library)
    {
        IEnumerable<string> others = new SharedLibrary(library).Contents.Where(name => s_prefixesOfOthers.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal)));
        Assert.Empty(others);
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void The_library_needs_nothing_but_the_C_library(string library)
    {
        IEnumerable<string> strange = new SharedLibrary(library).StrongImports.Where(name => !s_allowedImports.Contains(name));
        Assert.Empty(strange);
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void The_engine_is_in_the_library(string library)
    {
        string[] expected = ["Heap__AllocateSlow", "Heap__FreeSlow", "Magazine__Refill", "Region__Create", "RunMap__Find", "Heap__Destroy", "LinuxOs__Commit"];
        List<string> contents = [.. new SharedLibrary(library).Contents];
        Assert.All(expected, name => Assert.Contains(contents, function => function.EndsWith(name, StringComparison.Ordinal)));
    }

    [Fact]
    public void The_linker_refuses_code_that_needs_the_runtime()
    {
        // What the compiler adds to every type, such as the comparison of boxed values, does need it, and is in the object file. Linked with all that nobody calls, the object must be refused.
        string compiled = Directory.EnumerateFiles(Repository.PathTo("src", "PrivateHeaps.Native", "obj", "Release"), "PrivateHeaps.Native.o", SearchOption.AllDirectories)
            .MaxBy(File.GetLastWriteTimeUtc) ?? throw new FileNotFoundException("The engine was not compiled: run src/PrivateHeaps.Native/build.");
        string library = Path.GetTempFileName();
        (int exitCode, string output) = SharedLibrary.Run("gcc", "-shared", "-nostdlib", "-o", library, compiled, "-Wl,-z,defs");
        File.Delete(library);
        Assert.NotEqual(0, exitCode);
        Assert.Matches("undefined reference to [`']Rh", output);
    }
}

using System.Runtime.InteropServices;

namespace PrivateHeaps.Tool.Launching;

/// <summary>The door to native/launch.c. Call each method once at most, from the first thread.</summary>
internal static partial class Launcher
{
    private const string Library = "libpheap-launch";

    /// <summary>
    /// Runs the program that the last <paramref name="argumentCount"/> arguments of this process name, with the library preloaded and the settings,
    /// each NAME=value, in its environment, and returns when it has ended. Meanwhile signals sent to this process reach the program.
    /// </summary>
    public static LaunchResult Launch(int argumentCount, string library, string[] settings)
    {
        Launch(argumentCount, library, [.. settings, null], out LaunchResult result);
        return result;
    }

    /// <summary>Ends this process by a signal, without a core file; returns if that signal does not end a process.</summary>
    [LibraryImport(Library, EntryPoint = "pheap_die")]
    public static partial void Die(int signal);

    [LibraryImport(Library, EntryPoint = "pheap_launch", StringMarshalling = StringMarshalling.Utf8)]
    private static partial void Launch(int argumentCount, string library, string?[] settings, out LaunchResult result);
}

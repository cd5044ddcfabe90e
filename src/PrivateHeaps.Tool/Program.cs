using System.CommandLine;
using PrivateHeaps.Tool.Commands;

namespace PrivateHeaps.Tool;

/// <summary>The command line "pheap".</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        var root = new RootCommand("Runs programs on a private heap written in C#, and shows what they did with it.")
        {
            RunCommand.Create(),
            CheckCommand.Create(),
            PathCommand.Create(),
        };

        // A program may have arguments that begin with @, and signals are the business of native/launch.c alone.
        var parser = new ParserConfiguration { ResponseFileTokenReplacer = null };
        var invocation = new InvocationConfiguration { ProcessTerminationTimeout = null };
        return root.Parse(arguments, parser).Invoke(invocation);
    }
}

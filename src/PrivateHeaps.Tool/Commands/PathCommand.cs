using System.CommandLine;

namespace PrivateHeaps.Tool.Commands;

/// <summary>"pheap path malloc|heap|include": where a built part lies, for LD_PRELOAD, for linking, for -I.</summary>
internal static class PathCommand
{
    public static Command Create() => new("path", "Prints where a built part lies.")
    {
        Part("malloc", "The library for LD_PRELOAD: malloc and its relatives.", Installation.MallocLibrary),
        Part("heap", "The library to link with or to load: the Win32 heap functions.", Installation.HeapLibrary),
        Part("include", "The directory of windows.h and heapapi.h, for -I.", Installation.IncludeDirectory),
    };

    private static Command Part(string name, string description, string path)
    {
        var command = new Command(name, description);
        command.SetAction(_ => Print(path));
        return command;
    }

    private static int Print(string path)
    {
        if (Path.Exists(path))
        {
            Console.Out.WriteLine(path);
            return 0;
        }

        Complaint.Print($"{path} is not built.");
        return 1;
    }
}

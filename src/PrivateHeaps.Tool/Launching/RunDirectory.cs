namespace PrivateHeaps.Tool.Launching;

/// <summary>A directory, private to one run, where the process images of the program leave what they have to say. Disposing removes it.</summary>
internal class RunDirectory : IDisposable
{
    private const string SharedMemory = "/dev/shm";

    /// <summary>In memory where the system has a place for that, so that no program waits for a disk.</summary>
    public RunDirectory() => Path = Directory.Exists(SharedMemory) ? Create(SharedMemory) : Create(System.IO.Path.GetTempPath());

    public string Path { get; }

    /// <summary>A name of the library that LD_PRELOAD can hold: it takes spaces and colons for the end of a name.</summary>
    public string Library(string path)
    {
        if (!path.AsSpan().ContainsAny(' ', ':'))
            return path;

        string link = System.IO.Path.Combine(Path, System.IO.Path.GetFileName(path));
        File.CreateSymbolicLink(link, path);
        return link;
    }

    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (IOException)
        {
            // Removed already, or a process that outlives the program has just made a file: at worst a small directory stays behind.
        }
    }

    private static string Create(string parent)
    {
        string path = System.IO.Path.Combine(parent, $"pheap-{Environment.ProcessId}-{Guid.NewGuid():N}");
        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }
}

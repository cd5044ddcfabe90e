using System.Runtime.InteropServices;
using PrivateHeaps.Heaps;

namespace PrivateHeaps.Tool.Reports;

/// <summary>The directory, private to one run, where each process image of the program keeps its <see cref="Census"/>. Disposing removes it.</summary>
internal sealed class CensusDirectory : IDisposable
{
    private const string SharedMemory = "/dev/shm";

    /// <summary>In memory where the system has a place for that, so that the counters never wait for a disk.</summary>
    public CensusDirectory() => Path = Directory.Exists(SharedMemory) ? Create(SharedMemory) : Create(System.IO.Path.GetTempPath());

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

    /// <summary>The process images that used the heap, in the order of their beginning. Files that no image completed are left out.</summary>
    public List<ProcessImage> ReadImages()
    {
        var images = new List<ProcessImage>();
        var imageCounts = new Dictionary<int, int>();
        foreach (Census census in Directory.EnumerateFiles(Path).SelectMany(Read).OrderBy(census => census.StartNanoseconds))
        {
            int sequence = imageCounts.GetValueOrDefault(census.ProcessId);
            imageCounts[census.ProcessId] = sequence + 1;
            images.Add(new ProcessImage(census, sequence));
        }

        return images;
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

    private static IEnumerable<Census> Read(string file)
    {
        // The link to the library may lie among the files.
        if (File.ResolveLinkTarget(file, returnFinalTarget: false) is null && MemoryMarshal.TryRead(File.ReadAllBytes(file), out Census census)
            && census.Magic == Census.MagicValue)
            yield return census;
    }

    private static string Create(string parent)
    {
        string path = System.IO.Path.Combine(parent, $"pheap-{Environment.ProcessId}-{Guid.NewGuid():N}");
        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }
}

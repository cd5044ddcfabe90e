using System.Runtime.InteropServices;
using PrivateHeaps.Heaps;
using PrivateHeaps.Tool.Launching;

namespace PrivateHeaps.Tool.Reports;

/// <summary>The directory where each process image of the program keeps its <see cref="Census"/>.</summary>
internal sealed class CensusDirectory : RunDirectory
{
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

    private static IEnumerable<Census> Read(string file)
    {
        // The link to the library may lie among the files.
        if (File.ResolveLinkTarget(file, returnFinalTarget: false) is null && MemoryMarshal.TryRead(File.ReadAllBytes(file), out Census census)
            && census.Magic == Census.MagicValue)
            yield return census;
    }
}

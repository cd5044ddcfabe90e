namespace PrivateHeaps.Tests.Conformance;

/// <summary>Numbers that are no handle of a living heap, other than 0, which each function answers in its own way.</summary>
internal static class BadHandles
{
    /// <summary>Runs a test with each and names the one that fails it.</summary>
    public static void ForEach(IHeapFace face, Func<nint, bool> refuses)
    {
        nint destroyed = face.HeapCreate(0, 0, 0);
        Assert.True(face.HeapDestroy(destroyed));
        using HeapUnderTest neighbor = new(face);
        List<(string Kind, nint Handle)> handles =
        [
            ("destroyed", destroyed),
            ("invented", 0x1234),
            ("-1", -1),
            ("the highest positive", nint.MaxValue),
            ("an address", unchecked((nint)0x7FFF_1234_5000)),
        ];
        for (int bit = 24; bit < 63; bit++)
        {
            handles.Add(($"another generation (bit {bit})", neighbor.Handle ^ ((nint)1 << bit)));
        }

        foreach ((string kind, nint handle) in handles)
        {
            Assert.True(refuses(handle), $"A handle that is {kind} (0x{handle:X}) was not refused as it should be.");
        }
    }
}

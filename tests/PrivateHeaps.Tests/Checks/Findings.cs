using PrivateHeaps.Checks;

namespace PrivateHeaps.Tests.Checks;

/// <summary>Hears what the checks of all heaps find, while it lives.</summary>
internal sealed class Findings : IDisposable
{
    public Findings() => PrivateHeap.Finding += Hear;

    public List<HeapFindingEventArgs> Heard { get; } = [];

    public void Dispose() => PrivateHeap.Finding -= Hear;

    private void Hear(object? sender, HeapFindingEventArgs finding) => Heard.Add(finding);
}

namespace PrivateHeaps.Tests.Conformance;

/// <summary>One entry of a walk, whichever face made it.</summary>
public readonly record struct Entry(HeapEntryKind Kind, nint Address, nuint Size, nuint Overhead, int Region);

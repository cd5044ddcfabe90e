namespace PrivateHeaps.Tests.Conformance;

/// <summary>The sums that a heap reports of itself, in bytes.</summary>
public readonly record struct Sizes(nuint Allocated, nuint Committed, nuint Reserved, nuint MaximumReserve);

namespace PrivateHeaps.Tool.Checks;

/// <summary>A kind of finding.</summary>
/// <param name="Id">As in the engine's lines, and the id of the SARIF rule.</param>
/// <param name="Name">The name of the SARIF rule.</param>
/// <param name="Description">What has happened, in one sentence.</param>
/// <param name="Help">What to do about it.</param>
internal sealed record FindingKind(string Id, string Name, string Description, string Help);

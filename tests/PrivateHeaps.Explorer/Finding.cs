namespace PrivateHeaps.Explorer;

/// <summary>What a schedule has shown to be wrong.</summary>
internal sealed class Finding(string sentence) : Exception(sentence)
{
    public static void Unless(bool holds, string sentence)
    {
        if (!holds)
        {
            throw new Finding(sentence);
        }
    }
}

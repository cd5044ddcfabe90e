using System.Text;

namespace PrivateHeaps.Tool;

/// <summary>Sentences of pheap itself on the standard error stream, told apart from the program's own by their beginning.</summary>
internal static class Complaint
{
    public static void Print(string sentence) => Write($"pheap: {sentence}\n");

    /// <summary>Writes to the standard error stream; a stream that is closed or full is no reason to change how pheap ends.</summary>
    public static void Write(string text)
    {
        try
        {
            // Not Console.Error: it would set up the terminal, which belongs to the program.
            using Stream error = Console.OpenStandardError();
            error.Write(Encoding.UTF8.GetBytes(text));
        }
        catch (IOException)
        {
        }
    }
}

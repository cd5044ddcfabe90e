using Spectre.Console;
using Spectre.Console.Rendering;

namespace PrivateHeaps.Tool.Reports;

/// <summary>What the reports for people share: a console that writes into a text, and tables without lines.</summary>
internal static class TextTable
{
    // Lines are as long as they are; the terminal breaks them where it must.
    private const int Width = 1000;

    /// <summary>What the writer prints, as a text that ends with a line.</summary>
    public static string Render(ReportStyle style, Action<IAnsiConsole> write)
    {
        using var text = new StringWriter { NewLine = "\n" };
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = style.Color ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = style.Color ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(text),
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
        });
        console.Profile.Width = Width;
        console.Profile.Capabilities.Unicode = style.Unicode;
        write(console);

        // Cells are padded to the width of their column, to the right also; a terminal has no use for that.
        return string.Join('\n', text.ToString().Split('\n').Select(line => line.TrimEnd()));
    }

    public static Grid Columns(params Justify[] alignments)
    {
        var table = new Grid();
        foreach (Justify alignment in alignments)
            table.AddColumn(new GridColumn { Alignment = alignment, NoWrap = true, Padding = new Padding(2, 0, 0, 0) });
        return table;
    }

    public static void AddHeads(Grid table, params string[] heads) =>
        table.AddRow(heads.Select(head => (IRenderable)new Text(head, new Style(decoration: Decoration.Dim))).ToArray());

    public static void AddRow(Grid table, params string[] cells) => table.AddRow(cells.Select(Cell).ToArray());

    public static IRenderable Cell(string text) => new Text(text);
}

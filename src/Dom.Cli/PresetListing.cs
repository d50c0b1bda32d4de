using Dom.Train;
using Dom.Train.Reproduction;
using Dom.Train.Training;

namespace Dom.Cli;

/// <summary>What <c>dom train --list-presets</c> prints.</summary>
internal static class PresetListing
{
    private static readonly string[] s_headers = ["preset", "", "data", "model", "epochs"];

    /// <summary>Prints the general presets and one line for each group of the paper's; or, with a filter, every preset that matches.</summary>
    /// <exception cref="OptionException">None matches.</exception>
    public static void Print(Screen screen, string? filter)
    {
        if (filter is not null)
        {
            PrintMatching(screen, filter);
            return;
        }
        screen.Table(s_headers, Presets.General.Select(Row));
        screen.Writer.WriteLine();
        screen.Writer.WriteLine("Every row of the paper's tables, in the mode of the authors' code. METHOD is "
            + string.Join(", ", Enum.GetValues<PaperMethod>().Select(PaperNames.NameOf)) + ".");
        screen.Table(["preset", "", "presets", "epochs"], PaperTables.Cells.GroupBy(cell => (cell.Table, cell.Group)).Select(group => new[]
        {
            $"table{group.Key.Table}/{group.Key.Group}/METHOD",
            PaperTables.Of(group.Key.Table).Title,
            $"{group.Count()}",
            $"{group.First().Options.Epochs}",
        }));
        screen.Writer.WriteLine();
        screen.Writer.WriteLine("'dom train --list-presets table3' shows single ones, with what the paper leaves open; 'dom reproduce 3' runs the whole table.");
    }

    private static void PrintMatching(Screen screen, string filter)
    {
        Preset[] matching = [.. Presets.All.Where(preset => CellFilter.Matches(filter, preset.Name))];
        if (matching.Length == 0)
        {
            string[] parts = [.. Presets.Names.SelectMany(name => name.Split('/')).Distinct()];
            throw new OptionException($"--list-presets '{filter}' matches no preset{NearestName.Hint(filter.Split('/', ',')[^1], parts)}");
        }
        screen.Table(s_headers, matching.Select(Row));
        foreach (var group in matching.Where(preset => preset.Inferred is not null).GroupBy(preset => preset.Inferred!))
        {
            screen.Writer.WriteLine();
            screen.List(("INFER", group.Key + ", in " + string.Join(", ", group.Select(preset => preset.Name))));
        }
    }

    private static string[] Row(Preset preset) =>
        [preset.Name, preset.Description, preset.Options.Data, preset.Options.Model, $"{preset.Options.Epochs}"];
}

using System.IO.Enumeration;

namespace Dom.Train.Reproduction;

/// <summary>Chooses rows of tables by parts of their names.</summary>
/// <remarks>
/// A filter is one or more patterns with commas between them; a name matches if one of the patterns does. The parts of a pattern, with '/' between them, must
/// each be a part of the name, in any place; '*' stands for any characters. So "remove" is the method on all data sets, "cifar10/remove" that on one, and
/// "augment-*" both kinds of DOM_DA.
/// </remarks>
public static class CellFilter
{
    /// <summary>Whether a name such as "table2/cifar10/preact-resnet18/remove" matches.</summary>
    public static bool Matches(string filter, string name)
    {
        string[] parts = name.Split('/');
        return filter.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Any(pattern => pattern.Split('/', StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 } wanted
                && wanted.All(want => parts.Any(part => FileSystemName.MatchesSimpleExpression(want, part))));
    }

    /// <summary>The cells whose names match.</summary>
    /// <exception cref="Training.OptionException">None does; the message names the parts there are.</exception>
    public static IReadOnlyList<PaperCell> Choose(IEnumerable<PaperCell> cells, string? filter)
    {
        var all = cells.ToArray();
        if (filter is null)
            return all;
        PaperCell[] chosen = [.. all.Where(cell => Matches(filter, cell.Preset))];
        string[] parts = [.. all.SelectMany(cell => cell.Name.Split('/')).Distinct()];
        return chosen.Length > 0 ? chosen : throw new Training.OptionException(
            $"--cells '{filter}' matches no row of the table; parts of their names are {string.Join(", ", parts)}{NearestName.Hint(filter.Split('/', ',')[^1], parts)}");
    }
}

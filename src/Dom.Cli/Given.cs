using System.CommandLine;
using System.Globalization;
using Dom.Train;
using Dom.Train.Training;

namespace Dom.Cli;

/// <summary>
/// Makes options and reads what was given for them. Values are texts to the parser and are understood here, so that every error says what came and
/// what would be right.
/// </summary>
internal static class Given
{
    /// <summary>An option with a value.</summary>
    /// <param name="name">"--epochs".</param>
    /// <param name="value">What help calls the value.</param>
    /// <param name="description">What it does, with its default.</param>
    public static Option<string?> Option(string name, string value, string description) =>
        new(name) { HelpName = value, Description = description, Arity = ArgumentArity.ExactlyOne };

    /// <summary>An option that is there or not.</summary>
    public static Option<bool> Switch(string name, string description) => new(name) { Description = description, Arity = ArgumentArity.Zero };

    /// <summary>Whether the option was typed.</summary>
    public static bool Has(this ParseResult parse, Option option) => parse.GetResult(option) is { Implicit: false };

    /// <summary>The text that was given, or null.</summary>
    /// <exception cref="OptionException">It is empty.</exception>
    public static string? Text(this ParseResult parse, Option<string?> option)
    {
        string? text = parse.GetValue(option);
        return text is null || text.Trim().Length > 0 ? text : throw new OptionException($"{option.Name} is empty; {option.HelpName} is missing.");
    }

    /// <summary>The whole number that was given, or null.</summary>
    /// <exception cref="OptionException">It is none.</exception>
    public static int? Whole(this ParseResult parse, Option<string?> option) => parse.Text(option) is not { } text ? null
        : int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) ? value
        : throw new OptionException($"{option.Name} is '{text}'; it must be a whole number of at most {int.MaxValue}.");

    /// <summary>The seed that was given, or null.</summary>
    /// <exception cref="OptionException">It is none.</exception>
    public static ulong? Seed(this ParseResult parse, Option<string?> option) => parse.Text(option) is not { } text ? null
        : ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) ? value
        : throw new OptionException($"{option.Name} is '{text}'; it must be a whole number from 0 to {ulong.MaxValue}.");

    /// <summary>The number that was given, or null.</summary>
    /// <exception cref="OptionException">It is none.</exception>
    public static double? Number(this ParseResult parse, Option<string?> option) => parse.Text(option) is not { } text ? null
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value
        : throw new OptionException($"{option.Name} is '{text}'; it must be a number such as 0.1 or 5e-4.");

    /// <summary>What was chosen from a list, or null.</summary>
    /// <exception cref="OptionException">It is not in the list.</exception>
    public static T? Choice<T>(this ParseResult parse, Option<string?> option, params IReadOnlyList<(string Name, T Value)> choices) where T : struct
    {
        if (parse.Text(option) is not { } text)
            return null;
        foreach (var (name, value) in choices)
        {
            if (name.Equals(text, StringComparison.OrdinalIgnoreCase))
                return value;
        }
        throw Unknown(option, text, choices.Select(choice => choice.Name));
    }

    /// <summary>The name that was chosen from a list, or null.</summary>
    /// <exception cref="OptionException">It is not in the list.</exception>
    public static string? Name(this ParseResult parse, Option<string?> option, IEnumerable<string> names) => parse.Text(option) is not { } text ? null
        : names.FirstOrDefault(name => name.Equals(text, StringComparison.OrdinalIgnoreCase)) ?? throw Unknown(option, text, names);

    /// <summary>The names that were chosen from a list, with commas between them, or null.</summary>
    /// <exception cref="OptionException">One is not in the list.</exception>
    public static IReadOnlyList<string>? Names(this ParseResult parse, Option<string?> option, IReadOnlyList<string> names) =>
        parse.Parts(option)?.Select(part =>
            names.FirstOrDefault(name => name.Equals(part, StringComparison.OrdinalIgnoreCase)) ?? throw Unknown(option, part, names)).Distinct().ToArray();

    /// <summary>The whole numbers that were given, with commas between them, or null.</summary>
    /// <exception cref="OptionException">One is no whole number of the range.</exception>
    public static IReadOnlyList<int>? WholeNumbers(this ParseResult parse, Option<string?> option, int least, int most) =>
        parse.Parts(option)?.Select(part =>
            int.TryParse(part, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) && value >= least && value <= most
                ? value
                : throw new OptionException(
                    $"{option.Name}: '{part}' must be a whole number from {least} to {most}; more than one with commas between them, such as 128,512."))
            .Distinct().ToArray();

    private static string[]? Parts(this ParseResult parse, Option<string?> option) => parse.Text(option)?.Split(',', StringSplitOptions.TrimEntries);

    private static OptionException Unknown(Option option, string text, IEnumerable<string> names) =>
        new($"{option.Name} is '{text}'; it must be one of {string.Join(", ", names)}{NearestName.Hint(text, names)}");
}

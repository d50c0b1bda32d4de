using System.Globalization;
using Dom.Train.Attacks;
using Dom.Train.Training;

namespace Dom.Cli.Eval;

/// <summary>One attack of an evaluation: accuracies are 0..1.</summary>
/// <param name="Attack">"APGD-CE".</param>
/// <param name="Attacked">Images that were left for it.</param>
/// <param name="Fooled">Of these, those that fool the network.</param>
/// <param name="RobustAccuracy">Accuracy after it and all before it, of all images.</param>
/// <param name="Seconds">Time that it took.</param>
internal sealed record AttackFigures(string Attack, int Attacked, int Fooled, double RobustAccuracy, double Seconds);

/// <summary>What an evaluation with strong attacks found, side by side, as <c>--json</c> prints it: accuracies are 0..1, losses in nats, epsilon in 1/255.</summary>
internal sealed record AutoAttackFigures(
    string Checkpoint, string Data, string Model, string Precision, int Samples, double Accuracy, double Loss, string Attack, bool IsStandard, double Epsilon,
    double Pgd20Accuracy, double Pgd20Loss, double RobustAccuracy, IReadOnlyList<AttackFigures> Attacks, double LargestChange, IReadOnlyList<string> Warnings)
{
    /// <summary>The figures of a finished evaluation.</summary>
    public static AutoAttackFigures Of(string checkpoint, TrainOptions options, AutoAttackOptions attacks, AutoAttackFile file)
    {
        var state = file.State!;
        int robust = state.Correct;
        var each = new List<AttackFigures>();
        foreach (var tally in state.Tallies)
        {
            robust -= tally.Fooled;
            each.Add(new AttackFigures(tally.Attack.Name(), tally.Attacked, tally.Fooled, (double)robust / state.Samples, Math.Round(tally.Seconds, 3)));
        }
        string name = attacks.Attacks.SequenceEqual(AutoAttackOptions.Standard) ? "AutoAttack" : string.Join(", ", attacks.Attacks.Select(kind => kind.Name()));
        return new AutoAttackFigures(
            checkpoint, options.Data, options.Model, Train.Reports.OptionTexts.NameOf(options.Precision), state.Samples, file.Clean!.Accuracy, file.Clean.Loss,
            name + (attacks.UsesMargin ? " with margin loss" : ""), attacks.IsStandard, options.Epsilon, file.Pgd20!.Accuracy, file.Pgd20.Loss,
            (double)state.RobustCount / state.Samples, each, state.LargestChange, AutoAttackChecks.Warnings(state));
    }

    /// <summary>The same for people.</summary>
    public void Print(Screen screen)
    {
        var culture = CultureInfo.InvariantCulture;
        screen.Writer.WriteLine(string.Create(culture, $"{Model} on {Samples:N0} test images of {Data}, in {Precision}, Linf {Epsilon:0.##}/255"));
        var table = new TextTable(Attacks.Count == 1 ? ["clean", "PGD-20", Attack] : ["clean", "PGD-20", .. Attacks.Select(a => $"after {a.Attack}"), Attack]);
        var accuracies = new List<double> { Accuracy, Pgd20Accuracy };
        accuracies.AddRange(Attacks.Select(a => a.RobustAccuracy));
        if (Attacks.Count > 1)
            accuracies.Add(RobustAccuracy);
        table.Add(accuracies.Select(TrainProgress.Percent));
        screen.Writer.Write(table.ToString());
        foreach (var attack in Attacks)
            screen.Writer.WriteLine(string.Create(culture, $"{attack.Attack,-8} fooled the network on {attack.Fooled:N0} of {attack.Attacked:N0} images in {Time(attack.Seconds)}"));
        screen.Writer.WriteLine(string.Create(culture, $"largest change of a pixel {255 * LargestChange:0.###}/255"));
        if (!IsStandard)
            screen.Writer.WriteLine("This is not AutoAttack's standard evaluation: --attack autoattack is, with its own losses.");
        foreach (string warning in Warnings)
            screen.Writer.WriteLine($"warning: {warning}");
    }

    /// <summary>"12.3 s", "4 min 5 s", "2 h 10 min".</summary>
    public static string Time(double seconds) => seconds < 60
        ? string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s")
        : seconds < 3600 ? $"{(int)seconds / 60} min {(int)seconds % 60} s" : $"{(int)seconds / 3600} h {(int)seconds / 60 % 60} min";
}

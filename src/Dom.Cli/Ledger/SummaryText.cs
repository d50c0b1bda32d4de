using System.Globalization;
using Dom.Train.Memorization;

namespace Dom.Cli.Ledger;

/// <summary>What <c>dom ledger summary</c> prints.</summary>
/// <param name="run">The ledger.</param>
/// <param name="threshold">High confidence is a loss below this, in nats.</param>
internal sealed class SummaryText(RunLedger run, float threshold)
{
    private readonly LossRanges _ranges = run.Ranges;

    /// <summary>Tables for a person: all samples by range of the loss, then right and wrong labels beside each other.</summary>
    public string ToText()
    {
        var store = run.Store;
        string text = string.Create(CultureInfo.InvariantCulture,
            $"{store.Folder}: {store.Samples:N0} samples, {store.Epochs} epochs; T = {threshold} nats\n");
        if (store.Epochs == 0)
            return text + "No epoch has ended yet.\n";
        text += Table("Natural loss", adversarial: false);
        return store.Has(LedgerColumns.AdversarialLoss) ? text + Table("Adversarial loss", adversarial: true) : text;
    }

    /// <summary>The same as one line of JSON; epochs count from 1.</summary>
    public string ToJson()
    {
        var values = new Dictionary<string, object>
        {
            ["folder"] = run.Store.Folder,
            ["samples"] = run.Store.Samples,
            ["epochs"] = run.Store.Epochs,
            ["threshold"] = threshold,
            ["ranges"] = Enumerable.Range(0, _ranges.Count).Select(_ranges.Label).ToArray(),
            ["natural"] = Rows(adversarial: false),
        };
        if (run.Store.Has(LedgerColumns.AdversarialLoss))
            values["adversarial"] = Rows(adversarial: true);
        return JsonLine.Of(values);
    }

    private string Table(string title, bool adversarial)
    {
        var epochs = LedgerSummary.Compute(run.Store, _ranges, threshold, adversarial);
        bool hasNaN = epochs.Any(e => e.All.Ranges.NotANumber > 0);
        var table = new TextTable(["epoch", "mean loss", "accuracy", .. Enumerable.Range(0, _ranges.Count).Select(_ranges.Label),
            .. hasNaN ? ["NaN"] : Array.Empty<string>(), "below T"]);
        foreach (var epoch in epochs)
        {
            var group = epoch.All;
            table.Add([$"{epoch.Epoch + 1}", Loss(group), Share(group.Accuracy), .. group.Ranges.Shares.Select(Share),
                .. hasNaN ? [Share(group.Ranges.NotANumber)] : Array.Empty<string>(), Share(group.HighConfidence)]);
        }
        string text = $"\n{title}: mean, accuracy, share of the samples by range of the loss\n{table}";
        if (epochs[0] is not { RightLabels: { } right, WrongLabels: { } wrong })
            return text;

        var labels = new TextTable("epoch", "right: loss", "accuracy", "below T", "wrong: loss", "accuracy", "below T");
        foreach (var epoch in epochs)
            labels.Add([$"{epoch.Epoch + 1}", .. Cells(epoch.RightLabels!), .. Cells(epoch.WrongLabels!)]);
        return text + string.Create(CultureInfo.InvariantCulture,
            $"\n{title}, {right.Samples:N0} right and {wrong.Samples:N0} wrong labels (accuracy: share predicted as the given label)\n") + labels;
    }

    private Dictionary<string, object>[] Rows(bool adversarial) => LedgerSummary.Compute(run.Store, _ranges, threshold, adversarial).Select(epoch =>
    {
        var row = Figures(epoch.All);
        row["epoch"] = epoch.Epoch + 1;
        if (epoch.RightLabels is not null)
            row["rightLabels"] = Figures(epoch.RightLabels);
        if (epoch.WrongLabels is not null)
            row["wrongLabels"] = Figures(epoch.WrongLabels);
        return row;
    }).ToArray();

    private static Dictionary<string, object> Figures(GroupSummary group) => new()
    {
        ["samples"] = group.Samples,
        ["meanLoss"] = group.MeanLoss,
        ["accuracy"] = group.Accuracy,
        ["shares"] = group.Ranges.Shares,
        ["notANumber"] = group.Ranges.NotANumber,
        ["belowThreshold"] = group.HighConfidence,
    };

    private static string[] Cells(GroupSummary group) => [Loss(group), Share(group.Accuracy), Share(group.HighConfidence)];

    private static string Loss(GroupSummary group) => group.MeanLoss.ToString("0.0000", CultureInfo.InvariantCulture);

    private static string Share(double share) => double.IsNaN(share) ? "-" : string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.0} %");
}

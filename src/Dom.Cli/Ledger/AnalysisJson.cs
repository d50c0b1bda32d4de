using Dom.Train.Analysis;

namespace Dom.Cli.Ledger;

/// <summary>The main figures of an analysis as a line of JSON. Shares and accuracies are 0..1, losses in nats, epochs count from 1; what was not measured is absent.</summary>
internal static class AnalysisJson
{
    public static string Of(RunAnalysis analysis, string folder, IReadOnlyList<string> files, IReadOnlyList<ComparedRun> compared)
    {
        var last = analysis.Epochs[^1];
        var values = new Dictionary<string, object>();
        Add("folder", folder);
        Add("files", files.ToArray());
        Add("samples", analysis.Samples);
        Add("epochs", analysis.Epochs.Count);
        Add("threshold", analysis.Settings.Threshold);
        Add("warmup", analysis.Settings.Warmup);
        Add("naturalColumn", analysis.NaturalColumn);
        Add("adversarialColumn", analysis.AdversarialColumn);
        Add("highConfidence", last.HighConfidence);
        Add("highConfidenceJump", analysis.Jump?.Size);
        Add("naturalOverfittingEpoch", analysis.Onsets.Natural?.Epoch);
        Add("robustOverfittingEpoch", analysis.Onsets.Robust?.Epoch);
        Add("catastrophicOverfittingEpoch", analysis.Onsets.Catastrophic?.Epoch);
        Add("collapsedGapEpoch", analysis.Onsets.Gap?.Epoch);
        Add("originalSamples", last.Kinds?.Original);
        Add("transformedSamples", last.Kinds?.Transformed);
        Add("persistenceOriginal", last.Persistence?.Original.MeanChange);
        Add("persistenceTransformed", last.Persistence?.Transformed.MeanChange);
        Add("overlap", last.Overlap?.ToArray());
        Add("adversarialLossConfident", last.ByConfidence?.Confident.MeanLoss);
        Add("adversarialLossOthers", last.ByConfidence?.Others.MeanLoss);
        Add("wrongLabels", last.Labels?.Wrong.Total);
        Add("wrongLabelsTransformed", last.Labels?.Wrong.Transformed);
        Add("wrongThatAreTransformed", last.Labels?.WrongThatAreTransformed);
        Add("transformedThatAreWrong", last.Labels?.TransformedThatAreWrong);
        if (compared.Count > 0)
        {
            Add("compared", compared.Select(run => new Dictionary<string, object>
            {
                ["run"] = run.Name, ["removal"] = run.Removal, ["testAccuracy"] = run.Last, ["bestTestAccuracy"] = run.Best,
            }).ToArray());
        }
        Add("missing", analysis.Missing.Select(m => $"{m.Figure}: {m.Reason}").ToArray());
        return JsonLine.Of(values);

        void Add(string name, object? value)
        {
            if (value is not (null or double.NaN))
                values.Add(name, value);
        }
    }
}

using System.CommandLine;
using System.Globalization;
using Dom.Cli.Ledger;
using Dom.Nn.StateDictionaries;
using Dom.Train.Analysis;
using Dom.Train.Memorization;
using Dom.Train.Reports;
using Dom.Train.Training;

namespace Dom.Cli;

/// <summary><c>dom analyze RUN</c>: the over-memorization analysis of a run, as tables, pictures and a page.</summary>
internal sealed class AnalyzeCommand
{
    private readonly Argument<string> _run = new("RUN") { Description = "Folder of a run, finished or not, or the ledger/ in it." };

    private readonly Option<string?> _output = Given.Option("--output", "DIR",
        "Folder for the page, the pictures and the tables. Default: analysis/ in the run's folder.");

    private readonly Option<string?> _edges = Given.Option("--edges", "E,E,...",
        "Edges of the loss ranges, in nats, ascending. Default: 0.2,0.4,0.6,0.8,1 in natural training, of which the paper gives the first only; 0.5,1,1.5,2,2.5 in adversarial training.");

    private readonly Option<string?> _threshold = Given.Option("--threshold", "T",
        $"T in nats: a natural loss below it is high confidence. Default: the run's, else {RunLedger.DefaultThreshold.ToString(CultureInfo.InvariantCulture)}.");

    private readonly Option<string?> _warmup = Given.Option("--warmup", "K",
        "K in epochs: what was confident in epoch K is original, what becomes so later is transformed. Default: the run's, else half of the epochs.");

    private readonly Option<string?> _split = Given.Option("--split", "LOSS",
        "The natural loss, in nats, that divides the samples whose adversarial losses are compared. Default: 1.5, as in the paper's figure 4.");

    private readonly Option<string?> _compare = Given.Option("--compare", "RUN,RUN,...",
        "Folders of further runs, whose test accuracy is shown beside this one's: for the removal experiments (none, all, original, transformed) four runs in all.");

    private readonly Option<bool> _json = SharedOptions.Json();

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var analyze = new AnalyzeCommand();
        var command = new Command("analyze",
            "Shows over-memorization in a run, from its ledger: loss ranges and high confidence by epoch, onsets of natural, robust and catastrophic overfitting, "
            + "original and transformed samples, what persists, natural against adversarial rank, wrong labels. Writes a page (analysis.html), a picture for every chart "
            + "(SVG) and a table for every set of figures (CSV), and prints the main figures. docs/analysis.md says what each means.")
        {
            analyze._run, analyze._output, analyze._edges, analyze._threshold, analyze._warmup, analyze._split, analyze._compare, analyze._json,
        };
        command.SetAction(analyze.Execute);
        return command;
    }

    private int Execute(ParseResult parse)
    {
        string path = parse.GetRequiredValue(_run);
        var ledger = RunLedger.Open(path);
        var run = ledger.Folder;
        var metrics = run is not null && File.Exists(run.MetricsFile) ? run.ReadMetrics(ledger.Store.Epochs) : [];
        // Of a run that goes on, the ledger may be an epoch ahead of the figures.
        int epochs = metrics.Count > 0 ? metrics.Count : ledger.Store.Epochs;
        if (epochs == 0)
            throw new CheckpointException($"{ledger.Store.Folder}: no epoch has ended yet; there is nothing to analyze.");
        string folder = parse.Text(_output) ?? Path.Combine(run?.Path ?? ledger.Store.Folder, "analysis");
        if (File.Exists(folder))
            throw new OptionException($"{_output.Name} {folder}: this is a file; name a folder.");
        var settings = new AnalysisSettings
        {
            Threshold = ledger.ThresholdOr(parse.Number(_threshold)),
            Warmup = ledger.WarmupOr(parse.Whole(_warmup)),
            Ranges = Ranges(parse) ?? ledger.Ranges,
            Split = parse.Number(_split) is not { } split ? AnalysisSettings.PaperSplit
                : split > 0 && double.IsFinite(split) ? (float)split
                : throw new OptionException($"{_split.Name} is {split.ToString(CultureInfo.InvariantCulture)}; it must be a number above 0: a loss in nats."),
        };
        var analysis = RunAnalyzer.Compute(ledger.Store, metrics, settings, epochs);
        var compared = Compared(parse, path, ledger, analysis);
        var files = AnalysisFolder.Write(folder, analysis, Heading(ledger, path, epochs), compared);
        var output = parse.InvocationConfiguration.Output;
        if (parse.GetValue(_json))
            output.WriteLine(AnalysisJson.Of(analysis, folder, files, compared));
        else
            Print(new Screen(output), analysis, ledger, folder, files, compared);
        return ExitCode.Done;
    }

    private static void Print(Screen screen, RunAnalysis analysis, RunLedger ledger, string folder, IReadOnlyList<string> files, IReadOnlyList<ComparedRun> compared)
    {
        screen.Writer.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{ledger.Store.Folder}: {analysis.Samples:N0} samples, {analysis.Epochs.Count} {(analysis.Epochs.Count == 1 ? "epoch" : "epochs")}; T = {analysis.Settings.Threshold} nats, K = {analysis.Settings.Warmup}"));
        if (NoteOn(ledger, analysis.Epochs.Count) is { } note)
            screen.Writer.WriteLine(note);
        screen.List([
            .. AnalysisSentences.Of(analysis).Select(s => (s.Name, s.Value)),
            .. compared.Select(run => ("removal", string.Create(CultureInfo.InvariantCulture,
                $"{run.Removal} ({run.Name}): test error {100 * run.Error:0.0} % in the end, {100 * (1 - run.Best):0.0} % at its best"))),
            .. analysis.Missing.Select(m => ("not shown", $"{m.Figure}: {m.Reason}")),
        ]);
        screen.Writer.WriteLine($"page      {Path.Combine(folder, AnalysisFolder.PageFile)}");
        screen.Writer.WriteLine($"tables    {string.Join(", ", files.Where(f => f.EndsWith(".csv", StringComparison.Ordinal)))}");
        screen.Writer.WriteLine($"pictures  {files.Count(f => f.EndsWith(".svg", StringComparison.Ordinal))} SVG files");
    }

    private ComparedRun[] Compared(ParseResult parse, string path, RunLedger ledger, RunAnalysis analysis)
    {
        if (parse.Text(_compare) is not { } text)
            return [];
        var runs = new List<ComparedRun> { new(NameOf(path), RemovalOf(ledger.Description), analysis.Accuracies) };
        foreach (string other in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var folder = new RunFolder(other);
            var accuracies = folder.ReadMetrics().Select(m => new AccuracyPoint(m.Epoch, m.TrainAccuracy, m.TestAccuracy, m.TrainRobustAccuracy, m.TestRobustAccuracy)).ToArray();
            if (accuracies.Length == 0)
                throw new CheckpointException($"{_compare.Name} {other}: there is no run here that has finished an epoch; a run's folder holds a metrics.jsonl.");
            runs.Add(new ComparedRun(NameOf(other), RemovalOf(folder.ReadDescription()), accuracies));
        }
        return [.. runs];
    }

    private static string NameOf(string path) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));

    private static string RemovalOf(RunDescription? run) => run?.Options switch
    {
        null => "unknown",
        { Dom: DomAction.Off } => "none",
        { Dom: DomAction.Remove } options => OptionTexts.NameOf(options.RemoveSet),
        var options => OptionTexts.NameOf(options.Dom),
    };

    private static AnalysisHeading Heading(RunLedger ledger, string path, int epochs)
    {
        if (ledger.Description is not { } run)
            return new AnalysisHeading(NameOf(path), "A ledger without a run.json: T and K are defaults, unless they were given.");
        var options = run.Options;
        string training = options.Attack == Train.Attacks.AttackKind.None ? "Natural training" : $"Adversarial training with {options.TrainAttack}";
        string dom = options.Dom == DomAction.Off ? "DOM off"
            : $"DOM {OptionTexts.NameOf(options.Dom)}{(options.RemoveSet == RemoveSet.All ? "" : $" (only {OptionTexts.NameOf(options.RemoveSet)} high confidence)")}";
        string noise = options.LabelNoise > 0 ? string.Create(CultureInfo.InvariantCulture, $", {100 * options.LabelNoise:0.#} % of the labels made wrong") : "";
        string data = Path.GetFileName(Path.TrimEndingDirectorySeparator(options.Data));
        return new AnalysisHeading($"{options.Model} on {(data.Length == 0 ? options.Data : data)}", $"{training}, {dom}{noise}.", NoteOn(ledger, epochs));
    }

    private static string? NoteOn(RunLedger ledger, int epochs) => ledger.Description switch
    {
        null or { Status: "finished" } => null,
        { Status: "running" } run => $"The run is going on, or was killed: {epochs} of {run.Options.Epochs} epochs are there so far.",
        var run => $"The run {run.Status switch { "failed" => "failed", "collapsed" => "stopped itself (--on-collapse stop)", _ => "was interrupted" }} after {epochs} of {run.Options.Epochs} epochs.",
    };

    private LossRanges? Ranges(ParseResult parse)
    {
        if (parse.Text(_edges) is not { } text)
            return null;
        var edges = new List<float>();
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (!float.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out float edge) || !float.IsFinite(edge) || edge <= (edges.Count == 0 ? 0 : edges[^1]))
                throw new OptionException($"{_edges.Name} is '{text}'; it must be positive numbers, ascending, with commas between them, such as 0.2,0.5,1.");
            edges.Add(edge);
        }
        return new LossRanges([.. edges]);
    }
}

using Dom.Tensors;
using Dom.Train.Reports;

namespace Dom.Train.Tests.Reports;

/// <summary>Reports with made-up but plausible figures, one for each kind of run.</summary>
internal static class ExampleReports
{
    private static readonly string[] s_classes = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    /// <summary>20 epochs of natural training, 20 % wrong labels, DOM removes from epoch 11 on.</summary>
    public static RunReport NaturalWithWrongLabels()
    {
        const int epochs = 20;
        var figures = new List<EpochFigures>();
        var shares = new List<double[]>();
        for (int e = 1; e <= epochs; e++)
        {
            double right = 0.2 + 0.78 * (1 - Math.Exp(-e / 4.0));
            double wrong = 0.02 + 0.9 / (1 + Math.Exp(-(e - 14) / 1.6));
            double memory = 1 / (1 + Math.Exp(-(e - 13) / 1.5));
            figures.Add(new(e, e <= 10 ? 0.1 : e <= 15 ? 0.01 : 0.001, 2.3 * Math.Exp(-e / 5.5), 0.8 * right + 0.2 * wrong,
                0.25 + 0.55 * (1 - Math.Exp(-e / 3.5)) - 0.1 * memory)
            {
                HighConfidenceShare = 0.05 + 0.8 * memory, ImagesPerSecond = 1480 + 7 * e, RightLabelAccuracy = right,
                WrongLabelAccuracy = wrong, RemovedShare = e > 10 ? 0.05 + 0.7 * memory : 0,
            });
            shares.Add(Shares(0.05 + 0.8 * memory));
        }
        return Empty with
        {
            Title = "Small CNN on embedded, 20 % wrong labels",
            CommandLine = "dom train --data embedded --model small-cnn --epochs 20 --batch 128 --lr 0.1 --label-noise 0.2 --dom remove --threshold 0.2 --warmup 10 --seed 1 --out runs/embedded-20",
            DataDescription = "embedded: 2,000 training and 1,000 test images of 32 x 32 in 10 classes; 400 training labels (20 %) were made wrong on purpose.",
            DomMode = "remove", Warmup = 10, Epochs = figures,
            NaturalLosses = new([0.2, 0.4, 0.6, 0.8, 1.0, 2.0], shares),
            OverMemorizedCount = 1317,
            OverMemorized = [.. Enumerable.Range(0, 12).Select(i => Sample(i, epochs))],
            Options = [new("--data", "embedded"), new("--model", "small-cnn"), new("--epochs", "20"), new("--batch", "128"), new("--lr", "0.1"),
                new("--label-noise", "0.2"), new("--dom", "remove"), new("--dom-mode", "paper"), new("--threshold", "0.2"), new("--warmup", "10"), new("--seed", "1"),
                new("--out", "/home/someone/experiments/2025/autumn/memorization/embedded-small-cnn-twenty-percent-noise-remove")],
            Environment = [new("Dom.Native", "0.1.0"), new(".NET", "10.0.1"), new("system", "Linux x64"), new("processor", "8 cores, AVX-512"),
                new("data hash", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")],
        };
    }

    /// <summary>60 epochs of adversarial training with an interruption, DOM off, two attacks.</summary>
    public static RunReport Adversarial()
    {
        const int epochs = 60;
        var figures = new List<EpochFigures>();
        var natural = new List<double[]>();
        var adversarial = new List<double[]>();
        for (int e = 1; e <= epochs; e++)
        {
            double rise = 1 - Math.Exp(-e / 9.0), drop = e > 30 ? 1 - Math.Exp(-(e - 30) / 8.0) : 0;
            figures.Add(new(e, e <= 30 ? 0.1 : e <= 45 ? 0.01 : 0.001, 2.25 - 0.9 * rise - 0.6 * drop, 0.2 + 0.55 * rise + 0.18 * drop, 0.2 + 0.55 * rise + 0.07 * drop)
            {
                // The robust test accuracy under the stronger attack is measured every third epoch only.
                Robust = e % 3 == 0
                    ? [new("pgd-10", 0.12 + 0.32 * rise + 0.3 * drop, 0.12 + 0.33 * rise - 0.06 * drop), new("pgd-50", null, 0.11 + 0.31 * rise - 0.07 * drop)]
                    : [new("pgd-10", 0.12 + 0.32 * rise + 0.3 * drop, 0.12 + 0.33 * rise - 0.06 * drop)],
                HighConfidenceShare = 0.3 * rise + 0.3 * drop, ImagesPerSecond = 212,
            });
            natural.Add(Shares(0.02 + 0.3 * rise + 0.3 * drop));
            adversarial.Add(Shares(0.01 + 0.05 * rise + 0.3 * drop));
        }
        return Empty with
        {
            Title = "PreActResNet-18 on cifar10, PGD-10 adversarial training",
            CommandLine = "dom train --preset pgd-10 --epochs 200",
            Note = "Interrupted in epoch 61. To go on: dom train --resume runs/pgd-10",
            DataDescription = "cifar10: 50,000 training and 10,000 test images of 32 x 32 in 10 classes.",
            Finished = Empty.Started.AddHours(5.3), Warmup = 30, Threshold = 1.5, Epochs = figures,
            NaturalLosses = new([0.5, 1, 1.5, 2, 2.5], [.. natural.Select(s => s[..6])]),
            AdversarialLosses = new([0.5, 1, 1.5, 2, 2.5], [.. adversarial.Select(s => s[..6])]),
            OverMemorizedCount = 5,
            OverMemorized = [.. Enumerable.Range(0, 5).Select(i => Sample(i, epochs) with { TrueLabel = null })],
            FinalFigures = [new("Test accuracy under autoattack", "44.1\u00a0%")],
        };
    }

    /// <summary>One epoch, no ledger, no attack, no wrong labels, no memorized sample.</summary>
    public static RunReport OneEpoch() => Empty with
    {
        Title = "MLP on mnist",
        CommandLine = "dom train --data mnist --model mlp --epochs 1",
        DataDescription = "mnist: 10,000 training images of 28 x 28, gray, in 10 classes.",
        Epochs = [new(1, 0.05, 0.4137, 0.8812, 0.9133)],
        OverMemorizedCount = 0,
    };

    public static RunReport Empty { get; } = new()
    {
        Title = "Empty", CommandLine = "dom train", DataDescription = "none",
        Started = new DateTimeOffset(2025, 10, 4, 9, 30, 0, TimeSpan.FromHours(2)),
        Finished = new DateTimeOffset(2025, 10, 4, 9, 31, 24, TimeSpan.FromHours(2)),
    };

    public static SampleCard Sample(int id, int epochs)
    {
        var stream = RandomStream.For(5, RandomPurpose.Test, sample: id);
        var pixels = new byte[32 * 32 * 3];
        for (int i = 0; i < pixels.Length; i++)
        {
            int y = i / 96, x = i / 3 % 32, c = i % 3;
            bool isInside = (x - 16) * (x - 16) + (y - 16) * (y - 16) < 40 + 12 * id;
            pixels[i] = (byte)Math.Clamp((isInside ? 60 * c + 90 : 40 * (2 - c) + 4 * y) + 30 * (stream.Uniform(i) - 0.5), 0, 255);
        }
        int label = id % 10, truth = (id * 3 + 1) % 10, memorized = Math.Max(1, epochs / 2 + id % (epochs / 2 + 1));
        return new()
        {
            Id = 137 * id + 4, Pixels = pixels, Height = 32, Width = 32, Channels = 3,
            Label = s_classes[label], TrueLabel = truth != label ? s_classes[truth] : null, Predicted = s_classes[label], MemorizedAtEpoch = memorized,
            Losses = [.. Enumerable.Range(1, epochs).Select(e => e >= memorized ? 0.17 / (1 + e - memorized) : 2.3 + stream.Uniform(e) + 0.05 * (e + id))],
        };
    }

    private static double[] Shares(double lowest)
    {
        double[] rest = [0.08, 0.1, 0.14, 0.18, 0.22, 0.28];
        return [lowest, .. rest.Select(r => r * (1 - lowest))];
    }
}

using Dom.Bench.Ladder;
using Dom.Kernels.Cpu;
using Dom.Kernels.Reference;
using Dom.Tensors.Ops;

namespace Dom.Bench;

/// <summary>
/// One 3x3 convolution, from the formula to the product's kernels: every rung is
/// compared with the reference and then timed, a sample of each in turn. Prints markdown for docs/cpu-ladder.md.
/// </summary>
internal static unsafe class LadderTable
{
    private const double WarmSeconds = 0.01, SampleSeconds = 0.03;

    /// <summary>Exit code 1 if a rung does not compute the convolution; nothing is timed then.</summary>
    /// <param name="channels">Inputs and outputs, a multiple of 64.</param>
    /// <param name="size">Rows and columns of an image, a multiple of 8.</param>
    /// <param name="batch">Images.</param>
    /// <param name="threads">For the rungs that use threads.</param>
    /// <param name="rounds">Samples of each rung.</param>
    /// <param name="figure">Path of an SVG to write; empty for none.</param>
    public static int Print(int channels, int size, int batch, int threads, int rounds, string figure)
    {
        var sizes = Conv2dCase.Square(size, channels, channels, batch: batch);
        using var problem = new Conv2dCase(sizes);
        using CpuBackend direct = new(threads) { Convolution = ConvolutionMethod.Direct };
        using CpuBackend winograd = new(threads) { Convolution = ConvolutionMethod.Winograd };
        Rung[] rungs =
        [
            .. Rung.All,
            new("Dom.Native, direct", "threads", true, Rung.DirectTolerance,
                (_, _, _, _, _) => problem.Run(direct, Conv2dPass.Forward)),
            new("Dom.Native, Winograd", "Winograd F(4x4, 3x3)", true, Rung.WinogradTolerance,
                (_, _, _, _, _) => problem.Run(winograd, Conv2dPass.Forward)),
        ];
        float[] expected = Expected(problem);
        var errors = Array.ConvertAll(rungs, rung => LargestError(rung, problem, expected, threads));
        for (int i = 0; i < rungs.Length; i++)
            if (!(errors[i] <= rungs[i].Tolerance))
            {
                Console.Error.WriteLine(
                    $"{rungs[i].Name}: wrong by {errors[i]:E1} of the largest value; {rungs[i].Tolerance:E1} is allowed.");
                return 1;
            }

        var samples = Array.ConvertAll(rungs, _ => new Samples());
        double peakOfOne = 0, peakOfAll = 0;
        for (int round = -1; round < rounds; round++) // the first is not counted
        {
            peakOfOne = Math.Max(peakOfOne, PeakFlops.Measure(1).ByClock);
            peakOfAll = Math.Max(peakOfAll, PeakFlops.Measure(threads).ByClock);
            for (int i = 0; i < rungs.Length; i++)
            {
                double milliseconds = Samples.OfCall(() => Run(rungs[i], problem, threads), WarmSeconds, SampleSeconds);
                if (round >= 0)
                    samples[i].Add(milliseconds);
            }
        }
        PrintFloors(sizes, threads, rounds, peakOfOne, peakOfAll);
        PrintRungs(sizes, threads, rungs, samples, errors, peakOfOne, peakOfAll);
        if (figure.Length > 0)
        {
            var bars = rungs.Zip(samples, (rung, s) => (rung.Name, rung.UsesThreads, sizes.Operations / s.Median / 1e6));
            File.WriteAllText(figure, LadderFigure.Draw([.. bars], peakOfOne / 1e9, peakOfAll / 1e9, threads));
        }
        return 0;
    }

    private static void PrintFloors(Conv2dSizes s, int threads, int rounds, double peakOfOne, double peakOfAll)
    {
        double pixels = (double)s.Batch * s.Height * s.Width, bandwidth = MemoryBandwidth.Measure(threads).Limit;
        double bytes = 4 * (pixels * s.Inputs + pixels * s.Outputs + 9.0 * s.Inputs * s.Outputs);
        Console.WriteLine($"{Conv2dCase.Name(s)}, batch {s.Batch}, f32, {rounds} interleaved rounds");
        double ofOne = s.Operations / peakOfOne * 1e3, ofAll = s.Operations / peakOfAll * 1e3;
        Console.WriteLine($"{s.Operations / 1e9:F2} GFLOP at a measured peak of {peakOfOne / 1e9:F0} GFLOP/s: {ofOne:F1} ms on one "
            + $"thread; at {peakOfAll / 1e9:F0} GFLOP/s {ofAll:F1} ms on {threads}");
        Console.WriteLine($"a quarter of the products, as Winograd F(4x4, 3x3) needs: {ofAll / 4:F1} ms on {threads}");
        Console.WriteLine($"{bytes / 1e6:F1} MB of x, weights and y at a measured {bandwidth / 1e9:F0} GB/s: "
            + $"{bytes / bandwidth * 1e3:F2} ms\n");
    }

    private static void PrintRungs(
        Conv2dSizes sizes, int threads, Rung[] rungs, Samples[] samples, double[] errors, double peakOfOne,
        double peakOfAll)
    {
        Console.WriteLine(
            "| rung | threads | ms: median (fastest-slowest) | GFLOP/s | share of peak | times faster than | largest error |");
        Console.WriteLine("|---|---|---|---|---|---|---|");
        for (int i = 0; i < rungs.Length; i++)
        {
            double rate = sizes.Operations / samples[i].Median / 1e6;
            double share = rate * 1e9 / (rungs[i].UsesThreads ? peakOfAll : peakOfOne);
            int before = Array.FindIndex(rungs, rung => rung.Name == rungs[i].Before);
            string step = before < 0 ? "" : $"{samples[before].Median / samples[i].Median:F2} x {rungs[i].Before}";
            Console.WriteLine($"| {rungs[i].Name} | {(rungs[i].UsesThreads ? threads : 1)} | {samples[i].Times} | {rate:F1} "
                + $"| {share:P0} | {step} | {errors[i]:E1} |");
        }
    }

    private static void Run(Rung rung, Conv2dCase problem, int threads) => rung.Run(
        problem.Sizes, (float*)problem.X.Address, (float*)problem.Weight.Address, (float*)problem.Y.Address, threads);

    /// <summary>The largest difference to the reference, relative to the largest value of the reference.</summary>
    private static double LargestError(Rung rung, Conv2dCase problem, float[] expected, int threads)
    {
        var y = new Span<float>((float*)problem.Y.Address, problem.Y.Length);
        y.Fill(float.NaN); // what is not written shows
        Run(rung, problem, threads);
        double error = 0, largest = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double difference = Math.Abs(y[i] - (double)expected[i]);
            error = double.IsNaN(difference) ? double.PositiveInfinity : Math.Max(error, difference);
            largest = Math.Max(largest, Math.Abs(expected[i]));
        }
        return error / largest;
    }

    private static float[] Expected(Conv2dCase problem)
    {
        using var reference = new ReferenceBackend();
        reference.Run(new Conv2dForward(problem.X, problem.Weight, problem.Y, problem.Sizes));
        return new ReadOnlySpan<float>((float*)problem.Y.Address, problem.Y.Length).ToArray();
    }
}

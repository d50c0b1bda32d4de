using System.Globalization;
using Dom.Kernels.Cuda;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;
using Dom.Train.Training;

namespace Dom.Cli.Bench;

/// <summary>Which product the ladder is measured on, and how long.</summary>
internal sealed record LadderBenchPlan
{
    /// <summary>Sizes of the matrices.</summary>
    public MatrixSizes Size { get; init; } = new(4096, 4096, 4096);

    /// <summary>Multiplications and additions a second that somebody else reached on the device; 0 for none.</summary>
    public (double F32, double BF16) Peaks { get; init; }

    /// <summary>How long a rung is repeated for one of its five samples.</summary>
    public double SecondsPerRound { get; init; } = 0.1;

    /// <summary>How long the largest copy and the largest matrix product may take when ceilings are measured.</summary>
    public double Patience { get; init; } = 0.05;

    /// <summary>What a person typed: "50" or "50,776", in 10^12 a second.</summary>
    /// <exception cref="OptionException">It is neither one number nor two, or one is not above 0.</exception>
    public static (double F32, double BF16) PeaksOf(string option, string text)
    {
        double[] peaks = [.. text.Split(',').Select(part => double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out double peak) ? peak : 0)];
        return peaks.Length is 1 or 2 && Array.TrueForAll(peaks, peak => double.IsFinite(peak) && peak > 0)
            ? (1e12 * peaks[0], peaks.Length == 2 ? 1e12 * peaks[1] : 0)
            : throw new OptionException($"{option} is '{text}'; it must be one number above 0 or two with a comma between them, in 10^12 a second, for f32 and for bf16: 50,776.");
    }
}

/// <summary>Checks every rung of <see cref="GemmLadder"/>, then times it; beside them the library's own matrix products.</summary>
internal sealed class LadderBench(IBackend backend, LadderBenchPlan plan, Action<string> progress)
{
    private const int Places = 64;

    private readonly CudaBackend _gpu = backend as CudaBackend
        ?? throw new OptionException($"--ladder runs kernels of a GPU; {backend.Name} is none. Give --device cuda:0.");

    /// <summary>Measures everything.</summary>
    /// <exception cref="DeviceException">A rung computes something else than the formula.</exception>
    public LadderFigures Run()
    {
        var (m, n, k) = plan.Size;
        if (Math.Max(Math.Max((long)m * k, (long)k * n), (long)m * n) > int.MaxValue)
            throw new OptionException($"--size: {plan.Size} has a matrix of more than {int.MaxValue} elements; make it smaller.");
        progress("ceilings of the device");
        int smallest = Math.Min(Ceilings.SmallestMatrix, Math.Max(Math.Max(m, n), k));
        var whole = Ceilings.Measure(backend, DType.F32, plan.Peaks.F32, plan.Patience, smallest);
        var half = Ceilings.Measure(backend, DType.BF16, plan.Peaks.BF16, plan.Patience, smallest);
        backend.Memory.EmptyCache();

        using var scope = new TensorScope();
        // Numbers that bf16 holds, so that all rungs multiply the same ones.
        Tensor narrowA = Ceilings.Random(m, k, DType.BF16, backend), narrowB = Ceilings.Random(k, n, DType.BF16, backend);
        Tensor a = Cast.Apply(narrowA, DType.F32), b = Cast.Apply(narrowB, DType.F32), c = Tensor.Empty(Shape.Of(m, n), DType.F32, backend, "ladder");
        var narrowC = Tensor.Empty(c.Shape, DType.BF16, backend, "ladder");
        Product[] products =
        [
            .. GemmLadder.Rungs.Select(rung => rung.Operands == DType.F32 ? Of(rung, a, b, c) : Of(rung, narrowA, narrowB, c)),
            Own(a, b, c), Own(narrowA, narrowB, narrowC),
        ];

        progress("the check of rung 2");
        float[] expected = ResultOf(products[1]);
        CompareWithSums(a.ToFloats(), b.ToFloats(), expected);
        return new LadderFigures(
            backend.Name, Machine.ProcessorName, plan.Size, whole, half,
            [.. products.Select(product => Figure(product, expected, product.Operands == DType.F32 ? whole : half))]);
    }

    private Product Of(GemmRung rung, Tensor a, Tensor b, Tensor c)
    {
        var (m, n, k) = plan.Size;
        return new Product(
            $"{rung.Number} {rung.Name}", rung.Idea, rung.Operands, rung.LeastBytes(m, n, k), c, () => GemmLadder.Run(_gpu, rung, a.Read, b.Read, c.Write, m, n, k));
    }

    /// <summary>The library's matrix product, with all that it does to its operands first.</summary>
    private Product Own(Tensor a, Tensor b, Tensor c)
    {
        var (m, n, k) = plan.Size;
        string type = NameOf(a.Type);
        return new Product(
            $"Dom.Native, {type}", "the library's own; turns b first", a.Type, (double)a.Read.Bytes + b.Read.Bytes + c.Read.Bytes, c,
            () => backend.Run(new Gemm(a.Read, b.Read, c.Write, m, n, k, 0, 0)));
    }

    private RungFigure Figure(Product product, float[] expected, Ceilings ceilings)
    {
        progress(product.Name);
        double error = LargestError(product, expected);
        var taken = Durations.MeasureQueued(backend, product.Run, plan.SecondsPerRound);
        double rate = GemmRung.Operations(plan.Size.M, plan.Size.N, plan.Size.K) / taken.Median;
        return new RungFigure(
            product.Name, product.Idea, NameOf(product.Operands), 1e3 * taken.Median, 1e3 * taken.Fastest, 1e3 * taken.Slowest, rate,
            ceilings.FlopsPerSecond > 0 ? rate / ceilings.FlopsPerSecond : null, product.LeastBytes / taken.Median, error);
    }

    private float[] ResultOf(Product product)
    {
        // What a kernel leaves out is no number.
        backend.Run(new Fill(product.C.Write, float.NaN));
        product.Run();
        return product.C.ToFloats();
    }

    private double LargestError(Product product, float[] expected)
    {
        float[] result = ResultOf(product);
        double largest = 0;
        for (int i = 0; i < result.Length; i++)
        {
            double error = Math.Abs((double)result[i] - expected[i]);
            double allowed = Allowed + (product.C.Type == DType.BF16 ? Math.Abs(expected[i]) / 256 : 0);
            if (!(error <= allowed)) // also where it is no number
                throw Wrong(product.Name, i, result[i], expected[i]);
            largest = Math.Max(largest, error);
        }
        return largest;
    }

    /// <summary>What rounding may do to a sum of k products of numbers up to 1: far less than one product that is missing.</summary>
    private double Allowed => plan.Size.K * Math.Pow(2, -21);

    private void CompareWithSums(float[] a, float[] b, float[] c)
    {
        var (_, n, k) = plan.Size;
        for (int place = 0; place < Places; place++)
        {
            // The first element, the last, and others spread over all rows and columns of tiles.
            int at = (int)((long)(c.Length - 1) * place / (Places - 1));
            double sum = 0;
            for (int i = 0; i < k; i++)
                sum += (double)a[at / n * k + i] * b[i * n + at % n];
            if (!(Math.Abs(c[at] - sum) <= Allowed))
                throw Wrong("2 coalesced", at, c[at], sum);
        }
    }

    private DeviceException Wrong(string rung, int at, double came, double right) => new(string.Create(
        CultureInfo.InvariantCulture, $"{backend.Name}: ladder, {rung}: row {at / plan.Size.N}, column {at % plan.Size.N} is {came}; it should be {right}."));

    private static string NameOf(DType type) => type.ToString().ToLowerInvariant();

    /// <summary>One way to multiply.</summary>
    private sealed record Product(string Name, string Idea, DType Operands, double LeastBytes, Tensor C, Action Run);
}

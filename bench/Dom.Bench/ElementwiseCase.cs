using Dom.Kernels.Cpu;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Bench;

/// <summary>A kernel between the convolutions, on operands that do not fit the caches, with the bytes that it must move.</summary>
/// <param name="Name">"batch norm + relu forward".</param>
/// <param name="Bytes">Bytes read and written where nothing stays in a cache: a batch norm in training must read its input twice.</param>
/// <param name="Run">One call.</param>
internal sealed record ElementwiseCase(string Name, long Bytes, Action Run)
{
    private const int Size = 32, Channels = 64, Classes = 10, Parameters = 11_172_170;

    /// <summary>The names of <see cref="Create"/>, in its order.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "batch norm + relu forward", "batch norm + relu backward", "batch norm + relu inference", "relu forward", "relu backward", "add", "accumulate",
        "loss step", "sgd",
    ];

    /// <summary>Floats of an operand: one feature map of the first stage.</summary>
    public static long MapFloats(int batch) => (long)batch * Size * Size * Channels;

    /// <summary>The kernels at the sizes that they have in PreActResNet-18's first stage; operands belong to the current scope.</summary>
    public static IReadOnlyList<ElementwiseCase> Create(CpuBackend backend, int batch = 128)
    {
        const long Arena = (long)Parameters * sizeof(float);
        long map = MapFloats(batch) * sizeof(float), logitBytes = (long)batch * Classes * sizeof(float);
        int rows = batch * Size * Size;
        Tensor x = Random(rows, Channels), dy = Random(rows, Channels), y = Random(rows, Channels);
        Tensor gamma = Random(Channels), beta = Random(Channels), mean = Random(Channels), inverseStd = Random(Channels);
        Tensor dgamma = Random(Channels), dbeta = Random(Channels), runningMean = Random(Channels), runningVariance = Filled.Create(Shape.Of(Channels), 1, backend);
        Tensor parameters = Random(Parameters), gradients = Random(Parameters), momentum = Random(Parameters);
        Tensor logits = Random(batch, Classes), dlogits = Random(batch, Classes), losses = Random(batch), ledger = Random(batch, LedgerRow.Count);
        var labels = Tensor.From(Enumerable.Range(0, batch).Select(i => i % Classes).ToArray(), backend);
        var ids = Tensor.From(Enumerable.Range(0, batch).ToArray(), backend);
        Action[] runs =
        [
            () => backend.Run(new BatchNorm2dTrain(
                x.Read, gamma.Read, beta.Read, y.Write, mean.Write, inverseStd.Write, runningMean.ReadWrite, runningVariance.ReadWrite,
                rows, Channels, 1e-5f, 0.1f, 1)),
            () => backend.Run(new BatchNorm2dTrainBackward(
                x.Read, dy.Read, gamma.Read, beta.Read, mean.Read, inverseStd.Read, y.Write, dgamma.Write, dbeta.Write, rows, Channels, 1)),
            () => backend.Run(new BatchNorm2dInfer(
                x.Read, gamma.Read, beta.Read, runningMean.Read, runningVariance.Read, y.Write, rows, Channels, 1e-5f, 1)),
            () => backend.Run(new ReluForward(x.Read, y.Write)),
            () => backend.Run(new ReluBackward(x.Read, dy.Read, y.Write)),
            () => backend.Run(new AddForward(x.Read, dy.Read, y.Write)),
            () => backend.Run(new Accumulate(x.Read, y.ReadWrite)),
            () => backend.Run(new SoftmaxCrossEntropyStep(
                logits.Read, labels.Read, ids.Read, View.None, losses.Write, View.None, dlogits.Write, ledger.ReadWrite, batch, Classes, 0, 0, 0)),
            () => backend.Run(new SgdStep(parameters.ReadWrite, gradients.Read, momentum.ReadWrite, View.None, View.None, 1e-6f, 0.9f, 5e-4f, 0)),
        ];
        long[] bytes = [3 * map, 5 * map, 2 * map, 2 * map, 3 * map, 3 * map, 3 * map, 2 * logitBytes, 5 * Arena];
        return [.. Names.Select((name, i) => new ElementwiseCase(name, bytes[i], runs[i]))];

        Tensor Random(params int[] sizes)
        {
            var tensor = Tensor.Empty(Shape.Of(sizes), DType.F32, backend);
            var values = new float[tensor.Count];
            uint state = 1;
            foreach (ref float value in values.AsSpan())
            {
                state = state * 1664525 + 1013904223;
                value = (state >> 8) * (2f / (1 << 24)) - 1;
            }
            tensor.CopyFrom(values);
            return tensor;
        }
    }
}

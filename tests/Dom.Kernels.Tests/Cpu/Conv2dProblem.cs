using System.Runtime.InteropServices;
using Dom.Kernels.Cpu;
using Dom.Kernels.Cpu.Simd;
using Dom.Kernels.Reference;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Tests.Cpu;

/// <summary>One convolution with random operands: runs its three passes on a backend and says what came out.</summary>
internal sealed class Conv2dProblem
{
    private const int Guard = 64;
    private const float Sentinel = 12345.678f;

    private readonly Conv2dSizes _sizes;
    private readonly float[] _x, _weight, _dy;

    public Conv2dProblem(Conv2dSizes sizes)
    {
        _sizes = sizes;
        _x = Random(0, sizes.Batch * sizes.Height * sizes.Width * sizes.Inputs);
        _weight = Random(1, sizes.Outputs * sizes.KernelHeight * sizes.KernelWidth * sizes.Inputs);
        _dy = Random(2, sizes.Batch * sizes.OutputHeight * sizes.OutputWidth * sizes.Outputs);
    }

    /// <summary>y, dx and dweight. Fails where a kernel wrote outside its result.</summary>
    public float[][] Run(IBackend backend)
    {
        using Buffer x = new(_x), weight = new(_weight), dy = new(_dy);
        using Buffer y = new(_dy.Length), dx = new(_x.Length), dweight = new(_weight.Length);
        backend.Run(new Conv2dForward(x.View, weight.View, y.View, _sizes));
        backend.Run(new Conv2dInputGradient(dy.View, weight.View, dx.View, _sizes));
        backend.Run(new Conv2dWeightGradient(x.View, dy.View, dweight.View, _sizes));
        return [y.Read(), dx.Read(), dweight.Read()];
    }

    /// <summary>y of a forward pass that is not a backend's. Fails where it wrote outside its result.</summary>
    public unsafe float[] RunForward(Bench.Ladder.Convolution convolution, int threads)
    {
        using Buffer x = new(_x), weight = new(_weight), y = new(_dy.Length);
        convolution(_sizes, (float*)x.View.Address, (float*)weight.View.Address, (float*)y.View.Address, threads);
        return y.Read();
    }

    /// <summary>The results of the reference, computed in f64.</summary>
    public float[][] Expected()
    {
        using var reference = new ReferenceBackend();
        return Run(reference);
    }

    /// <summary>A CPU backend on so many threads whose vectors have so many bits.</summary>
    public static CpuBackend Backend(int threads, int bits, ConvolutionMethod method = ConvolutionMethod.Direct) => new(threads) { SimdWidth = (SimdWidth)bits, Convolution = method };

    /// <summary>Root mean square of the differences, relative to that of the expected values.</summary>
    public static double RelativeError(float[] expected, float[] actual)
    {
        double difference = 0, size = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            difference += Math.Pow(expected[i] - (double)actual[i], 2);
            size += Math.Pow(expected[i], 2);
        }
        return size == 0 ? Math.Sqrt(difference) : Math.Sqrt(difference / size);
    }

    /// <summary>One weight's gradient in f64, for problems that are too large for the reference.</summary>
    public double WeightGradientAt(int index)
    {
        var s = _sizes;
        int c = index % s.Inputs, t = index / s.Inputs % s.KernelWidth, r = index / s.Inputs / s.KernelWidth % s.KernelHeight;
        int k = index / (s.Inputs * s.KernelWidth * s.KernelHeight);
        double sum = 0;
        for (int n = 0; n < s.Batch; n++)
            for (int p = 0; p < s.OutputHeight; p++)
                for (int q = 0; q < s.OutputWidth; q++)
                {
                    int h = p * s.Stride + r - s.Padding, w = q * s.Stride + t - s.Padding;
                    if (h >= 0 && h < s.Height && w >= 0 && w < s.Width)
                        sum += (double)_x[((n * s.Height + h) * s.Width + w) * s.Inputs + c]
                            * _dy[((n * s.OutputHeight + p) * s.OutputWidth + q) * s.Outputs + k];
                }
        return sum;
    }

    private static float[] Random(int step, int count)
    {
        var stream = RandomStream.For(11, RandomPurpose.Test, step: step);
        var values = new float[count];
        for (int i = 0; i < count; i++)
            values[i] = 2 * stream.Uniform(i) - 1;
        return values;
    }

    /// <summary>Floats between two guards: a sentinel that must survive beside results, not-a-number that must not be read beside operands.</summary>
    private sealed unsafe class Buffer : IDisposable
    {
        private readonly float* _memory;
        private readonly int _count;

        public Buffer(int count)
        {
            _count = count;
            _memory = (float*)NativeMemory.AlignedAlloc((nuint)(count + 2 * Guard) * sizeof(float), 64);
            new Span<float>(_memory, count + 2 * Guard).Fill(Sentinel);
        }

        public Buffer(float[] values) : this(values.Length)
        {
            values.CopyTo(new Span<float>(_memory + Guard, _count));
            new Span<float>(_memory, Guard).Fill(float.NaN);
            new Span<float>(_memory + Guard + _count, Guard).Fill(float.NaN);
        }

        public View View => new((nint)(_memory + Guard), _count, DType.F32, Access.ReadWrite);

        public float[] Read()
        {
            var all = new ReadOnlySpan<float>(_memory, _count + 2 * Guard);
            if (all[..Guard].ContainsAnyExcept(Sentinel) || all[^Guard..].ContainsAnyExcept(Sentinel))
                Assert.Fail("A kernel wrote outside its result.");
            return all.Slice(Guard, _count).ToArray();
        }

        public void Dispose() => NativeMemory.AlignedFree(_memory);
    }
}

using Dom.Kernels.Cpu;
using Dom.Tensors;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Tests.Cpu;

public sealed class ConcurrencyTests
{
    [Test]
    public void Threads_that_share_a_backend_get_the_results_they_would_get_alone()
    {
        using var backend = new CpuBackend(2);
        var alone = Enumerable.Range(0, 4).Select(i => Convolve(backend, i)).ToArray();
        int different = 0;
        var threads = Enumerable.Range(0, 4).Select(i => new Thread(() =>
        {
            for (int repeat = 0; repeat < 100; repeat++)
                if (!Convolve(backend, i).AsSpan().SequenceEqual(alone[i]))
                    Interlocked.Increment(ref different);
        })).ToArray();
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
        Assert.That(different, Is.Zero, "of 400 results");
        Assert.That(backend.Memory.LiveBytes, Is.Zero, backend.Memory.Report());
    }

    /// <summary>Two convolutions that pack their weights into the backend's scratch memory, of other sizes for each thread.</summary>
    private static float[] Convolve(CpuBackend backend, int thread)
    {
        using var scope = new TensorScope();
        int channels = 16 + 8 * thread;
        var stream = RandomStream.For(1, RandomPurpose.Test, step: thread);
        var x = Tensor.From(Draw(stream, 2 * 12 * 12 * channels), Shape.Of(2, 12, 12, channels), backend);
        var weight = Tensor.From(Draw(stream, channels * 9 * channels), Shape.Of(channels, 3, 3, channels), backend);
        return Conv2d.Apply(Conv2d.Apply(x, weight, 1, 1), weight, 2, 1).ToFloats();
    }

    private static float[] Draw(RandomStream stream, int count) => Enumerable.Range(0, count).Select(i => stream.Uniform(i) - 0.5f).ToArray();
}

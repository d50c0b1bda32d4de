using Dom.Kernels.Cpu;
using Dom.Kernels.Reference;
using Dom.Tensors.Autodiff;
using Dom.Tensors.Backend;

namespace Dom.Tensors.Tests.Ops;

/// <summary>Runs every test on a backend, inside a scope, and sees to it that no memory is left over.</summary>
[TestFixture("reference")]
[TestFixture("cpu")]
public abstract class OperatorTest(string device)
{
    private TensorScope _scope = null!;

    protected IBackend Backend { get; private set; } = null!;

    [SetUp]
    public void Open()
    {
        Backend = device == "cpu" ? new CpuBackend(2) : new ReferenceBackend();
        _scope = new TensorScope();
    }

    [TearDown]
    public void Close()
    {
        _scope.Dispose();
        Assert.That(Backend.Memory.LiveBytes, Is.Zero, "a tensor was leaked");
        Backend.Dispose();
    }

    protected Tensor Of(float[] values, params int[] sizes) => Tensor.From(values, Shape.Of(sizes), Backend);

    /// <summary>1, 2, 3, ...</summary>
    protected Tensor Counting(params int[] sizes) => Of(Enumerable.Range(1, Shape.Of(sizes).Count).Select(i => (float)i).ToArray(), sizes);

    protected Tensor Random(int step, params int[] sizes)
    {
        var stream = RandomStream.For(5, RandomPurpose.Test, step: step);
        return Of(Enumerable.Range(0, Shape.Of(sizes).Count).Select(i => 2 * stream.Uniform(i) - 1).ToArray(), sizes);
    }

    /// <summary>Gradients of the sum of f(), weighted by <paramref name="seed"/>.</summary>
    protected static float[][] GradientsOf(Func<Tensor> f, Tensor seed, params Tensor[] wrt)
    {
        using var tape = new Tape(wrt);
        var gradients = tape.Gradient(f(), seed);
        return Array.ConvertAll(wrt, tensor => gradients[tensor].ToFloats());
    }
}

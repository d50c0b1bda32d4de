using Dom.Kernels.Cpu;
using Dom.Kernels.Reference;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Tensors.Tests.Ops;

[TestFixture("reference")]
[TestFixture("cpu")]
public sealed class PerturbTests(string device)
{
    private const int Rows = 7, Length = 1003;
    private const float Epsilon = 8f / 255, Step = 2f / 255;

    private IBackend _backend = null!;
    private TensorScope _scope = null!;

    [SetUp]
    public void Open()
    {
        _backend = device == "cpu" ? new CpuBackend(2) : new ReferenceBackend();
        _scope = new TensorScope();
    }

    [TearDown]
    public void Close()
    {
        _scope.Dispose();
        _backend.Dispose();
    }

    [Test]
    public void Ten_sign_steps_stay_in_the_ball_and_in_the_box_and_reach_the_edge_of_the_ball()
    {
        var clean = Uniform(0, 0, 1);
        float[] center = clean.ToFloats();
        var x = clean;
        for (int step = 1; step <= 10; step++)
        {
            x = Perturb.SignStep(clean, x, Uniform(step / 6 + 1, -1, 1), Step, Epsilon);
            float[] y = x.ToFloats();
            Assert.That(y, Is.All.InRange(0f, 1f));
            Assert.That(y.Where((v, i) => v < center[i] - Epsilon || v > center[i] + Epsilon), Is.Empty, $"outside the ball after step {step}");
        }
        float[] last = x.ToFloats();
        Assert.That(last.Where((v, i) => v == center[i] + Epsilon || v == center[i] - Epsilon), Is.Not.Empty);
    }

    [Test]
    public void A_sign_step_equals_the_formula_written_out()
    {
        var clean = Tensor.From([0.5f, 0.5f, 0.5f, 0.5f, 0.02f, 0.99f, 0.5f], Shape.Of(7), _backend);
        var x = Tensor.From([0.5f, 0.5f, 0.5f, 0.5f, 0.02f, 0.99f, 0.59f], Shape.Of(7), _backend);
        var gradient = Tensor.From([1e-30f, -3, 0, float.NaN, -1, 1, 1], Shape.Of(7), _backend);
        var y = Perturb.SignStep(clean, x, gradient, 0.05f, 0.1f);
        Assert.That(y.ToFloats(), Is.EqualTo(new[] { 0.55f, 0.45f, 0.5f, 0.5f, 0, 1, 0.6f }).Within(1e-7));
    }

    [Test]
    public void A_euclidean_step_has_the_length_asked_for_and_is_pulled_back_to_the_ball()
    {
        var clean = Uniform(0, 0.4f, 0.6f);
        var tiny = Uniform(1, -1e-9f, 1e-9f);
        var free = Perturb.L2Step(clean, clean, tiny, 0.25f, 10);
        var pulled = Perturb.L2Step(clean, free, tiny, 0.25f, 0.3f);
        Assert.Multiple(() =>
        {
            Assert.That(Distances(clean, free), Is.All.EqualTo(0.25).Within(1e-5));
            Assert.That(Distances(clean, pulled), Is.All.EqualTo(0.3).Within(1e-5));
        });
    }

    [Test]
    public void A_euclidean_step_goes_along_the_gradient_of_its_own_row()
    {
        var clean = Tensor.From([0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.9f], Shape.Of(3, 2), _backend);
        var gradient = Tensor.From([300, 400, 0, 0, 0, 0.001f], Shape.Of(3, 2), _backend);
        var y = Perturb.L2Step(clean, clean, gradient, 0.2f, 0.2f);
        Assert.That(y.ToFloats(), Is.EqualTo(new[] { 0.62f, 0.66f, 0.5f, 0.5f, 0.5f, 1 }).Within(1e-6), "3-4-5; no direction; stopped by the box");
    }

    [Test]
    public void One_two_and_three_threads_give_the_same_bits()
    {
        float[][] results = [.. new[] { 1, 2, 3 }.Select(threads =>
        {
            using var backend = new CpuBackend(threads);
            using var scope = new TensorScope();
            var clean = Uniform(0, 0, 1, 100 * 3072, backend).As(Shape.Of(100, 3072));
            var gradient = Uniform(1, -1, 1, 100 * 3072, backend).As(clean.Shape);
            return (float[])[
                .. Perturb.SignStep(clean, clean, gradient, Step, Epsilon).ToFloats(), .. Perturb.L2Step(clean, clean, gradient, 0.1f, 0.5f).ToFloats()];
        })];
        Assert.That(results[1], Is.EqualTo(results[0]));
        Assert.That(results[2], Is.EqualTo(results[0]));
    }

    [Test]
    public void Wrong_arguments_are_named()
    {
        var x = Uniform(0, 0, 1);
        var other = Filled.Create(Shape.Of(3), 0, _backend);
        Assert.Multiple(() =>
        {
            Assert.That(() => Perturb.SignStep(x, x, other, Step, Epsilon), Throws.TypeOf<ShapeException>().With.Message.Contains("the gradient f32 [3]"));
            Assert.That(() => Perturb.SignStep(x, x, x, Step, -1), Throws.ArgumentException.With.Message.Contains("-1"));
            Assert.That(() => Perturb.SignStep(x, x, x, Step, 1, 1, 0), Throws.ArgumentException.With.Message.Contains("low"));
            Assert.That(() => Perturb.L2Step(other, other, other, Step, 1), Throws.TypeOf<ShapeException>().With.Message.Contains("[N, ...]"));
            Assert.That(() => Perturb.L2Step(x, x, x, float.NaN, 1), Throws.ArgumentException.With.Message.Contains("NaN"));
        });
    }

    private static IEnumerable<double> Distances(Tensor clean, Tensor x) => clean.ToFloats().Zip(x.ToFloats(), (a, b) => ((double)b - a) * ((double)b - a))
        .Chunk(Length).Select(row => Math.Sqrt(row.Sum()));

    private Tensor Uniform(int step, float low, float high) => Uniform(step, low, high, Rows * Length, _backend).As(Shape.Of(Rows, Length));

    private static Tensor Uniform(int step, float low, float high, int count, IBackend backend)
    {
        var stream = RandomStream.For(6, RandomPurpose.Test, step: step);
        return Tensor.From([.. Enumerable.Range(0, count).Select(i => low + (high - low) * stream.Uniform(i))], Shape.Of(count), backend);
    }
}

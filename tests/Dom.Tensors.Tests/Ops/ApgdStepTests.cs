using Dom.Kernels.Cpu;
using Dom.Tensors.Ops;

namespace Dom.Tensors.Tests.Ops;

public sealed class ApgdStepTests(string device) : OperatorTest(device)
{
    private const float Epsilon = 0.1f;

    [Test]
    public void A_step_is_the_formula_with_the_numbers_put_in()
    {
        // Columns: free; stopped by the ball in z; by the box; against a falling gradient; no gradient, momentum alone; momentum out of the ball.
        var clean = Of([0.5f, 0.5f, 0.98f, 0.5f, 0.5f, 0.5f], 1, 6);
        var x = Of([0.5f, 0.55f, 0.98f, 0.5f, 0.52f, 0.59f], 1, 6);
        var previous = Of([0.48f, 0.55f, 0.98f, 0.5f, 0.5f, 0.41f], 1, 6);
        var gradient = Of([3, 1e-20f, 1, -2, 0, 5], 1, 6);
        var y = ApgdStep.Sign(clean, x, previous, gradient, Of([0.08f], 1), 0.75f, Epsilon);
        Assert.That(y.ToFloats(), Is.EqualTo(new[]
        {
            0.5f + 0.75f * 0.08f + 0.25f * 0.02f, // 0.565
            0.55f + 0.75f * 0.05f,                // z = 0.6
            0.98f + 0.75f * 0.02f,                // z = 1
            0.5f - 0.75f * 0.08f,
            0.52f + 0.25f * 0.02f,
            0.6f,                                 // 0.59 + 0.75 0.01 + 0.25 0.18 = 0.6425
        }).Within(1e-6));
    }

    [Test]
    public void Every_row_has_its_own_step_and_below_zero_it_descends()
    {
        var clean = Of([0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f], 3, 2);
        var y = ApgdStep.Sign(clean, clean, clean, Of([1, -1, 1, -1, 1, -1], 3, 2), Of([0.05f, 0, -0.02f], 3), 1, Epsilon);
        Assert.That(y.ToFloats(), Is.EqualTo(new[] { 0.55f, 0.45f, 0.5f, 0.5f, 0.48f, 0.52f }).Within(1e-6));
    }

    [Test]
    public void The_first_step_without_a_step_before_is_the_sign_step()
    {
        var clean = Of([.. Random(0, 4, 1003).ToFloats().Select(v => (v + 1) / 2)], 4, 1003);
        var gradient = Random(1, 4, 1003);
        var y = ApgdStep.Sign(clean, clean, clean, gradient, Filled.Create(Shape.Of(4), 2 * Epsilon, Backend), 1, Epsilon);
        Assert.That(y.ToFloats(), Is.EqualTo(Perturb.SignStep(clean, clean, gradient, 2 * Epsilon, Epsilon).ToFloats()).Within(1e-6));
    }

    [Test]
    public void One_two_and_three_threads_give_the_same_bits()
    {
        float[][] results = [.. new[] { 1, 2, 3 }.Select(threads =>
        {
            using var backend = new CpuBackend(threads);
            using var scope = new TensorScope();
            var ids = Tensor.From(Enumerable.Range(0, 50).ToArray(), backend);
            var shape = Shape.Of(50, 3072);
            Tensor Draw(int step, float low) => Noise.Uniform(ids, shape, RandomStream.For(1, RandomPurpose.Test, step: step), low);
            var clean = Draw(0, 0);
            var steps = Tensor.From([.. Enumerable.Range(0, 50).Select(n => 0.01f * n)], Shape.Of(50), backend);
            return ApgdStep.Sign(clean, Draw(1, 0), Draw(2, 0), Draw(3, -1), steps, 0.75f, Epsilon).ToFloats();
        })];
        Assert.That(results[1], Is.EqualTo(results[0]));
        Assert.That(results[2], Is.EqualTo(results[0]));
    }

    [Test]
    public void Wrong_arguments_are_named()
    {
        var x = Random(0, 2, 3);
        var steps = Of([1, 1], 2);
        Assert.Multiple(() =>
        {
            Assert.That(() => ApgdStep.Sign(x, x, Random(1, 3, 2), x, steps, 1, 1), Throws.TypeOf<ShapeException>().With.Message.Contains("the one before"));
            Assert.That(() => ApgdStep.Sign(x, x, x, x, Of([1], 1), 1, 1), Throws.TypeOf<ShapeException>().With.Message.Contains("step sizes f32 [2]"));
            Assert.That(() => ApgdStep.Sign(steps, steps, steps, steps, steps, 1, 1), Throws.TypeOf<ShapeException>().With.Message.Contains("[N, ...]"));
            Assert.That(() => ApgdStep.Sign(x, x, x, x, steps, 1.5f, 1), Throws.ArgumentException.With.Message.Contains("1.5"));
            Assert.That(() => ApgdStep.Sign(x, x, x, x, steps, 1, -1), Throws.ArgumentException.With.Message.Contains("-1"));
            Assert.That(() => ApgdStep.Sign(x, x, x, x, steps, 1, 1, 1, 0), Throws.ArgumentException.With.Message.Contains("low"));
        });
    }
}

using Dom.Kernels.Cpu;
using Dom.Kernels.Reference;
using Dom.Tensors.Autodiff;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Tensors.Tests.Ops;

[TestFixture("reference")]
[TestFixture("cpu")]
public sealed class RowsTests(string device)
{
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
        Assert.That(_backend.Memory.LiveBytes, Is.Zero, "every tensor must be released");
        _backend.Dispose();
    }

    [Test]
    public void Gather_takes_rows_of_any_element_type_in_the_order_asked_for([Values(DType.F32, DType.BF16, DType.I32, DType.U8)] DType type)
    {
        var source = Tensor.Empty(Shape.Of(4, 1, 2), type, _backend);
        byte[] bytes = [.. Enumerable.Range(1, (int)source.Read.Bytes).Select(i => (byte)i)];
        _backend.CopyFromHost(bytes, source.Write);
        var y = Rows.Gather(source, Tensor.From([3, 0, 3], _backend));

        var picked = new byte[y.Read.Bytes];
        _backend.CopyToHost(y.Read, picked);
        int row = bytes.Length / 4;
        Assert.Multiple(() =>
        {
            Assert.That(y.Shape, Is.EqualTo(Shape.Of(3, 1, 2)));
            Assert.That(y.Type, Is.EqualTo(type));
            Assert.That(picked, Is.EqualTo(bytes[(3 * row)..].Concat(bytes[..row]).Concat(bytes[(3 * row)..])));
        });
    }

    [Test]
    public void Scatter_puts_back_what_gather_took_and_leaves_the_other_rows()
    {
        var target = Tensor.From([1, 2, 3, 4, 5, 6, 7, 8], Shape.Of(4, 2), _backend);
        Rows.Scatter(Tensor.From([70, 80, 10, 20], Shape.Of(2, 2), _backend), Tensor.From([3, 0], _backend), target);
        Assert.That(target.ToFloats(), Is.EqualTo(new float[] { 10, 20, 3, 4, 5, 6, 70, 80 }));
    }

    [Test]
    public void Blend_mixes_row_by_row_and_is_exact_at_both_ends()
    {
        var a = Tensor.From([1, 0.1f, float.NaN, 3, 2, 4], Shape.Of(3, 2), _backend);
        var b = Tensor.From([float.PositiveInfinity, 5, 0.3f, 7, 6, 0], Shape.Of(3, 2), _backend);
        var y = Rows.Blend(a, b, Tensor.From([0, 1, 0.25f], Shape.Of(3), _backend));
        Assert.That(y.ToFloats(), Is.EqualTo(new[] { 1, 0.1f, 0.3f, 7, 3, 3 }));
    }

    [Test]
    public void Gradients_flow_back_to_the_rows_that_were_gathered_and_to_both_sides_of_a_blend()
    {
        var source = Tensor.From([1, 2, 3, 4, 5, 6], Shape.Of(3, 2), _backend);
        var other = Tensor.From([1, 1, 1, 1], Shape.Of(2, 2), _backend);
        using var tape = new Tape(source, other);
        var y = Rows.Blend(Rows.Gather(source, Tensor.From([2, 0], _backend)), other, Tensor.From([0.25f, 1], Shape.Of(2), _backend));
        var gradients = tape.Gradient(y, Tensor.From([4, 8, 16, 32], y.Shape, _backend));
        Assert.Multiple(() =>
        {
            Assert.That(gradients[source].ToFloats(), Is.EqualTo(new float[] { 0, 0, 0, 0, 3, 6 }));
            Assert.That(gradients[other].ToFloats(), Is.EqualTo(new float[] { 1, 2, 16, 32 }));
        });
    }

    [Test]
    public void No_rows_at_all_are_a_batch_of_nothing()
    {
        var source = Tensor.From([1, 2, 3, 4], Shape.Of(2, 2), _backend);
        var none = Rows.Gather(source, Tensor.From([], _backend));
        Rows.Scatter(none, Tensor.From([], _backend), source);
        Assert.Multiple(() =>
        {
            Assert.That(none.Shape, Is.EqualTo(Shape.Of(0, 2)));
            Assert.That(source.ToFloats(), Is.EqualTo(new float[] { 1, 2, 3, 4 }));
        });
    }

    [Test]
    public void One_two_and_three_threads_give_the_same_bits()
    {
        float[][] results = [.. new[] { 1, 2, 3 }.Select(threads =>
        {
            using var backend = new CpuBackend(threads);
            using var scope = new TensorScope();
            var stream = RandomStream.For(8, RandomPurpose.Test);
            var source = Tensor.From([.. Enumerable.Range(0, 1000 * 333).Select(i => stream.Uniform(i))], Shape.Of(1000, 333), backend);
            int[] order = RandomStream.For(8, RandomPurpose.Test, step: 1).Permutation(1000);
            var mixed = Rows.Gather(source, Tensor.From(order, backend));
            var weights = Tensor.From([.. Enumerable.Range(0, 1000).Select(i => i % 5 / 4f)], Shape.Of(1000), backend);
            return Rows.Blend(source, mixed, weights).ToFloats();
        })];
        Assert.That(results[1], Is.EqualTo(results[0]));
        Assert.That(results[2], Is.EqualTo(results[0]));
    }

    [Test]
    public void Shapes_that_do_not_fit_are_named()
    {
        var source = Tensor.From([1, 2, 3, 4], Shape.Of(2, 2), _backend);
        var rows = Tensor.From([1], _backend);
        Assert.Multiple(() =>
        {
            Assert.That(() => Rows.Gather(source, source), Throws.TypeOf<ShapeException>().With.Message.Contains("i32 [N]"));
            Assert.That(() => Rows.Scatter(source, rows, source), Throws.TypeOf<ShapeException>().With.Message.Contains("2 rows, 1 row numbers"));
            Assert.That(() => Rows.Scatter(Filled.Create(Shape.Of(1, 3), 0, _backend), rows, source),
                Throws.TypeOf<ShapeException>().With.Message.Contains("do not fit the target"));
            Assert.That(() => Rows.Blend(source, source, rows), Throws.TypeOf<ShapeException>().With.Message.Contains("weights f32 [2]"));
        });
    }
}

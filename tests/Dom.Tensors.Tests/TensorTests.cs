using Dom.Kernels.Reference;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Tensors.Tests;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class TensorTests
{
    private readonly ReferenceBackend _backend = new();
    private TensorScope _scope = null!;

    [SetUp]
    public void Open() => _scope = new TensorScope();

    [TearDown]
    public void Nothing_is_left()
    {
        _scope.Dispose();
        Assert.That(_backend.Memory.LiveBytes, Is.Zero, _backend.Memory.Report());
    }

    [TestCase(DType.F32, new[] { 1.5f, -2, 3.1415927f })]
    [TestCase(DType.BF16, new[] { 1.5f, -2, 3.140625f })]
    [TestCase(DType.F64, new[] { 1.5f, -2, 3.1415927f })]
    public void Numbers_come_back_rounded_to_the_stored_type(DType type, float[] expected)
    {
        Assert.That(Tensor.From([1.5f, -2f, 3.1415927f], Shape.Of(3), _backend, type).ToFloats(), Is.EqualTo(expected));
        Assert.That(Tensor.From([1.5, -2, 3.1415927f], Shape.Of(3), _backend, type).ToDoubles(), Is.EqualTo(expected.Select(v => (double)v)));
    }

    [Test]
    public void Doubles_are_kept_exactly_in_f64_and_rounded_in_f32()
    {
        Assert.That(Tensor.From([Math.PI], Shape.Of(1), _backend).ToDoubles(), Is.EqualTo(new[] { Math.PI }));
        Assert.That(Tensor.From([Math.PI], Shape.Of(1), _backend, DType.F32).ToDoubles(), Is.EqualTo(new double[] { (float)Math.PI }));
    }

    [Test]
    public void Integers_come_back_as_they_were()
    {
        var tensor = Tensor.From([3, -1, int.MaxValue], _backend);
        Assert.That(tensor.ToArray<int>(), Is.EqualTo(new[] { 3, -1, int.MaxValue }));
        Assert.That(tensor.ToDoubles(), Is.EqualTo(new double[] { 3, -1, int.MaxValue }));
    }

    [Test]
    public void Wrong_numbers_of_elements_and_wrong_types_are_refused()
    {
        var floats = Tensor.Empty(Shape.Of(2, 2), DType.F32, _backend);
        var integers = Tensor.Empty(Shape.Of(2), DType.I32, _backend);
        Assert.Multiple(() =>
        {
            Assert.That(() => floats.CopyFrom([1f, 2f]), Throws.TypeOf<ShapeException>().With.Message.Contains("4 elements are needed for [2, 2], got 2"));
            Assert.That(() => floats.CopyFrom([1.0]), Throws.TypeOf<ShapeException>().With.Message.Contains("got 1"));
            Assert.That(() => integers.CopyFrom([1f, 2f]), Throws.TypeOf<ShapeException>().With.Message.Contains("I32"));
            Assert.That(() => floats.ToArray<double>(), Throws.TypeOf<ShapeException>().With.Message.Contains("Double"));
            Assert.That(() => floats.As(Shape.Of(5)), Throws.TypeOf<ShapeException>().With.Message.Contains("[2, 2] has 4 elements, [5] has 5"));
        });
    }

    [Test]
    public void Another_shape_and_some_rows_are_views_of_the_same_memory()
    {
        var x = Tensor.From([1f, 2, 3, 4, 5, 6], Shape.Of(3, 2), _backend);
        var flat = x.As(Shape.Of(6));
        var rows = x.Rows(1, 2);
        rows.CopyFrom([30f, 40, 50, 60]);
        Assert.Multiple(() =>
        {
            Assert.That(flat.ToFloats(), Is.EqualTo(new[] { 1f, 2, 30, 40, 50, 60 }));
            Assert.That(rows.Shape, Is.EqualTo(Shape.Of(2, 2)));
            Assert.That(rows.Rows(1, 1).ToFloats(), Is.EqualTo(new[] { 50f, 60 }));
            Assert.That(x.Rows(3, 0).Count, Is.Zero);
            Assert.That(_backend.Memory.LiveBlocks, Is.EqualTo(1));
        });
    }

    [TestCase(0, 4)]
    [TestCase(-1, 2)]
    [TestCase(3, 1)]
    [TestCase(1, -1)]
    [TestCase(int.MaxValue, 1)]
    [TestCase(1, int.MaxValue)]
    public void Rows_that_are_not_there_are_refused(int start, int count)
    {
        var x = Tensor.Empty(Shape.Of(3, 2), DType.F32, _backend);
        Assert.That(() => x.Rows(start, count), Throws.TypeOf<ShapeException>().With.Message.Contains("of [3, 2]"));
    }

    [Test]
    public void Memory_goes_back_with_the_last_handle()
    {
        var x = Tensor.Empty(Shape.Of(4), DType.F32, _backend);
        var shared = x.Share();
        Assert.That((x.IsSoleOwner, _backend.Memory.LiveBlocks), Is.EqualTo((false, 1)));
        x.Dispose();
        x.Dispose();
        Assert.That((shared.IsSoleOwner, _backend.Memory.LiveBlocks), Is.EqualTo((true, 1)));
        shared.Dispose();
        Assert.That(_backend.Memory.LiveBlocks, Is.Zero);
    }

    [Test]
    public void A_disposed_tensor_is_known_by_its_shape_and_says_what_to_do()
    {
        var x = Tensor.Empty(Shape.Of(4), DType.F32, _backend);
        x.Dispose();
        Assert.Multiple(() =>
        {
            Assert.That(x.ToString(), Is.EqualTo("f32 [4] on reference (disposed)"));
            Assert.That(() => x.Read, Throws.TypeOf<ObjectDisposedException>().With.Message.Contains("TensorScope.Keep"));
            Assert.That(() => x.ToFloats(), Throws.TypeOf<ObjectDisposedException>());
            Assert.That(() => x.Share(), Throws.TypeOf<ObjectDisposedException>());
            Assert.That(() => Relu.Apply(x), Throws.TypeOf<ObjectDisposedException>());
        });
    }

    [Test]
    public void A_view_says_what_may_be_done_with_the_memory()
    {
        var x = Tensor.Empty(Shape.Of(2, 3), DType.BF16, _backend);
        Assert.That((x.Read.Access, x.Write.Access, x.ReadWrite.Access), Is.EqualTo((Access.Read, Access.Write, Access.ReadWrite)));
        Assert.That((x.Read.Length, x.Read.Bytes, x.Read.ToString(), View.None.ToString()), Is.EqualTo((6, 12L, "bf16[6]", "none")));
    }
}

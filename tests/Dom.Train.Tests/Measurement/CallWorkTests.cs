using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;
using Dom.Train.Measurement;

namespace Dom.Train.Tests.Measurement;

public sealed class CallWorkTests
{
    private static View Floats(int count, Access access = Access.Read, DType type = DType.F32) => new(64, count, type, access);

    [Test]
    public void A_convolution_counts_only_the_taps_that_meet_the_image()
    {
        // 4x4 image, 3x3 kernel, padding 1: along an axis the outputs have 2, 3, 3, 2 taps, so 10 x 10 of 12 x 12.
        var sizes = new Conv2dSizes(2, 4, 4, 5, 7, 3, 3, 1, 1);
        var work = CallWork.Of(new Conv2dForward(Floats(160), Floats(315), Floats(224, Access.Write), sizes));
        Assert.Multiple(() =>
        {
            Assert.That(work.DirectOperations, Is.EqualTo(2.0 * 2 * 5 * 7 * 100));
            Assert.That(work.FewestOperations, Is.EqualTo(work.DirectOperations), "5 channels are too few for Winograd");
            Assert.That(work.Bytes, Is.EqualTo(4 * (160 + 315 + 224)));
            Assert.That((work.Call, work.Sizes), Is.EqualTo(("Conv2dForward", "f32 5->7 @4 3x3, batch 2")));
        });
    }

    [Test]
    public void Winograd_needs_a_quarter_of_the_operations_of_a_wide_3x3_convolution_with_stride_1_and_nine_sixteenths_with_stride_2()
    {
        var wide = new Conv2dSizes(1, 32, 32, 64, 64, 3, 3, 1, 1);
        Conv2dSizes strided = wide with { Stride = 2 }, narrow = strided with { Inputs = 63 };
        Assert.Multiple(() =>
        {
            Assert.That(CallWork.Of(new Conv2dInputGradient(Floats(1), Floats(1), Floats(1), wide)).FewestOperations, Is.EqualTo(wide.Operations / 4));
            var work = CallWork.Of(new Conv2dWeightGradient(Floats(1), Floats(1), Floats(1), strided));
            Assert.That(work.FewestOperations, Is.EqualTo(strided.Operations * 9 / 16));
            var few = CallWork.Of(new Conv2dWeightGradient(Floats(1), Floats(1), Floats(1), narrow));
            Assert.That(few.FewestOperations, Is.EqualTo(few.DirectOperations));
            Assert.That(work.Sizes, Does.EndWith("@32 3x3 /2, batch 1"));
        });
    }

    [Test]
    public void What_is_read_and_written_counts_twice_and_what_is_not_there_not_at_all()
    {
        var sgd = CallWork.Of(new SgdStep(Floats(10, Access.ReadWrite), Floats(10), Floats(10, Access.ReadWrite), Floats(3), Floats(1, Access.ReadWrite), 0.1f, 0.9f, 0, 0));
        Assert.That(sgd.Bytes, Is.EqualTo(4 * (50 + 3 + 2)));
        var relu = CallWork.Of(new ReluForward(Floats(8, type: DType.BF16), View.None));
        Assert.That((relu.Bytes, relu.DirectOperations), Is.EqualTo((16.0, 0.0)));
    }

    [Test]
    public void Calls_that_do_equal_work_have_one_name_whatever_their_seeds_and_rates_are()
    {
        var first = CallWork.Of(new SgdStep(Floats(10), Floats(10), Floats(10), View.None, View.None, 0.1f, 0.9f, 0, 0));
        var second = CallWork.Of(new SgdStep(Floats(10), Floats(10), Floats(10), View.None, View.None, 0.01f, 0.9f, 5e-4f, 0));
        var other = CallWork.Of(new SgdStep(Floats(10), Floats(10), Floats(10), View.None, View.None, 0.01f, 0.9f, 5e-4f, 1));
        Assert.That(first, Is.EqualTo(second));
        Assert.That(other.Sizes, Is.EqualTo("f32[10] Nesterov=1"));
    }

    [Test]
    public void A_matrix_product_counts_a_multiplication_and_an_addition_for_every_term()
    {
        var work = CallWork.Of(new Gemm(Floats(6), Floats(12), Floats(8), 2, 4, 3, 0, 1));
        Assert.That(work.DirectOperations, Is.EqualTo(48));
        Assert.That(work.Sizes, Is.EqualTo("f32[12] M=2 N=4 K=3 TransposeB=1"));
    }
}

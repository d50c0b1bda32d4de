using Dom.Kernels.Cpu;
using Dom.Kernels.Reference;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Tensors.Tests.Ops;

/// <summary>Small examples worked by hand. The comparison with torchvision is in Dom.Train.Tests.</summary>
[TestFixture("reference")]
[TestFixture("cpu")]
public sealed class ImageOperationsTests(string device)
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
        _backend.Dispose();
    }

    [Test]
    public void All_256_pixels_come_back_as_they_were()
    {
        byte[] all = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
        Assert.That(Apply(all, 16, 16, 1, new(ImageOperation.Identity)), Is.EqualTo(all));
    }

    [Test]
    public void Pixels_between_the_bytes_are_rounded_down_and_those_outside_are_clamped()
    {
        var images = Tensor.From([0.5f, 127.99f / 255.999f, 128.01f / 255.999f, -0.3f, 1.2f, float.NaN, 1], Shape.Of(1, 1, 7, 1), _backend);
        Assert.That(Bytes(ImageOperations.Apply(images, [default], ImageSampling.Nearest)), Is.EqualTo(new byte[] { 127, 127, 128, 0, 255, 0, 255 }));
    }

    [Test]
    public void Translation_moves_whole_pixels_to_the_right_and_down_and_leaves_black()
    {
        byte[] x = [1, 2, 3, 4, 5, 6];
        Assert.Multiple(() =>
        {
            Assert.That(Apply(x, 1, 6, 1, new(ImageOperation.TranslateX, 2.7f)), Is.EqualTo(new byte[] { 0, 0, 1, 2, 3, 4 }));
            Assert.That(Apply(x, 6, 1, 1, new(ImageOperation.TranslateY, -1)), Is.EqualTo(new byte[] { 2, 3, 4, 5, 6, 0 }));
        });
    }

    [Test]
    public void Rotation_is_counterclockwise() => Assert.That(
        Apply([1, 2, 3, 4, 5, 6, 7, 8, 9], 3, 3, 1, new(ImageOperation.Rotate, 90)), Is.EqualTo(new byte[] { 3, 6, 9, 2, 5, 8, 1, 4, 7 }));

    /// <summary>Row i reads 0.4 (i + 1/2) = 0.2, 0.6, 1 columns to the right.</summary>
    [Test]
    public void Shear_leaves_the_upper_edge()
    {
        byte[] x = [1, 2, 3, 1, 2, 3, 1, 2, 3];
        Assert.That(Apply(x, 3, 3, 1, new(ImageOperation.ShearX, 0.4f)), Is.EqualTo(new byte[] { 1, 2, 3, 2, 3, 0, 2, 3, 0 }));
        Assert.That(Apply([1, 1, 1, 2, 2, 2, 3, 3, 3], 3, 3, 1, new(ImageOperation.ShearY, 0.4f)), Is.EqualTo(new byte[] { 1, 2, 2, 2, 3, 3, 3, 0, 0 }));
    }

    /// <summary>The same shear between pixels: row 0 is 0.8 of a pixel and 0.2 of its right neighbour.</summary>
    [Test]
    public void Bilinear_sampling_weighs_the_neighbours_and_black_outside() => Assert.That(
        Apply([10, 20, 30, 10, 20, 30, 10, 20, 30], 3, 3, 1, new(ImageOperation.ShearX, 0.4f), ImageSampling.Bilinear),
        Is.EqualTo(new byte[] { 12, 22, 24, 16, 26, 12, 20, 30, 0 }));

    [Test]
    public void Blends_go_through_black_gray_and_the_mean_gray() => Assert.Multiple(() =>
    {
        Assert.That(Apply([101, 200, 0], 1, 3, 1, new(ImageOperation.Brightness, 0.5f)), Is.EqualTo(new byte[] { 151, 255, 0 }));
        // 0.2989 10 + 0.587 200 + 0.114 30 = 123.8
        Assert.That(Apply([10, 200, 30], 1, 1, 3, new(ImageOperation.Color, -1)), Is.EqualTo(new byte[] { 123, 123, 123 }));
        Assert.That(Apply([10, 200, 30], 1, 1, 3, new(ImageOperation.Color, -0.5f)), Is.EqualTo(new byte[] { 66, 161, 76 }));
        Assert.That(Apply([10, 200], 1, 2, 1, new(ImageOperation.Color, -1)), Is.EqualTo(new byte[] { 10, 200 }), "one channel is gray already");
        Assert.That(Apply([0, 3], 1, 2, 1, new(ImageOperation.Contrast, 1)), Is.EqualTo(new byte[] { 0, 4 }), "2 x - 1.5: the mean is not rounded");
    });

    [Test]
    public void Sharpness_smooths_the_inside_and_leaves_the_border()
    {
        byte[] x = [0, 0, 26, 0, 130, 0, 0, 0, 0];
        Assert.That(Apply(x, 3, 3, 1, new(ImageOperation.Sharpness, -1)), Is.EqualTo(new byte[] { 0, 0, 26, 0, 52, 0, 0, 0, 0 })); // (5 130 + 26) / 13
        Assert.That(Apply(x[..6], 2, 3, 1, new(ImageOperation.Sharpness, -1)), Is.EqualTo(x[..6]), "too small to have an inside");
    }

    [Test]
    public void Posterize_keeps_bits_and_solarize_inverts_from_its_threshold_on() => Assert.Multiple(() =>
    {
        Assert.That(Apply([255, 17, 16, 15], 1, 4, 1, new(ImageOperation.Posterize, 4)), Is.EqualTo(new byte[] { 240, 16, 16, 0 }));
        Assert.That(Apply([255, 17], 1, 2, 1, new(ImageOperation.Posterize, 7)), Is.EqualTo(new byte[] { 254, 16 }));
        Assert.That(Apply([178, 179, 255], 1, 3, 1, new(ImageOperation.Solarize, 178.5f)), Is.EqualTo(new byte[] { 178, 76, 0 }));
        Assert.That(Apply([254, 255], 1, 2, 1, new(ImageOperation.Solarize, 255)), Is.EqualTo(new byte[] { 254, 0 }));
    });

    [Test]
    public void AutoContrast_spreads_each_channel_by_itself_and_leaves_constant_ones() => Assert.That(
        Apply([10, 7, 50, 20, 7, 50, 30, 7, 54], 1, 3, 3, new(ImageOperation.AutoContrast)), Is.EqualTo(new byte[] { 0, 7, 0, 127, 7, 0, 255, 7, 255 }));

    /// <summary>Of 1200 pixels 300 are 10, 300 are 20, 600 are 30: s = floor(600 / 255) = 2, so 10 becomes floor((0 + 1) / 2), 20 floor((300 + 1) / 2), 30 min(255, floor((600 + 1) / 2)).</summary>
    [Test]
    public void Equalize_follows_the_histogram()
    {
        byte[] x = [.. Enumerable.Repeat((byte)10, 300), .. Enumerable.Repeat((byte)20, 300), .. Enumerable.Repeat((byte)30, 600)];
        byte[] y = [.. Enumerable.Repeat((byte)0, 300), .. Enumerable.Repeat((byte)150, 300), .. Enumerable.Repeat((byte)255, 600)];
        Assert.That(Apply(x, 30, 40, 1, new(ImageOperation.Equalize)), Is.EqualTo(y));
        Assert.That(Apply([10, 20, 30, 40], 2, 2, 1, new(ImageOperation.Equalize)), Is.EqualTo(new byte[] { 10, 20, 30, 40 }), "too few pixels");
    }

    [Test]
    public void The_operations_of_a_chain_follow_each_other_and_every_chain_begins_at_its_image()
    {
        var images = From([1, 2, 3, 50, 60, 70], 2, 1, 3, 1);
        ImageStep left = new(ImageOperation.TranslateX, -1), invert = new(ImageOperation.Solarize, 0);
        var y = ImageOperations.Apply(images, [left, invert, invert, left, left, left, default, default], ImageSampling.Nearest, chains: 2);
        Assert.That(Bytes(y), Is.EqualTo(new byte[] { 253, 252, 255, 253, 252, 0, 70, 0, 0, 50, 60, 70 }));
    }

    [Test]
    public void A_mixture_is_rounded_down_at_its_end_alone()
    {
        var images = From([10, 100], 1, 1, 2, 1);
        var chains = From([20, 0, 31, 255], 2, 1, 2, 1);
        Assert.That(Bytes(ImageOperations.Mix(images, chains, [0.5f, 0.25f, 0.25f])), Is.EqualTo(new byte[] { 17, 113 })); // 17.75, 113.75
    }

    [Test]
    public void What_cannot_be_done_is_refused_in_words()
    {
        var images = From([1, 2, 3, 4], 1, 2, 2, 1);
        void Refused<TError>(Action act, string words) where TError : Exception => Assert.That(act, Throws.InstanceOf<TError>().With.Message.Contains(words));
        Assert.Multiple(() =>
        {
            Refused<ShapeException>(() => ImageOperations.Apply(From([1, 2], 1, 1, 1, 2), [default], default), "got 2 channels");
            Refused<ShapeException>(() => ImageOperations.Apply(Tensor.From(new[] { 1 }, _backend), [default], default), "f32 [N, H, W, C]");
            Refused<ShapeException>(() => ImageOperations.Apply(images, [default, default, default], default, chains: 2), "3 steps came");
            Refused<ArgumentException>(() => ImageOperations.Apply(images, [new(ImageOperation.Posterize, 9)], default), "a number of bits, 0..8; got 9");
            Refused<ArgumentException>(() => ImageOperations.Apply(images, [new(ImageOperation.Solarize, 256)], default), "a threshold up to 255");
            Refused<ArgumentException>(() => ImageOperations.Apply(images, [new(ImageOperation.Color, -1.5f)], default), "-1 or above");
            Refused<ArgumentException>(() => ImageOperations.Apply(images, [new(ImageOperation.Rotate, float.NaN)], default), "a finite number");
            Refused<ArgumentException>(() => ImageOperations.Apply(images, [new((ImageOperation)14)], default), "14 is no operation");
            Refused<ShapeException>(() => ImageOperations.Mix(images, From([1], 1, 1, 1, 1), [1, 0]), "no f32 images of the size");
            Refused<ShapeException>(() => ImageOperations.Mix(images, images, [1]), "need 2 weights, 1 came");
        });
    }

    [Test]
    public void One_two_and_three_threads_give_the_same_bits()
    {
        var pixels = new float[64 * 9 * 7 * 3];
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = RandomStream.For(1, RandomPurpose.Test).Uniform(i);
        ImageStep[] steps = [.. Enumerable.Range(0, 64 * 3).Select(i => new ImageStep((ImageOperation)(i * 5 % 14), 0.2f))];
        float[][] results = [.. new[] { 1, 2, 3 }.Select(threads =>
        {
            using var backend = new CpuBackend(threads);
            using var scope = new TensorScope();
            return ImageOperations.Apply(Tensor.From(pixels, Shape.Of(64, 9, 7, 3), backend), steps, ImageSampling.Bilinear).ToFloats();
        })];
        Assert.That(results[1], Is.EqualTo(results[0]));
        Assert.That(results[2], Is.EqualTo(results[0]));
    }

    private byte[] Apply(byte[] x, int height, int width, int channels, ImageStep step, ImageSampling sampling = ImageSampling.Nearest) =>
        Bytes(ImageOperations.Apply(From(x, 1, height, width, channels), [step], sampling));

    private Tensor From(byte[] x, int count, int height, int width, int channels) =>
        Tensor.From(Array.ConvertAll(x, b => b / 255f), Shape.Of(count, height, width, channels), _backend);

    private static byte[] Bytes(Tensor images) => Array.ConvertAll(images.ToFloats(), v => (byte)MathF.Round(v * 255));
}

using Dom.Kernels.Cpu;
using Dom.Kernels.Reference;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Tensors.Tests.Ops;

[TestFixture("reference")]
[TestFixture("cpu")]
public sealed class CropFlipTests(string device)
{
    private const int Size = 6, Padding = 2, Padded = Size + 2 * Padding;
    private const int Outcomes = (2 * Padding + 1) * (2 * Padding + 1) * 2;

    private static readonly RandomStream s_stream = RandomStream.For(1, RandomPurpose.Augmentation, epoch: 3);

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
    public void Every_crop_and_flip_of_the_reflected_image_occurs_equally_often()
    {
        const int Samples = 100 * Outcomes;
        int[] mirrored = [2, 1, 0, 1, 2, 3, 4, 5, 4, 3];
        float[] padded = [.. mirrored.SelectMany(row => mirrored.Select(column => Pixel(row, column) / 255f))];
        int[] counts = Count(padded, Samples);
        // Each count is binomial around 100 with a standard deviation of 9.9; five of those leave no room for a missing or doubled outcome.
        Assert.That(counts, Is.All.InRange(51, 149));
    }

    [Test]
    public void PyTorch_reflects_in_the_same_way()
    {
        float[] image = [.. Enumerable.Range(0, Size * Size).Select(i => Pixel(i / Size, i % Size) / 255f)];
        float[] padded = TorchOracle.Ask(
            $"y = torch.nn.functional.pad(x.reshape(1, 1, {Size}, {Size}), [{Padding}] * 4, mode='reflect').flatten()", image);
        Assert.That(Count(padded, 500).Sum(), Is.EqualTo(500));
    }

    [Test]
    public void A_sample_is_cropped_alike_wherever_it_stands_in_a_batch()
    {
        var images = Images(20);
        float[] together = RandomCropFlip.Apply(images, Ids(3, 17, 4), s_stream, Padding).ToFloats();
        float[] alone = RandomCropFlip.Apply(images, Ids(17), s_stream, Padding).ToFloats();
        Assert.That(together[(Size * Size)..(2 * Size * Size)], Is.EqualTo(alone));
    }

    [Test]
    public void Without_padding_and_flips_the_pixels_are_divided_by_255_correctly_rounded()
    {
        byte[] all = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
        var images = Bytes(all, Shape.Of(2, 8, 4, 4));
        Assert.That(RandomCropFlip.Plain(images, Ids(1, 0)).ToFloats(), Is.EqualTo(all[128..].Concat(all[..128]).Select(pixel => pixel / 255f)));
    }

    [Test]
    public void Channels_stay_together()
    {
        byte[] pixels = [.. Enumerable.Range(0, 5 * 5).SelectMany(i => (byte[])[(byte)i, (byte)(i + 100), (byte)(i + 200)])];
        var images = Bytes(pixels, Shape.Of(1, 5, 5, 3));
        for (int epoch = 0; epoch < 20; epoch++)
        {
            var stream = RandomStream.For(1, RandomPurpose.Augmentation, epoch);
            var y = RandomCropFlip.Apply(images, Ids(0), stream).ToFloats().Select(v => (int)MathF.Round(v * 255)).Chunk(3);
            Assert.That(y, Has.All.Matches<int[]>(p => p[1] == p[0] + 100 && p[2] == p[0] + 200));
        }
    }

    [Test]
    public void One_two_and_three_threads_give_the_same_bits()
    {
        int[] ids = [.. Enumerable.Range(0, 64)];
        float[][] results = [.. new[] { 1, 2, 3 }.Select(threads =>
        {
            using var backend = new CpuBackend(threads);
            using var scope = new TensorScope();
            return RandomCropFlip.Apply(Images(64, backend), Tensor.From(ids, backend), s_stream, Padding).ToFloats();
        })];
        Assert.That(results[1], Is.EqualTo(results[0]));
        Assert.That(results[2], Is.EqualTo(results[0]));
    }

    [Test]
    public void A_padding_that_reflection_cannot_fill_and_images_that_are_no_bytes_are_refused()
    {
        var images = Images(2);
        var ids = Ids(0);
        Assert.Multiple(() =>
        {
            Assert.That(() => RandomCropFlip.Apply(images, ids, s_stream, Size), Throws.TypeOf<ShapeException>().With.Message.Contains("0 .. 5"));
            Assert.That(() => RandomCropFlip.Apply(images, ids, s_stream, -1), Throws.TypeOf<ShapeException>());
            Assert.That(() => RandomCropFlip.Apply(ids, ids, s_stream), Throws.TypeOf<ShapeException>().With.Message.Contains("u8 [samples, H, W, C]"));
            Assert.That(() => RandomCropFlip.Apply(images, images, s_stream), Throws.TypeOf<ShapeException>().With.Message.Contains("i32 [N]"));
        });
    }

    /// <summary>How often each crop and flip of the padded image occurs; fails at a picture that is none of them.</summary>
    private int[] Count(float[] padded, int samples)
    {
        var outcomes = new Dictionary<string, int>();
        for (int top = 0; top <= 2 * Padding; top++)
            for (int left = 0; left <= 2 * Padding; left++)
                foreach (bool flips in (bool[])[false, true])
                    outcomes.Add(Key(Enumerable.Range(0, Size * Size).Select(i =>
                        padded[(top + i / Size) * Padded + left + (flips ? Size - 1 - i % Size : i % Size)])), outcomes.Count);
        var counts = new int[Outcomes];
        var y = RandomCropFlip.Apply(Images(samples), Tensor.From([.. Enumerable.Range(0, samples)], _backend), s_stream, Padding);
        foreach (var image in y.ToFloats().Chunk(Size * Size))
        {
            Assert.That(outcomes.TryGetValue(Key(image), out int outcome), Is.True, "a picture that is no crop of the reflected image");
            counts[outcome]++;
        }
        return counts;
    }

    private static string Key(IEnumerable<float> pixels) => string.Join(' ', pixels);

    private static byte Pixel(int row, int column) => (byte)(row * 40 + column);

    private Tensor Images(int samples, IBackend? backend = null) => Bytes(
        [.. Enumerable.Range(0, samples * Size * Size).Select(i => Pixel(i / Size % Size, i % Size))], Shape.Of(samples, Size, Size, 1), backend);

    private Tensor Bytes(byte[] pixels, Shape shape, IBackend? backend = null)
    {
        var tensor = Tensor.Empty(shape, DType.U8, backend ?? _backend);
        tensor.Backend.CopyFromHost(pixels, tensor.Write);
        return tensor;
    }

    private Tensor Ids(params int[] ids) => Tensor.From(ids, _backend);
}

using Dom.Kernels.Cpu;
using Dom.Tensors;
using Dom.Tensors.Ops;
using Dom.Train.Augmentations;

namespace Dom.Train.Tests.Augmentations;

[TestFixture("AugMix")]
[TestFixture("RandAugment")]
public sealed class ImageAugmentationTests(string name)
{
    private static readonly RandomStream s_stream = RandomStream.For(3, RandomPurpose.Augmentation, epoch: 1, step: 20);
    private static readonly Pictures s_pictures = Pictures.Of(16, 14, 3);

    private readonly IImageAugmentation _policy = name == "AugMix" ? new AugMix() : new RandAugment();
    private CpuBackend _backend = null!;
    private TensorScope _scope = null!;

    [SetUp]
    public void Open() => (_backend, _scope) = (new CpuBackend(2), new TensorScope());

    [TearDown]
    public void Close()
    {
        _scope.Dispose();
        long live = _backend.Memory.LiveBytes;
        _backend.Dispose();
        Assert.That(live, Is.Zero, "bytes that nobody gave back");
    }

    [Test]
    public void A_samples_picture_depends_on_no_other_sample_of_its_batch([Range(0, 3)] int attempt)
    {
        float[] together = Apply([4, 9, 2, 30, 11], attempt, AugmentationDraw.Sample);
        float[] others = Apply([8, 9, 2, 31, 12], attempt, AugmentationDraw.Sample);
        int size = together.Length / 5;
        Assert.That(others[size..(3 * size)], Is.EqualTo(together[size..(3 * size)]));
        Assert.That(others[..size], Is.Not.EqualTo(together[..size]));
    }

    [Test]
    public void Samples_of_a_batch_draw_other_operations()
    {
        var steps = DrawSteps([.. Enumerable.Range(0, 50)], s_stream, 0, AugmentationDraw.Sample);
        Assert.That(steps.Select(s => string.Join(' ', s)).Distinct().Count(), Is.GreaterThan(40));
    }

    [Test]
    public void A_batch_shares_one_draw_of_operations_whoever_is_in_it()
    {
        var steps = DrawSteps([5, 6, 900], s_stream, 2, AugmentationDraw.Batch);
        Assert.That(steps[1], Is.EqualTo(steps[0]));
        Assert.That(steps[2], Is.EqualTo(steps[0]));
        Assert.That(DrawSteps([17], s_stream, 2, AugmentationDraw.Batch)[0], Is.EqualTo(steps[0]));
    }

    [Test]
    public void The_weights_of_AugMix_are_an_images_own_in_a_shared_draw_too()
    {
        float[][] Weights(int[] ids, AugmentationDraw draw) => [.. new AugMix().Draw(Shape.Of(ids.Length, 8, 8, 3), ids, s_stream, 1, draw).Weights.Chunk(4)];
        var shared = Weights([5, 6, 900], AugmentationDraw.Batch);
        Assert.That(shared[0], Is.Not.EqualTo(shared[1]));
        Assert.That(Weights([900], AugmentationDraw.Batch)[0], Is.EqualTo(shared[2]));
        Assert.That(Weights([900], AugmentationDraw.Sample)[0], Is.EqualTo(shared[2]));
    }

    [TestCase(AugmentationDraw.Batch)]
    [TestCase(AugmentationDraw.Sample)]
    public void Another_seed_epoch_step_or_attempt_draws_anew_and_the_same_ones_alike(AugmentationDraw draw)
    {
        // Many samples or steps: one draw of RandAugment may well come twice.
        string Drawn(RandomStream stream, int attempt) => string.Join(
            ' ', Enumerable.Range(0, 5).SelectMany(more => DrawSteps([.. Enumerable.Range(0, 5)], stream with { Step = stream.Step + 100 * (uint)more }, attempt, draw)).SelectMany(s => s));
        string[] drawn =
        [
            Drawn(s_stream, 0), Drawn(s_stream, 1), Drawn(s_stream, 2), Drawn(s_stream with { Seed = 4 }, 0), Drawn(s_stream with { Step = 21 }, 0),
            Drawn(RandomStream.For(3, RandomPurpose.Augmentation, epoch: 2, step: 20), 0), Drawn(RandomStream.For(3, RandomPurpose.Test, epoch: 1, step: 20), 0),
        ];
        Assert.That(drawn, Is.Unique);
        Assert.That(Drawn(s_stream.ForSample(77), 0), Is.EqualTo(drawn[0]), "the sample number of the stream is not looked at");
    }

    [TestCase(AugmentationDraw.Batch)]
    [TestCase(AugmentationDraw.Sample)]
    public void Results_are_bytes_over_255_and_the_images_stay(AugmentationDraw draw)
    {
        var pixels = s_pictures.On(_backend);
        var y = _policy.Apply(pixels, [0, 1, 2, 3, 4], s_stream, 0, draw);
        Assert.That(y.Shape, Is.EqualTo(pixels.Shape));
        Assert.That(Pictures.BytesOf(y.ToFloats()), Is.Not.EqualTo(s_pictures.Bytes));
        Assert.That(pixels.ToFloats(), Is.EqualTo(s_pictures.Pixels));
    }

    [Test]
    public void A_batch_of_no_images_stays_one() =>
        Assert.That(_policy.Apply(Tensor.From(ReadOnlySpan<float>.Empty, Shape.Of(0, 8, 8, 3), _backend), [], s_stream, 0, AugmentationDraw.Batch).Shape, Is.EqualTo(Shape.Of(0, 8, 8, 3)));

    [Test]
    public void Other_channels_missing_ids_and_negative_attempts_are_refused_in_words()
    {
        var four = Tensor.From(new float[4 * 4 * 4], Shape.Of(1, 4, 4, 4), _backend);
        var images = s_pictures.On(_backend);
        Assert.Multiple(() =>
        {
            Assert.That(() => _policy.Apply(four, [0], s_stream, 0, default), Throws.TypeOf<ShapeException>().With.Message.Contains("1 or 3 channels"));
            Assert.That(() => _policy.Apply(images, [0], s_stream, 0, default), Throws.TypeOf<ShapeException>().With.Message.Contains("5 images came with 1 sample ids"));
            Assert.That(() => _policy.Apply(images, [0, 1, 2, 3, -1], s_stream, 0, default), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => _policy.Apply(images, [0, 1, 2, 3, 4], s_stream, -1, default), Throws.TypeOf<ArgumentOutOfRangeException>());
        });
    }

    [Test]
    public void The_name_is_the_policys() => Assert.That(_policy.Name, Is.EqualTo(name));

    private float[] Apply(int[] ids, int attempt, AugmentationDraw draw) => _policy.Apply(s_pictures.On(_backend), ids, s_stream, attempt, draw).ToFloats();

    /// <summary>The steps of each image.</summary>
    private ImageStep[][] DrawSteps(int[] ids, RandomStream stream, int attempt, AugmentationDraw draw)
    {
        var shape = Shape.Of(ids.Length, 16, 14, 3);
        var steps = _policy is AugMix mix ? mix.Draw(shape, ids, stream, attempt, draw).Steps : ((RandAugment)_policy).Draw(shape, ids, stream, attempt, draw);
        return [.. steps.Chunk(steps.Length / ids.Length)];
    }
}

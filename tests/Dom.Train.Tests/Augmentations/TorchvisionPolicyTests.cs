using Dom.Kernels.Cpu;
using Dom.Nn.StateDictionaries;
using Dom.Oracles;
using Dom.Tensors;
using Dom.Tensors.Ops;
using Dom.Train.Augmentations;

namespace Dom.Train.Tests.Augmentations;

/// <summary>RandAugment and AugMix whole, against torchvision's classes that are told to draw what was drawn here.</summary>
public sealed class TorchvisionPolicyTests
{
    private static readonly RandomStream s_stream = RandomStream.For(5, RandomPurpose.Test, epoch: 2, step: 40);

    [TestCase(32, 32, 3)]
    [TestCase(28, 28, 1)]
    [TestCase(13, 22, 3)]
    [TestCase(64, 64, 3)]
    public void RandAugment_and_AugMix_give_torchvisions_images(int height, int width, int channels)
    {
        const int Repeats = 40; // 200 images: every operation some 28 times in RandAugment, some 92 in AugMix
        var five = Pictures.Of(height, width, channels);
        var images = new Pictures("images", Shape.Of(5 * Repeats, height, width, channels), [.. Enumerable.Repeat(five.Bytes, Repeats).SelectMany(b => b)]);
        int[] ids = [.. Enumerable.Range(0, 5 * Repeats)];
        RandAugment randAugment = new();
        AugMix augMix = new();
        var few = randAugment.Draw(images.Shape, ids, s_stream, 0, AugmentationDraw.Sample);
        var (many, weights) = augMix.Draw(images.Shape, ids, s_stream, 0, AugmentationDraw.Sample);

        using var torch = PyTorch.WithTorchvisionOrSkip();
        SafetensorsFile.Write(torch["images.safetensors"], [images.Entry()]);
        SafetensorsFile.Write(torch["randaugment.safetensors"], Entries(few, ids.Length, 2));
        SafetensorsFile.Write(torch["augmix.safetensors"], Entries(many, ids.Length, 3, 3).Append(SafetensorsEntry.FromFloats("weights", [ids.Length, 4], weights)));
        torch.Run("augmentation.py", "policies", ".");
        var answers = torch.Read("results.safetensors");

        using var backend = new CpuBackend(2);
        using var scope = new TensorScope();
        var pixels = images.On(backend);
        byte[] Augmented(IImageAugmentation policy) => Pictures.BytesOf(policy.Apply(pixels, ids, s_stream, 0, AugmentationDraw.Sample).ToFloats());
        Assert.Multiple(() =>
        {
            Assert.That(Pictures.Differences(Augmented(randAugment), answers["randaugment"].ToBytes()), Is.Zero, "pixels of RandAugment");
            Assert.That(Pictures.Differences(Augmented(augMix), answers["augmix"].ToBytes()), Is.Zero, "pixels of AugMix");
        });
    }

    [Test]
    public void The_tables_of_magnitudes_are_torchvisions_and_to_the_bit_where_its_defaults_look()
    {
        using var torch = PyTorch.WithTorchvisionOrSkip();
        torch.Run("augmentation.py", "tables", ".");
        var answers = torch.Read("tables.safetensors");
        Assert.Multiple(() =>
        {
            Compare(Magnitudes.RandAugment, answers["randaugment"].ToFloats(), [9]);
            Compare(Magnitudes.AugMix, answers["augmix"].ToFloats(), [0, 1, 2]);
        });
    }

    /// <summary>The worked example of the DOM paper's set-up: 32 pixels, index 9 of 31 and indices 0, 1, 2 of 10.</summary>
    [Test]
    public void At_32_pixels_the_magnitudes_are_those_of_the_specification()
    {
        float Rand(ImageOperation operation) => Magnitudes.RandAugment.Step(operation, 9, false, 32, 32).Magnitude;
        float[] Mix(ImageOperation operation) => [.. Enumerable.Range(0, 3).Select(bin => Magnitudes.AugMix.Step(operation, bin, true, 32, 32).Magnitude)];
        Assert.Multiple(() =>
        {
            Assert.That(Rand(ImageOperation.ShearX), Is.EqualTo(0.09f).Within(1e-7));
            Assert.That(Rand(ImageOperation.TranslateY), Is.EqualTo(4.35f).Within(1e-3));
            Assert.That(Rand(ImageOperation.Rotate), Is.EqualTo(9));
            Assert.That(Rand(ImageOperation.Color), Is.EqualTo(0.27f).Within(1e-7));
            Assert.That(Rand(ImageOperation.Posterize), Is.EqualTo(7));
            Assert.That(Rand(ImageOperation.Solarize), Is.EqualTo(178.5f));
            Assert.That(Mix(ImageOperation.ShearY), Is.EqualTo(new[] { 0, -0.0333f, -0.0667f }).Within(1e-4));
            Assert.That(Mix(ImageOperation.TranslateX), Is.EqualTo(new[] { 0, -1.185f, -2.37f }).Within(1e-3));
            Assert.That(Mix(ImageOperation.Rotate), Is.EqualTo(new[] { 0, -3.333f, -6.667f }).Within(1e-3));
            Assert.That(Mix(ImageOperation.Posterize), Is.EqualTo(new[] { 4, 4, 3 }));
            Assert.That(Mix(ImageOperation.Solarize), Is.EqualTo(new[] { 255, 226.667f, 198.333f }).Within(1e-3));
            Assert.That(Mix(ImageOperation.Contrast), Is.EqualTo(new[] { 0, -0.1f, -0.2f }).Within(1e-6));
        });
    }

    private static void Compare(Magnitudes magnitudes, float[] table, int[] defaults)
    {
        foreach (var operation in Enum.GetValues<ImageOperation>())
            for (int bin = 0; bin < magnitudes.Bins; bin++)
            {
                float expected = table[(int)operation * magnitudes.Bins + bin];
                if (!float.IsNaN(expected))
                    Assert.That(
                        magnitudes.Step(operation, bin, false, height: 32, width: 30).Magnitude, Is.EqualTo(expected).Within(defaults.Contains(bin) ? 0 : 1).Ulps,
                        $"{operation}, bin {bin} of {magnitudes.Bins}");
            }
    }

    private static SafetensorsEntry[] Entries(ImageStep[] steps, params long[] shape) =>
    [
        SafetensorsEntry.FromInt32("operation", shape, [.. steps.Select(s => (int)s.Operation)]),
        SafetensorsEntry.FromFloats("magnitude", shape, [.. steps.Select(s => s.Magnitude)]),
    ];
}

using Dom.Kernels.Cpu;
using Dom.Kernels.Reference;
using Dom.Nn.StateDictionaries;
using Dom.Oracles;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Train.Tests.Augmentations;

/// <summary>
/// Every operation against torchvision on uint8 tensors, pixel for pixel: all magnitudes of RandAugment and AugMix, both signs, both ways to sample, on noise, smooth images, constant
/// images and images of two colors, in square, odd and tiny sizes, of three channels and of one.
/// </summary>
[TestFixture("reference")]
[TestFixture("cpu")]
public sealed class TorchvisionOperationTests(string device)
{
    private static readonly (int Height, int Width, int Channels)[] s_sizes =
        [(32, 32, 3), (33, 31, 3), (28, 28, 1), (9, 14, 3), (7, 10, 1), (8, 8, 3), (3, 3, 3), (2, 5, 3), (7, 1, 1), (1, 1, 3)];

    private static readonly Pictures[] s_images = [.. s_sizes.Select(s => Pictures.Of(s.Height, s.Width, s.Channels))];
    private static SafetensorsFile? s_answers;

    private IBackend _backend = null!;

    [OneTimeSetUp]
    public void Ask()
    {
        if (s_answers is not null)
            return;
        s_answers = Torchvisions(s_images, [.. Steps]);
    }

    private static SafetensorsFile Torchvisions(Pictures[] images, (ImageStep Step, ImageSampling Sampling)[] steps)
    {
        using var torch = PyTorch.WithTorchvisionOrSkip();
        SafetensorsFile.Write(torch["images.safetensors"], images.Select(i => i.Entry()));
        SafetensorsFile.Write(torch["steps.safetensors"],
        [
            SafetensorsEntry.FromInt32("operation", [steps.Length], [.. steps.Select(s => (int)s.Step.Operation)]),
            SafetensorsEntry.FromFloats("magnitude", [steps.Length], [.. steps.Select(s => s.Step.Magnitude)]),
            SafetensorsEntry.FromInt32("bilinear", [steps.Length], [.. steps.Select(s => (int)s.Sampling)]),
        ]);
        torch.Run("augmentation.py", "operations", ".");
        return torch.Read("results.safetensors");
    }

    [SetUp]
    public void Open() => _backend = device == "cpu" ? new CpuBackend(2) : new ReferenceBackend();

    [TearDown]
    public void Close() => _backend.Dispose();

    [Test]
    public void An_operation_gives_torchvisions_pixels([Values] ImageOperation operation)
    {
        var steps = Steps.ToArray();
        long compared = 0;
        Assert.Multiple(() =>
        {
            foreach (var images in s_images)
                for (int k = 0; k < steps.Length; k++)
                {
                    if (steps[k].Step.Operation != operation)
                        continue;
                    byte[] actual = Run(images, steps[k].Step, steps[k].Sampling);
                    var expected = s_answers![images.Name].ToBytes().AsSpan(k * actual.Length, actual.Length);
                    compared += actual.Length;
                    Assert.That(Pictures.Differences(actual, expected), Is.Zero, $"pixels of {images.Name}, {steps[k]}");
                }
        });
        Assert.That(compared, Is.Positive);
        TestContext.Out.WriteLine($"{compared} pixels compared");
    }

    /// <summary>Every value of every range that a channel can have, and as many histograms.</summary>
    [Test]
    public void Stretching_and_equalizing_are_torchvisions_for_every_range_of_values()
    {
        var images = Pictures.OfEveryRange();
        (ImageStep, ImageSampling)[] steps = [(new(ImageOperation.AutoContrast), default), (new(ImageOperation.Equalize), default)];
        byte[] expected = Torchvisions([images], steps)[images.Name].ToBytes();
        for (int k = 0; k < steps.Length; k++)
            Assert.That(Pictures.Differences(Run(images, steps[k].Item1, default), expected.AsSpan(k * images.Bytes.Length, images.Bytes.Length)), Is.Zero, $"{steps[k].Item1}");
    }

    private byte[] Run(Pictures images, ImageStep step, ImageSampling sampling)
    {
        using var scope = new TensorScope();
        var steps = Enumerable.Repeat(step, images.Shape[0]).ToArray();
        return Pictures.BytesOf(ImageOperations.Apply(images.On(_backend), steps, sampling).ToFloats());
    }

    /// <summary>Ranges of both policies, whose translations belong to 32 pixels, and some of no policy.</summary>
    private static IEnumerable<(ImageStep Step, ImageSampling Sampling)> Steps =>
        from operation in Enum.GetValues<ImageOperation>()
        from magnitude in MagnitudesOf(operation)
        from sampling in operation is >= ImageOperation.ShearX and <= ImageOperation.Rotate ? Enum.GetValues<ImageSampling>() : [ImageSampling.Nearest]
        select (new ImageStep(operation, magnitude), sampling);

    private static IEnumerable<float> MagnitudesOf(ImageOperation operation)
    {
        float[] positive = operation switch
        {
            ImageOperation.ShearX or ImageOperation.ShearY => [.. Bins(0.3f), 0.5f, 1],
            ImageOperation.TranslateX or ImageOperation.TranslateY => [0, 1, 1.19f, 2.37f, 4.35f, 5.9f, 8.7f, 14.5f, 40],
            ImageOperation.Rotate => [.. Bins(30), 45, 90, 123],
            ImageOperation.Brightness or ImageOperation.Color or ImageOperation.Contrast or ImageOperation.Sharpness => Bins(0.9f),
            ImageOperation.Posterize => [0, 1, 2, 3, 4, 5, 6, 7, 8],
            ImageOperation.Solarize => [.. Bins(255), 0.5f, 200],
            _ => [0],
        };
        return operation is >= ImageOperation.ShearX and <= ImageOperation.Sharpness ? positive.Concat(positive.Select(m => -m)) : positive;
    }

    private static float[] Bins(float last) => [.. Enumerable.Range(0, 31).Select(i => last * i / 30), .. Enumerable.Range(0, 10).Select(i => last * i / 9)];
}

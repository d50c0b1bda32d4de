using Dom.Kernels.Cpu;
using Dom.Nn.StateDictionaries;
using Dom.Oracles;

namespace Dom.Train.Tests.Parity;

/// <summary>
/// The gradients of an attack against f64, with both ways to compute convolutions: 11 times 3 images of a PreActResNet-18 in evaluation mode.
/// </summary>
/// <remarks>
/// A network of ReLUs is linear as long as no unit's input changes its sign, and its gradient jumps where one does. In f32 an input that is zero but for
/// rounding falls on either side, so a gradient in f32 can be right and yet far from the f64 one: it is the gradient of the neighboring piece. The
/// rule here leaves no room for anything else: a unit whose sign is not that of f64 has an f64 input that a convolution's own rounding error reaches,
/// relative to the largest input of its ReLU, and along the signs that were taken every image's gradient is that of f64. Images on which all 557,056
/// signs agree are thereby compared with the plain f64 gradient. With AVX-512, the units that differ are within 2.2e-7 (direct: one unit) and 4.4e-8
/// (Winograd: four) of zero; the gradients agree to 6.8e-7 and 2.5e-6 along the signs, and differ from f64 by up to 4.9e-4 and 9.4e-3 where one does not.
/// </remarks>
[TestFixture(ConvolutionMethod.Direct)]
[TestFixture(ConvolutionMethod.Auto)]
public sealed class ReluSignTests(ConvolutionMethod convolution)
{
    private const int Images = 3;
    private const double NearlyZero = 1e-6, MostExceptions = 1e-3;

    // Winograd's errors are about ten times as large: the conformance suite allows a single convolution 2e-5 of its largest element.
    private readonly double _rounding = convolution == ConvolutionMethod.Direct ? 1e-6 : 1e-5;
    private readonly double _tolerance = convolution == ConvolutionMethod.Direct ? 2e-6 : 1e-5;

    private AttackTrace _trace = null!;
    private SafetensorsFile _exact = null!;

    private static string[] Batches => ["clean", .. Enumerable.Range(0, AttackTrace.Steps).Select(step => $"x{step}")];

    [OneTimeSetUp]
    public void Ask()
    {
        using var torch = PyTorch.OrSkip();
        torch.Run("attack.py", "make", ".");
        _trace = AttackTrace.Run(torch, convolution);
        torch.Run("attack.py", "exact", ".");
        _exact = torch.Read("exact.safetensors");
    }

    [Test]
    public void Units_whose_sign_is_not_that_of_f64_are_zero_but_for_rounding([ValueSource(nameof(Batches))] string batch)
    {
        foreach (var flip in Flips(batch))
        {
            TestContext.Out.WriteLine($"{convolution} {batch}: ReLU {flip.Relu}, image {flip.Image}: {flip.Input:0.0e+0} of {flip.Largest:0.0}: {Math.Abs(flip.Input) / flip.Largest:0.0e+0}");
            Assert.That(Math.Abs(flip.Input) / flip.Largest, Is.LessThan(_rounding));
        }
    }

    [Test]
    public void The_gradient_of_every_image_is_that_of_f64_along_the_signs_that_were_taken([ValueSource(nameof(Batches))] string batch)
    {
        var (gradient, piece, whole) = (GradientOf(batch), _exact[batch + ".piece"].ToDoubles(), _exact[batch + ".gradient"].ToDoubles());
        for (int image = 0; image < Images; image++)
        {
            double difference = Difference(gradient, piece, image);
            int flips = Flips(batch).Count(flip => flip.Image == image);
            TestContext.Out.WriteLine(
                $"{convolution} {batch} image {image}: {difference:0.0e+0} along the signs, {Difference(gradient, whole, image):0.0e+0} to f64 in whole, {flips} signs differ");
            Assert.That(difference, Is.LessThan(_tolerance), $"image {image}");
        }
    }

    [Test]
    public void A_step_goes_the_way_of_f64_along_these_signs_wherever_the_gradient_is_not_nearly_zero([ValueSource(nameof(Batches))] string batch)
    {
        var (gradient, piece) = (GradientOf(batch), _exact[batch + ".piece"].ToDoubles());
        var others = Enumerable.Range(0, gradient.Length).Where(i => Math.Sign(gradient[i]) != Math.Sign(piece[i])).ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(others.Where(i => Math.Abs(piece[i]) > NearlyZero), Is.Empty);
            Assert.That(others, Has.Length.LessThanOrEqualTo(MostExceptions * gradient.Length));
        });
    }

    [Test]
    public void On_most_images_all_signs_are_those_of_f64() => Assert.That(
        Batches.Sum(batch => Images - Flips(batch).Select(flip => flip.Image).Distinct().Count()), Is.GreaterThan(Batches.Length * Images / 2));

    private float[] GradientOf(string batch) => batch == "clean" ? _trace.FgsmGradient : _trace.Gradients[int.Parse(batch[1..])];

    private (int Relu, int Image, double Input, double Largest)[] Flips(string batch) =>
        [.. _exact[batch + ".flips"].ToDoubles().Chunk(4).Select(row => ((int)row[0], (int)row[1], row[2], row[3]))];

    /// <summary>The largest difference in an image over the largest element of the expected gradient of that image.</summary>
    private static double Difference(float[] actual, double[] expected, int image)
    {
        int size = actual.Length / Images;
        var range = Enumerable.Range(image * size, size);
        return range.Max(i => Math.Abs(actual[i] - expected[i])) / range.Max(i => Math.Abs(expected[i]));
    }
}

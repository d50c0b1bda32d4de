using Dom.Kernels.Cpu;
using Dom.Nn.StateDictionaries;
using Dom.Oracles;

namespace Dom.Train.Tests.Parity;

/// <summary>
/// FGSM, N-FGSM and PGD-10 (maximum norm, 8/255, step 2/255) on a PreActResNet-18 of PyTorch's in evaluation mode, against PyTorch.
/// </summary>
/// <remarks>
/// The rule: a pixel may differ only where PyTorch's gradient is within 1e-6 of zero, where the rounding of f32 decides the sign, and at most
/// 1 pixel in 1000 may be such an exception. Every step of PGD is compared from the same iterate, ours: a sign that flips in one step is no
/// excuse for what follows.
/// </remarks>
public sealed class AttackParityTests
{
    private const int Steps = AttackTrace.Steps;
    private const double NearlyZero = 1e-6, SamePixel = 1e-6, MostExceptions = 1e-3;

    private AttackTrace _trace = null!;
    private SafetensorsFile _answers = null!;

    [OneTimeSetUp]
    public void Ask()
    {
        using var torch = PyTorch.OrSkip();
        torch.Run("attack.py", "make", ".");
        // Directly computed convolutions only: with Winograd's larger rounding errors some ReLUs fall on the other side of zero than PyTorch's do.
        // ReluSignTests holds both against f64 along the signs that were taken.
        _trace = AttackTrace.Run(torch, ConvolutionMethod.Direct);
        torch.Run("attack.py", "step", ".");
        _answers = torch.Read("answers.safetensors");
    }

    [Test]
    public void Fgsm_is_PyTorchs() => Compare("FGSM", _trace.Fgsm, "fgsm", _trace.FgsmGradient, "fgsm.gradient");

    [Test]
    public void N_fgsm_from_the_same_noise_is_PyTorchs() => Compare("N-FGSM", _trace.NFgsm, "n-fgsm", _trace.NFgsmGradient, "n-fgsm.gradient");

    [Test]
    public void Every_step_of_pgd_from_the_same_iterate_is_PyTorchs([Range(0, Steps - 1)] int step) =>
        Compare($"PGD step {step + 1}", _trace.Iterates[step + 1], $"x{step + 1}", _trace.Gradients[step], $"gradient{step}");

    [Test]
    public void The_attack_is_the_sequence_of_the_steps_that_were_compared() => Assert.That(_trace.Pgd, Is.EqualTo(_trace.Iterates[Steps]));

    private void Compare(string what, float[] image, string expectedImage, float[] gradient, string expectedGradient)
    {
        var (pixels, slopes) = (_answers[expectedImage].ToFloats(), _answers[expectedGradient].ToFloats());
        int exceptions = 0, wrong = 0;
        for (int i = 0; i < pixels.Length; i++)
        {
            if (Math.Abs(image[i] - pixels[i]) <= SamePixel)
                continue;
            if (Math.Abs(slopes[i]) <= NearlyZero)
                exceptions++;
            else
                wrong++;
        }
        double difference = Difference.Relative(gradient, slopes);
        TestContext.Out.WriteLine(
            $"{what}: gradient up to {slopes.Max(Math.Abs):0.0e+0}, relative difference {difference:0.0e+0}; of {pixels.Length} pixels {wrong} wrong, {exceptions} excused");
        Assert.Multiple(() =>
        {
            Assert.That(image, Has.Length.EqualTo(pixels.Length));
            Assert.That(difference, Is.LessThan(1e-3), "gradient of the pixels, relative to its largest element");
            Assert.That(wrong, Is.Zero, "pixels that differ although the gradient is not nearly zero");
            Assert.That(exceptions, Is.LessThanOrEqualTo(MostExceptions * pixels.Length), "pixels whose gradient is nearly zero");
        });
    }
}

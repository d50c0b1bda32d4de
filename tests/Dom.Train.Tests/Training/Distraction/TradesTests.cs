using Dom.Train.Attacks;
using Dom.Train.Memorization;
using Dom.Train.Training;

namespace Dom.Train.Tests.Training.Distraction;

/// <summary>TRADES together with DOM on the five pixels: the natural cross-entropy decides. Its loss and gradients alone are compared with PyTorch's.</summary>
public sealed class TradesTests
{
    private static TrainOptions Options(DomAction action, DomMode mode = DomMode.Paper) =>
        FivePixels.Options(action, mode, AttackKind.Pgd) with { Loss = LossKind.Trades };

    // The samples of a linear model do not meet: what is left of five is what two alone would do, over five instead of two.
    [Test]
    public void A_removed_sample_takes_both_terms_with_it()
    {
        using var model = new FivePixels();
        var all = model.Step(Options(DomAction.Remove));
        var kept = model.Step(Options(DomAction.Off), rows: [3, 4]);
        var byKept = model.Step(Options(DomAction.Remove) with { ReNorm = ReNorm.Kept });
        var natural = Array.ConvertAll(FivePixels.Pixels, x => (float)FivePixels.Loss(x));
        Assert.Multiple(() =>
        {
            Assert.That((all.Figures.Kept, all.Figures.Selected), Is.EqualTo((2, 3)));
            Assert.That(all.Gradient, Is.EqualTo(kept.Gradient.Select(g => g * 2 / 5)).Within(1e-6));
            Assert.That(byKept.Gradient, Is.EqualTo(kept.Gradient).Within(1e-6));
            Assert.That(all.Natural, Is.EqualTo(natural).Within(2e-6), "the natural ledger has the cross-entropies");
            for (int n = 0; n < 5; n++)
            {
                float pixel = FivePixels.Pixels[n], darker = FivePixels.Attacked(pixel, AttackKind.Pgd), brighter = Math.Min(1, pixel + FivePixels.Epsilon);
                Assert.That(all.Adversarial[n], Is.InRange((float)FivePixels.Loss(brighter) - 1e-5f, (float)FivePixels.Loss(darker) + 1e-5f), "those of images in the ball");
            }
            Assert.That(all.Figures.Losses.Zip(natural, (whole, part) => whole - part), Is.All.GreaterThanOrEqualTo(-1e-6f), "a divergence is not negative");
        });
    }

    // In a ball of radius 0 the attacked image is the clean one, and nothing is left of the divergence: cross-entropy of the augmented images.
    [Test]
    public void An_augmented_sample_is_augmented_on_both_sides()
    {
        using var model = new FivePixels();
        var options = Options(DomAction.Augment, DomMode.Code) with { Epsilon = 0, DomTries = 1, DomStrength = 0.5 };
        var outcome = model.Step(options, new ScriptedAugmentation((x, _, _) => 0.75f * x));
        outcome.ShouldTrainOn([0.75f, 0.5625f, 0.375f, 0.25f, 0], [0.2, 0.2, 0.2, 0.2, 0.2]);
        Assert.That((outcome.Figures.Selected, outcome.Figures.Accepted, outcome.Figures.Tries, outcome.Figures.Kept), Is.EqualTo((3, 1, 3, 5)));
        Assert.That(outcome.Natural, Is.EqualTo(FivePixels.Pixels.Select(x => (float)FivePixels.Loss(x))).Within(2e-6));
    }

    // beta (KL) beside the cross-entropy: with the divergence d_n of the attacked pixel, the loss is linear in beta.
    [Test]
    public void Beta_weighs_the_divergence()
    {
        using var model = new FivePixels();
        float[] Losses(double beta) => model.Step(Options(DomAction.Off) with { TradesBeta = beta }).Figures.Losses;
        float[] none = Losses(0), one = Losses(1), six = Losses(6);
        Assert.That(none, Is.EqualTo(FivePixels.Pixels.Select(x => (float)FivePixels.Loss(x))).Within(2e-6));
        for (int n = 0; n < 5; n++)
            Assert.That(six[n] - none[n], Is.EqualTo(6 * (one[n] - none[n])).Within(1e-5), $"sample {n}");
        Assert.That(six.Zip(none, (a, b) => a - b), Has.Some.GreaterThan(0.1f));
    }
}

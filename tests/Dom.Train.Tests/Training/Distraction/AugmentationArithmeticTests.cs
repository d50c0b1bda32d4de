using Dom.Train.Attacks;
using Dom.Train.Memorization;
using Dom.Train.Training;

namespace Dom.Train.Tests.Training.Distraction;

/// <summary>DOM_DA against arithmetic by hand, see <see cref="FivePixels"/>: losses 0.018, 0.127, ln 2, 2.127, 4.018 and T = ln 2, the loss of pixel 0.5.</summary>
/// <remarks>
/// The paper augments the first two (loss &lt; T) and accepts a pixel below 0.5 (loss &gt; T); the code augments the first three (loss &lt;= T) and accepts a pixel
/// of 0.5 or below (loss &gt;= T).
/// </remarks>
public sealed class AugmentationArithmeticTests
{
    private static readonly AttackKind[] s_attacks = [AttackKind.None, AttackKind.Fgsm, AttackKind.Pgd];

    private static IEnumerable<TestCaseData> Cases()
    {
        foreach (var attack in s_attacks)
        {
            // DA(x) = 0.75 x, beta 0.5.
            // Paper, three tries of the original: 0.75 of 1 is not accepted, nor 0.5625 of 0.75: the images stay (1 + 0.75) / 2 and (0.75 + 0.5625) / 2.
            yield return Case("paper, 3 tries", DomMode.Paper, attack, 0.75f, 0.5, 3, [0.875f, 0.65625f, 0.5f, 0.25f, 0], (2, 0, 6));
            // Code, first image: 0.75, blend 0.875; 0.65625, blend 0.765625; 0.57421875, the last try, taken whole although its loss is 0.44.
            // Second: 0.5625, blend 0.65625; 0.4921875, loss 0.72, accepted. Third: 0.375 accepted. Draws: 3 + 2 + 1.
            yield return Case("code, 3 tries", DomMode.Code, attack, 0.75f, 0.5, 3, [0.57421875f, 0.4921875f, 0.375f, 0.25f, 0], (3, 2, 6));
            // One try is the first and the last: blends in the paper, all taken whole in the code.
            yield return Case("paper, 1 try", DomMode.Paper, attack, 0.75f, 0.5, 1, [0.875f, 0.65625f, 0.5f, 0.25f, 0], (2, 0, 2));
            yield return Case("code, 1 try", DomMode.Code, attack, 0.75f, 0.5, 1, [0.75f, 0.5625f, 0.375f, 0.25f, 0], (3, 1, 3));
            yield return Case("paper, no try", DomMode.Paper, attack, 0.75f, 0.5, 0, [1, 0.75f, 0.5f, 0.25f, 0], (2, 0, 0));
            yield return Case("code, no try", DomMode.Code, attack, 0.75f, 0.5, 0, [1, 0.75f, 0.5f, 0.25f, 0], (3, 0, 0));
            // beta 0: the paper leaves what fails as it was; the code draws again from the original, and takes the last draw.
            yield return Case("paper, strength 0", DomMode.Paper, attack, 0.75f, 0, 3, [1, 0.75f, 0.5f, 0.25f, 0], (2, 0, 6));
            yield return Case("code, strength 0", DomMode.Code, attack, 0.75f, 0, 3, [0.75f, 0.5625f, 0.375f, 0.25f, 0], (3, 1, 7));
            // beta 1: the paper ends with an augmented original; the code augments what it augmented: 1, 0.75, 0.5625, 0.421875 (loss 1.05, accepted), and
            // 0.75, 0.5625, 0.421875.
            yield return Case("paper, strength 1", DomMode.Paper, attack, 0.75f, 1, 3, [0.75f, 0.5625f, 0.5f, 0.25f, 0], (2, 0, 6));
            yield return Case("code, strength 1", DomMode.Code, attack, 0.75f, 1, 3, [0.421875f, 0.421875f, 0.375f, 0.25f, 0], (3, 3, 6));
            // DA(x) = x / 2 takes the first image to 0.5, where the loss is T: not accepted by the paper, accepted by the code. The second comes to 0.375.
            yield return Case("paper, a loss of T", DomMode.Paper, attack, 0.5f, 0.5, 1, [0.75f, 0.375f, 0.5f, 0.25f, 0], (2, 1, 2));
            yield return Case("code, a loss of T", DomMode.Code, attack, 0.5f, 0.5, 1, [0.5f, 0.375f, 0.25f, 0.25f, 0], (3, 3, 3));
        }
    }

    [TestCaseSource(nameof(Cases))]
    public void Images_counters_and_gradient_are_those_of_the_arithmetic(TrainOptions options, float factor, float[] images, (int Selected, int Accepted, int Tries) counts)
    {
        using var model = new FivePixels();
        var outcome = model.Step(options, new ScriptedAugmentation((x, _, _) => factor * x));
        // All five count, in the mean over five; the attack starts from the augmented image.
        outcome.ShouldTrainOn(Array.ConvertAll(images, x => FivePixels.Attacked(x, options.Attack)), [0.2, 0.2, 0.2, 0.2, 0.2]);
        var natural = Array.ConvertAll(FivePixels.Pixels, x => (float)FivePixels.Loss(x));
        Assert.Multiple(() =>
        {
            Assert.That((outcome.Figures.Selected, outcome.Figures.Accepted, outcome.Figures.Tries), Is.EqualTo(counts));
            Assert.That(outcome.Figures.Kept, Is.EqualTo(5));
            Assert.That(outcome.Natural, Is.EqualTo(natural).Within(2e-6), "the ledger holds the losses of the images before they were augmented");
            if (options.Attack != AttackKind.None)
                Assert.That(outcome.Adversarial, Is.EqualTo(outcome.Figures.Losses), "and the adversarial ledger those of what was trained on");
        });
    }

    [Test]
    public void A_sample_that_is_accepted_is_not_drawn_again_and_attempts_are_counted()
    {
        // The first image is accepted in the third attempt, the second in the first.
        var augmentation = new ScriptedAugmentation((x, id, attempt) => id == 0 && attempt < 2 ? 0.9f * x : 0.25f * x);
        using var model = new FivePixels();
        var options = FivePixels.Options(DomAction.Augment) with { DomStrength = 0.5, DomTries = 5 };
        var outcome = model.Step(options, augmentation);
        outcome.ShouldTrainOn([0.25f, 0.1875f, 0.5f, 0.25f, 0], [0.2, 0.2, 0.2, 0.2, 0.2]);
        Assert.Multiple(() =>
        {
            Assert.That(augmentation.Calls.Select(call => call.Attempt), Is.EqualTo(new[] { 0, 1, 2 }));
            Assert.That(augmentation.Calls.Select(call => string.Join(' ', call.Ids)), Is.EqualTo(new[] { "0 1", "0", "0" }));
            Assert.That((outcome.Figures.Accepted, outcome.Figures.Tries), Is.EqualTo((2, 4)));
        });
    }

    [Test]
    public void Nothing_is_drawn_where_no_loss_is_small([Values] DomMode mode, [ValueSource(nameof(s_attacks))] AttackKind attack)
    {
        var augmentation = new ScriptedAugmentation((_, _, _) => throw new AssertionException("nobody is selected"));
        using var model = new FivePixels();
        var outcome = model.Step(FivePixels.Options(DomAction.Augment, mode, attack) with { Threshold = 0 }, augmentation);
        outcome.ShouldTrainOn(Array.ConvertAll(FivePixels.Pixels, x => FivePixels.Attacked(x, attack)), [0.2, 0.2, 0.2, 0.2, 0.2]);
        Assert.That((outcome.Figures.Selected, outcome.Figures.Accepted, outcome.Figures.Tries), Is.EqualTo((0, 0, 0)));
    }

    [Test]
    public void All_are_augmented_where_all_losses_are_small([ValueSource(nameof(s_attacks))] AttackKind attack)
    {
        using var model = new FivePixels();
        var options = FivePixels.Options(DomAction.Augment, DomMode.Code, attack) with { Threshold = 100, DomTries = 2, DomStrength = 0.5 };
        var outcome = model.Step(options, new ScriptedAugmentation((x, _, _) => 0.5f * x));
        // The blend of x and x / 2 is 0.75 x; the second draw, 0.375 x, is the last and taken.
        outcome.ShouldTrainOn(Array.ConvertAll(FivePixels.Pixels, x => FivePixels.Attacked(0.375f * x, attack)), [0.2, 0.2, 0.2, 0.2, 0.2]);
        Assert.That((outcome.Figures.Selected, outcome.Figures.Accepted, outcome.Figures.Tries), Is.EqualTo((5, 0, 10)));
    }

    [TestCase(0, 0.875f, 1)]
    [TestCase(3, 0.25f, 0)]
    public void A_batch_may_have_one_image(int row, float image, int selected)
    {
        using var model = new FivePixels();
        var options = FivePixels.Options(DomAction.Augment) with { DomTries = 1, DomStrength = 0.5 };
        var outcome = model.Step(options, new ScriptedAugmentation((x, _, _) => 0.75f * x), rows: [row]);
        outcome.ShouldTrainOn([image], [1]);
        Assert.That(outcome.Figures.Selected, Is.EqualTo(selected));
    }

    // 0.4 times the mean loss is 0.558664 (RemovalArithmeticTests): the first two are below; 0.75 x takes them to 0.75 and 0.5625, losses 0.127 and 0.474, and x / 2
    // to 0.5 and 0.375, losses 0.693 and 1.313.
    [TestCase(0.75f, 0.875f, 0.65625f, 0)]
    [TestCase(0.5f, 0.5f, 0.375f, 2)]
    public void An_adaptive_threshold_selects_and_accepts(float factor, float first, float second, int accepted)
    {
        using var model = new FivePixels();
        var options = FivePixels.Options(DomAction.Augment) with { ThresholdKind = ThresholdKind.Mean, Threshold = 1000, DomTries = 1, DomStrength = 0.5 };
        var outcome = model.Step(options, new ScriptedAugmentation((x, _, _) => factor * x));
        outcome.ShouldTrainOn([first, second, 0.5f, 0.25f, 0], [0.2, 0.2, 0.2, 0.2, 0.2]);
        Assert.That((outcome.Figures.Selected, outcome.Figures.Accepted), Is.EqualTo((2, accepted)));
    }

    [Test]
    public void Before_the_warm_up_is_over_nothing_happens_and_code_mode_starts_a_step_earlier()
    {
        using var model = new FivePixels();
        var options = FivePixels.Options(DomAction.Augment) with { DomTries = 1, DomStrength = 0.5 };
        var lastOfEpochK = new StepPosition(Epoch: 0, Step: 2, Steps: 3);
        int Selected(DomMode mode, StepPosition position) =>
            model.Step(options with { DomMode = mode }, new ScriptedAugmentation((x, _, _) => 0.75f * x), position: position).Figures.Selected;
        Assert.Multiple(() =>
        {
            Assert.That(Selected(DomMode.Paper, lastOfEpochK), Is.Zero);
            Assert.That(Selected(DomMode.Code, lastOfEpochK), Is.EqualTo(3));
            Assert.That(Selected(DomMode.Code, lastOfEpochK with { Step = 1 }), Is.Zero);
            Assert.That(Selected(DomMode.Paper, new StepPosition(1, 0, 3)), Is.EqualTo(2));
        });
    }

    private static TestCaseData Case(
        string label, DomMode mode, AttackKind attack, float factor, double strength, int tries, float[] images, (int, int, int) counts) =>
        new TestCaseData(FivePixels.Options(DomAction.Augment, mode, attack) with { DomStrength = strength, DomTries = tries }, factor, images, counts)
            .SetArgDisplayNames(label, attack.ToString());
}

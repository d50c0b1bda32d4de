namespace Dom.Cli.Tests;

/// <summary>A user's mistakes: what was asked, what would be right, and the exit code.</summary>
public sealed class BadInputTests
{
    [TestCase("trian", "'trian'", "did you mean 'train'?")]
    [TestCase("train --epoch 3", "no option --epoch", "did you mean '--epochs'?")]
    [TestCase("train --epoch=3", "no option --epoch;", "did you mean '--epochs'?")]
    [TestCase("train --nonsense", "no option --nonsense", "dom train --help")]
    [TestCase("train something", "'something'")]
    [TestCase("train --epochs", "--epochs")]
    [TestCase("train --epochs 1 --epochs 2", "--epochs")]
    [TestCase("train --epochs three", "--epochs is 'three'", "whole number")]
    [TestCase("train --epochs 99999999999", "--epochs is '99999999999'")]
    [TestCase("train --lr fast", "--lr is 'fast'")]
    [TestCase("train --seed -1", "--seed is '-1'")]
    [TestCase("train --preset dom-natrual", "did you mean 'dom-natural'?")]
    [TestCase("train --model preact-resnet19", "did you mean 'preact-resnet18'?")]
    [TestCase("train --device cpuu", "did you mean 'cpu'?")]
    [TestCase("train --device cuda:x", "--device is 'cuda:x'", "number of the GPU", "cuda:0")]
    [TestCase("train --device cuda:", "--device is 'cuda:'", "number of the GPU")]
    [TestCase("eval --checkpoint x --device cuda:-1 --batch 0", "--batch is 0")]
    [TestCase("train --device cuda:-1", "--device is 'cuda:-1'", "from 0")]
    [TestCase("train --device cud", "auto, cpu, cuda:0, reference", "did you mean 'cuda'?")]
    [TestCase("train --attack pdg", "did you mean 'pgd'?")]
    [TestCase("train --attack pgd-5 --steps 7", "--attack pgd-5 and --steps 7")]
    [TestCase("train --attack n-fgms", "did you mean 'n-fgsm'?")]
    [TestCase("train --attack n-fgsm --norm l2", "--norm is l2", "linf with --attack n-fgsm")]
    [TestCase("train --attack n-fgsm --noise-magnitude -1", "--noise-magnitude is -1", "0 to 255")]
    [TestCase("train --attack n-fgsm --noise-magnitude nan", "--noise-magnitude is NaN")]
    [TestCase("train --attack n-fgsm --noise-magnitude much", "--noise-magnitude is 'much'", "a number")]
    [TestCase("train --attack rs-fgsm --noise-magnitude 2", "--noise-magnitude is 2", "unless the attack is n-fgsm")]
    [TestCase("train --norm l3", "linf, l2")]
    [TestCase("train --data cifar-10", "did you mean 'cifar10'?")]
    [TestCase("train --dom augmnet", "did you mean 'augment'?")]
    [TestCase("train --dom augment --dom-augmentation autoaugment", "augmix, randaugment")]
    [TestCase("train --dom-augmentation augmix", "--dom-augmentation is augmix", "--dom is augment")]
    [TestCase("train --dom augment --dom-strength 50", "--dom-strength is 50", "0 to 1", "0.5 for the paper's 50 %")]
    [TestCase("train --dom augment --dom-strength nan", "--dom-strength is NaN")]
    [TestCase("train --dom remove --dom-strength 0.5", "--dom-strength is 0.5", "--dom is augment")]
    [TestCase("train --dom augment --dom-tries -1", "--dom-tries is -1", "0 to 1000")]
    [TestCase("train --dom augment --dom-tries many", "--dom-tries is 'many'", "whole number")]
    [TestCase("train --dom-tries 3", "--dom-tries is 3", "--dom is augment")]
    [TestCase("train --threshold-kind means", "did you mean 'mean'?")]
    [TestCase("train --threshold-factor 0.4", "--threshold-factor is 0.4", "--threshold-kind is mean or quantile")]
    [TestCase("train --threshold-kind mean --threshold-factor -1", "--threshold-factor is -1", "0 or more")]
    [TestCase("train --threshold-kind quantile --threshold-factor 1.5", "--threshold-factor is 1.5", "0 to 1 with --threshold-kind quantile")]
    [TestCase("train --augment augmx", "did you mean 'augmix'?")]
    [TestCase("train --augment randaugment --aug-draw image", "batch, sample")]
    [TestCase("train --step-size-ramp 5", "--step-size-ramp is 5", "--attack")]
    [TestCase("train --attack pgd --step-size-ramp -1", "--step-size-ramp is -1", "0 (none) or more")]
    [TestCase("train --loss hinge", "ce, trades")]
    [TestCase("train --loss trades", "--loss is trades", "--attack pgd")]
    [TestCase("train --loss trades --attack pgd --norm l2", "--loss is trades", "--norm linf")]
    [TestCase("train --attack pgd --trades-beta 6", "--trades-beta is 6", "--loss is trades")]
    [TestCase("train --attack pgd --loss trades --trades-beta -1", "--trades-beta is -1")]
    [TestCase("train --batch 0", "--batch is 0", "at least 1")]
    [TestCase("train --epochs 0", "--epochs is 0")]
    [TestCase("train --lr -0.1", "--lr is -0.1", "above 0")]
    [TestCase("train --lr nan", "--lr is NaN")]
    [TestCase("train --epsilon 300", "--epsilon is 300", "0 to 255")]
    [TestCase("train --epsilon -1", "--epsilon is -1")]
    [TestCase("train --threshold -1", "--threshold is -1", "0 or more")]
    [TestCase("train --epochs 10 --warmup 11", "--warmup is 11", "10 epochs")]
    [TestCase("train --label-noise 2", "--label-noise is 2", "between 0 and 1")]
    [TestCase("train --limit-train 0", "--limit-train is 0")]
    [TestCase("train --limit-train 5000", "--limit-train is 5000", "2000 training samples")]
    [TestCase("train --threads -1", "--threads is -1")]
    [TestCase("train --conv winogard", "did you mean 'winograd'?")]
    [TestCase("train --precision fp16", "--precision is 'fp16'", "f32, bf16")]
    [TestCase("train --precision bf16", "the cpu device computes in f32 only", "--device cuda:0 or reference, or --precision f32")]
    [TestCase("train --resume somewhere --precision bf16", "--precision cannot be given with --resume")]
    [TestCase("eval --checkpoint x --precision f16", "--precision is 'f16'", "f32, bf16")]
    [TestCase("train --crop-padding 16", "--crop-padding is 16", "16x16")]
    [TestCase("train --checkpoint-every -1", "--checkpoint-every is -1")]
    [TestCase("train --resume somewhere --epochs 3", "--epochs cannot be given with --resume")]
    [TestCase("eval", "--checkpoint is missing")]
    [TestCase("eval --checkpoint x --model mlb", "did you mean 'mlp'?")]
    [TestCase("eval --checkpoint x --batch 0", "--batch is 0")]
    [TestCase("eval --checkpoint x --attack pgd --restarts 0", "--restarts is 0", "at least 1")]
    [TestCase("eval --checkpoint x --attack pgd --restarts ten", "--restarts is 'ten'", "whole number")]
    [TestCase("eval --checkpoint x --attack fgsm --restarts 10", "--restarts 10 needs --attack pgd", "the attack is fgsm")]
    public void Wrong_usage_says_what_would_be_right(string line, params string[] said) => Cli.Run(line.Split(' ')).ShouldFail(ExitCode.WrongUsage, said);

    [TestCase("train --data ./no-such-folder", "./no-such-folder")]
    [TestCase("train --data cifar10 --data-dir ./no-such-folder", "cifar10", "no-such-folder", "dom data download")]
    [TestCase("train --resume ./no-such-folder", "./no-such-folder", "no run here")]
    [TestCase("eval --checkpoint ./no-such-file", "no-such-file")]
    public void What_is_not_there_fails_and_is_named(string line, params string[] said) => Cli.Run(line.Split(' ')).ShouldFail(ExitCode.Failed, said);

    [Test]
    public void An_empty_value_is_named() => Cli.Run("train", "--data", "").ShouldFail(ExitCode.WrongUsage, "--data is empty");

    [Test]
    public void An_at_sign_is_no_response_file() => Cli.Run("train", "@options").ShouldFail(ExitCode.WrongUsage, "'@options'");

    [Test]
    public void A_folder_that_holds_something_is_left_alone()
    {
        using var scratch = new ScratchFolder();
        File.WriteAllText(scratch["note.txt"], "mine");
        Cli.Run("train", "--preset", "quick", "--out", scratch.Root).ShouldFail(ExitCode.WrongUsage, "--out", "not empty");
        Assert.That(Directory.GetFileSystemEntries(scratch.Root), Has.Length.EqualTo(1));
        Cli.Run("train", "--preset", "quick", "--out", scratch["note.txt"]).ShouldFail(ExitCode.WrongUsage, "--out", "this is a file");
    }

    [Test]
    public void A_folder_that_cannot_be_made_is_named()
    {
        using var scratch = new ScratchFolder();
        File.WriteAllText(scratch["file"], "");
        Cli.Run("train", "--preset", "quick", "--out", Path.Combine(scratch["file"], "run")).ShouldFail(ExitCode.Failed, "--out", "cannot be made");
    }

    [Test]
    public void An_unexpected_error_is_one_line_that_names_its_type()
    {
        using var error = new StringWriter();
        Assert.That(ErrorReport.Write(error, new AggregateException(new InvalidTimeZoneException("a\nb"))), Is.EqualTo(ExitCode.Failed));
        Assert.That(error.ToString().TrimEnd(), Does.Not.Contain('\n').And.Contain("InvalidTimeZoneException").And.Contain("Please report this"));
    }
}

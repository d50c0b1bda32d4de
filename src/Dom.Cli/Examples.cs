using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Dom.Cli;

/// <summary>The examples that each command's help ends with.</summary>
internal static class Examples
{
    private static readonly Dictionary<string, (string Command, string Purpose)[]> s_examples = new()
    {
        ["dom"] =
        [
            ("dom train", "see memorization happen on the embedded images"),
            ("dom train --preset dom-pgd-remove --data-dir data", "the paper's adversarial training with DOM_RE"),
            ("dom eval --checkpoint runs/x/checkpoints/last.safetensors --attack pgd --steps 20", "accuracy under attack"),
        ],
        ["dom train"] =
        [
            ("dom train", "the embedded images with 20 % wrong labels"),
            ("dom train --dom remove --out runs/removed", "the same with Distraction Over-Memorization"),
            ("dom train --dom augment --dom-augmentation randaugment", "augmenting those images instead of removing them"),
            ("dom train --data cifar10 --data-dir data --model preact-resnet18 --epochs 10 --limit-train 5000 --limit-test 1000", "a part of CIFAR-10"),
            ("dom train --preset dom-fgsm-remove --epochs 30", "a preset with one value of your own"),
            ("dom train --attack pgd-10 --epsilon 4 --json", "adversarial training; the final figures as JSON"),
            ("dom train --attack n-fgsm --epsilon 8 --schedule triangular --lr 0.2", "adversarial training in one step from strong noise"),
            ("dom train --attack pgd --loss trades", "TRADES: clean and attacked images together"),
            ("dom train --resume runs/removed", "go on after Ctrl-C or a crash"),
            ("dom train --data cifar10 --data-dir data --model preact-resnet18 --device cuda:0", "on the first NVIDIA GPU"),
            ("dom train --preset quick --profile trace.json", "see where the time goes"),
            ("dom train --list-presets", "what presets there are"),
            ("dom train --preset table3/cifar10/remove --data-dir data", "a row of one of the paper's tables"),
        ],
        ["dom eval"] =
        [
            ("dom eval --checkpoint runs/x/checkpoints/best-natural.safetensors", "accuracy on the run's test images"),
            ("dom eval --checkpoint runs/x/checkpoints/last.safetensors --attack pgd --epsilon 8 --steps 20 --limit-test 500", "and under PGD-20"),
            ("dom eval --checkpoint runs/x/checkpoints/last.safetensors --attack pgd --steps 50 --restarts 10", "under PGD-50-10: ten random starts"),
            ("dom eval --checkpoint runs/x/checkpoints/last.safetensors --attack autoattack --epsilon 8 --output aa.json", "AutoAttack beside PGD-20; --resume goes on with it"),
            ("dom eval --checkpoint weights.safetensors --model preact-resnet18 --data cifar10 --data-dir data", "weights from PyTorch"),
        ],
        ["dom reproduce"] =
        [
            ("dom reproduce", "which tables there are, and what they take"),
            ("dom reproduce 4 --dry-run", "the rows of table 4, their settings and commands"),
            ("dom reproduce 4 --cells cifar10 --seeds 3 --data-dir data", "the CIFAR-10 half of it; the same command goes on after Ctrl-C"),
            ("dom reproduce 2 --cells cifar10/preact-resnet18 --scale 0.1 --seeds 1", "a tenth of the epochs and of the images"),
            ("dom reproduce 2 --cells remove,baseline --scale 0.02 --seeds 1 --data embedded --model preact-resnet8", "a trial that needs no data"),
            ("dom reproduce 13 --data-dir data", "seconds an epoch of every method, from a few steps of each"),
        ],
        ["dom ledger"] =
        [
            ("dom ledger runs/x", "losses, accuracy and loss ranges epoch by epoch"),
            ("dom ledger runs/x summary --threshold 0.5 --json", "with another T; as JSON"),
            ("dom ledger runs/x export --epochs 1..10 --out ledger.csv", "every sample at every epoch"),
            ("dom ledger runs/x scores --out scores.csv", "one line a sample"),
        ],
        ["dom analyze"] =
        [
            ("dom analyze runs/x", "tables, pictures and a page in runs/x/analysis"),
            ("dom analyze runs/x --warmup 10 --threshold 0.5 --output elsewhere", "with another K and T"),
            ("dom analyze runs/none --compare runs/all,runs/original,runs/transformed", "the removal experiments beside each other"),
            ("dom analyze runs/x --edges 0.1,0.5,1,2 --json", "with ranges of your own; the main figures as JSON"),
        ],
        ["dom ledger export"] =
        [
            ("dom ledger runs/x export --out ledger.csv", "all epochs"),
            ("dom ledger runs/x export --epochs 30 > last.csv", "one epoch"),
        ],
        ["dom ledger scores"] =
        [
            ("dom ledger runs/x scores --out scores.csv", "with the run's own T and K"),
            ("dom ledger runs/x scores --threshold 0.5 --warmup 10", "with others"),
        ],
        ["dom check"] =
        [
            ("dom check --device cpu", "every kernel of the CPU backend"),
            ("dom check --device cpu --threads 1 --filter conv2d", "only the convolutions, on one thread"),
            ("dom check --device cuda:0", "every kernel of the first NVIDIA GPU"),
            ("dom check --device reference --filter gradient", "the reference's gradients against finite differences"),
        ],
        ["dom bench"] =
        [
            ("dom bench", "what this machine can do"),
            ("dom bench --threads 1 --json", "one core; for programs"),
            ("dom bench --model preact-resnet18 --batch 64 --work train,infer,pgd", "steps of one network"),
            ("dom bench --batch 64 --work train --calls", "where a training step spends its time, call by call"),
            ("dom bench --device cuda:0 --ladder", "one matrix product on a GPU, from the formula to tensor cores"),
        ],
        ["dom devices"] =
        [
            ("dom devices", "what --device can name"),
        ],
        ["dom data"] =
        [
            ("dom data download cifar10 --data-dir data", "bring a set here"),
            ("dom data info cifar10 --data-dir data", "look at it"),
            ("dom data convert cifar10 cifar10-npy --data-dir data --to npy", "take it to numpy"),
        ],
        ["dom data info"] =
        [
            ("dom data info embedded", "the set that comes with the program"),
            ("dom data info my-pictures --json", "a folder, as JSON"),
        ],
        ["dom data convert"] =
        [
            ("dom data convert my-pictures pictures-npy --to npy", "an image folder for numpy"),
            ("dom data convert cifar10-npy cifar10 --to cifar-binary", "back to CIFAR's own files"),
        ],
        ["dom data download"] =
        [
            ("dom data download mnist", "into data/mnist"),
            ("dom data download cifar10 --data-dir data --mirror https://mirror.example/cifar", "from a faster place"),
        ],
    };

    /// <summary>Lets the help of a command and of all below it end with examples.</summary>
    public static void AddToHelp(RootCommand root)
    {
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExamples((HelpAction)help.Action!);
    }

    /// <summary>A command as it is typed: "dom data download".</summary>
    public static string PathOf(Command command) => command is RootCommand
        ? "dom"
        : $"{PathOf(command.Parents.OfType<Command>().First())} {command.Name}";

    /// <summary>The examples of a command, each as it is typed.</summary>
    public static IEnumerable<string> Of(Command command) =>
        s_examples.TryGetValue(PathOf(command), out var examples) ? examples.Select(example => example.Command) : [];

    private sealed class HelpWithExamples : SynchronousCommandLineAction
    {
        private readonly HelpAction _help;

        public HelpWithExamples(HelpAction help)
        {
            _help = help;
            if (Console.IsOutputRedirected)
                _help.MaxWidth = 120;
        }

        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            int code = _help.Invoke(parseResult);
            if (!s_examples.TryGetValue(PathOf(parseResult.CommandResult.Command), out var examples))
                return code;
            var output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Examples:");
            foreach (var (command, purpose) in examples)
                output.WriteLine($"  # {purpose}\n  {command}");
            output.WriteLine();
            return code;
        }
    }
}

using System.Diagnostics;
using System.Globalization;
using Dom.Bench.TorchSharp;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

// TorchSharp's side of a comparison, line by line as bench/peer/pytorch_step.py: a round for every line on standard input, its milliseconds on standard
// output; "memory" is answered by the largest resident size so far, in bytes; the end of the input ends the process.
// usage: Dom.Bench.TorchSharp train|infer|pgd THREADS BATCH nchw|channels_last
const double Epsilon = 8 / 255.0, StepSize = 2 / 255.0;
const int Iterations = 10;

string work = args[0];
int threads = int.Parse(args[1], CultureInfo.InvariantCulture), batch = int.Parse(args[2], CultureInfo.InvariantCulture);
bool channelsLast = args[3] == "channels_last";
set_num_threads(threads);
random.manual_seed(0);
using var model = new PreActResNet18();
model.train(work != "infer");
if (channelsLast)
{
    using var _ = no_grad();
    foreach (var parameter in model.parameters())
    {
        if (parameter.dim() == 4)
            parameter.set_(ChannelsLast(parameter));
    }
}
using var pixels = channelsLast ? ChannelsLast(rand(batch, 3, 32, 32)) : rand(batch, 3, 32, 32);
using var labels = arange(batch, ScalarType.Int64).remainder(10);
using var update = optim.SGD(model.parameters(), 1e-3, momentum: 0.9, weight_decay: 5e-4);

Console.WriteLine($"TorchSharp with libtorch {__version__}");
while (Console.ReadLine() is { } line)
{
    if (line.Trim() == "memory")
    {
        string peak = File.ReadLines("/proc/self/status").First(entry => entry.StartsWith("VmHWM", StringComparison.Ordinal));
        Console.WriteLine(long.Parse(peak.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024);
        continue;
    }
    long begin = Stopwatch.GetTimestamp();
    Round();
    Console.WriteLine(Stopwatch.GetElapsedTime(begin).TotalMilliseconds.ToString("F3", CultureInfo.InvariantCulture));
}

// TorchSharp converts no memory format; a tensor with these strides is what libtorch takes for channels_last.
static Tensor ChannelsLast(Tensor x) => x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);

void Round()
{
    using var scope = NewDisposeScope();
    if (work == "infer")
    {
        using var _ = no_grad();
        model.call(pixels).sum().item<float>();
        return;
    }
    var images = work == "pgd" ? Attacked() : pixels;
    update.zero_grad();
    var loss = functional.cross_entropy(model.call(images), labels);
    loss.backward();
    update.step();
    loss.item<float>();
}

// PGD in the ball of the maximum norm; only the gradient of the pixels is computed.
Tensor Attacked()
{
    var x = (pixels + empty_like(pixels).uniform_(-Epsilon, Epsilon)).clamp_(0, 1);
    for (int i = 0; i < Iterations; i++)
    {
        using var iteration = NewDisposeScope();
        x.requires_grad_(true);
        var loss = functional.cross_entropy(model.call(x), labels, reduction: Reduction.Sum);
        var gradient = autograd.grad([loss], [x])[0];
        using var _ = no_grad();
        var moved = x + StepSize * gradient.sign();
        var next = minimum(maximum(moved, pixels - Epsilon), pixels + Epsilon).clamp_(0, 1).MoveToOuterDisposeScope();
        x.Dispose();
        x = next;
    }
    return x;
}

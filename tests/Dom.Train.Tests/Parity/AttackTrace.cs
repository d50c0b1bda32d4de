using Dom.Kernels;
using Dom.Kernels.Cpu;
using Dom.Nn;
using Dom.Nn.Models;
using Dom.Nn.StateDictionaries;
using Dom.Oracles;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;
using Dom.Train.Attacks;

namespace Dom.Train.Tests.Parity;

/// <summary>FGSM, N-FGSM and PGD-10 of the engine on the network and the images of attack.py, step by step.</summary>
internal sealed class AttackTrace
{
    public const int Steps = 10;

    private static readonly AttackOptions s_fgsm = AttackOptions.Create(AttackKind.Fgsm, 8);
    private static readonly AttackOptions s_nFgsm = AttackOptions.Create(AttackKind.NFgsm, 8);
    private static readonly AttackOptions s_pgd = AttackOptions.Create(AttackKind.Pgd, 8, 2, Steps);

    private AttackTrace() { }

    /// <summary>The random start and the images after each step.</summary>
    public List<float[]> Iterates { get; } = [];

    /// <summary>Gradients at the iterates but the last.</summary>
    public List<float[]> Gradients { get; } = [];

    public float[] Fgsm { get; private set; } = null!;

    public float[] FgsmGradient { get; private set; } = null!;

    public float[] NFgsm { get; private set; } = null!;

    public float[] NFgsmGradient { get; private set; } = null!;

    /// <summary>The attack as one call.</summary>
    public float[] Pgd { get; private set; } = null!;

    /// <summary>
    /// Attacks; iterates.safetensors and signs.safetensors then hold the images of which gradients were taken, and which units every ReLU let through,
    /// and the noise of N-FGSM.
    /// </summary>
    public static AttackTrace Run(PyTorch torch, ConvolutionMethod convolution)
    {
        using var backend = new SignRecorder(new CpuBackend { Convolution = convolution });
        var trace = new AttackTrace();
        trace.Attack(torch, backend);
        Assert.That(backend.Memory.LiveBytes, Is.Zero, backend.Memory.Report());
        return trace;
    }

    private void Attack(PyTorch torch, SignRecorder backend)
    {
        using var network = new Network(
            ModelCatalog.Create("preact-resnet18", 32, 32, 3, 10), backend, seed: 0, ([0.4914f, 0.4822f, 0.4465f], [0.2471f, 0.2435f, 0.2616f]));
        StateDictionary.Load(network, torch.Read("start.safetensors"));
        using var scope = new TensorScope();
        var batch = torch.Read("batch.safetensors");
        var shape = Shape.Of(Array.ConvertAll(batch["pixels"].Shape, size => (int)size));
        var clean = Tensor.From(batch["pixels"].ToFloats(), shape, backend);
        var labels = Tensor.From(batch["labels"].ToInt32(), backend);
        var ids = Tensor.From(Enumerable.Range(40, shape[0]).ToArray(), backend);
        var stream = RandomStream.For(11, RandomPurpose.Attack);
        var signs = new List<SafetensorsEntry>();

        FgsmGradient = Gradient("clean", clean).ToFloats();
        Fgsm = Train.Attacks.Attack.Run(network, clean, labels, ids, Pass.Evaluate, s_fgsm, stream).ToFloats();
        var noise = Noise.Uniform(ids, shape, stream, -16f / 255, 16f / 255).ToFloats();
        var noisy = Train.Attacks.Attack.Run(network, clean, labels, ids, Pass.Evaluate, s_nFgsm with { Steps = 0 }, stream);
        NFgsmGradient = Train.Attacks.Attack.InputGradient(network, noisy, labels, ids, Pass.Evaluate).ToFloats();
        NFgsm = Train.Attacks.Attack.Run(network, clean, labels, ids, Pass.Evaluate, s_nFgsm, stream).ToFloats();
        var x = Train.Attacks.Attack.Run(network, clean, labels, ids, Pass.Evaluate, s_pgd with { Steps = 0 }, stream); // the random start
        Iterates.Add(x.ToFloats());
        for (int step = 0; step < Steps; step++)
        {
            var gradient = Gradient($"x{step}", x);
            x = Perturb.SignStep(clean, x, gradient, s_pgd.StepSize, s_pgd.Epsilon);
            Gradients.Add(gradient.ToFloats());
            Iterates.Add(x.ToFloats());
        }
        Pgd = Train.Attacks.Attack.Run(network, clean, labels, ids, Pass.Evaluate, s_pgd, stream).ToFloats();
        SafetensorsFile.Write(torch["signs.safetensors"], signs);
        SafetensorsFile.Write(torch["iterates.safetensors"],
            Iterates.Select((values, i) => SafetensorsEntry.FromFloats($"x{i}", batch["pixels"].Shape, values))
                .Prepend(SafetensorsEntry.FromFloats("clean", batch["pixels"].Shape, clean.ToFloats()))
                .Append(SafetensorsEntry.FromFloats("noise", batch["pixels"].Shape, noise)));

        Tensor Gradient(string name, Tensor images)
        {
            backend.Signs.Clear();
            var gradient = Train.Attacks.Attack.InputGradient(network, images, labels, ids, Pass.Evaluate);
            for (int i = 0; i < backend.Signs.Count; i++)
            {
                var (channels, let) = backend.Signs[i];
                long side = (long)Math.Round(Math.Sqrt(let.Length / channels / shape[0]));
                signs.Add(SafetensorsEntry.FromBytes($"{name}.relu{i}", [shape[0], side, side, channels], let));
            }
            return gradient;
        }
    }

    /// <summary>Notes which elements every rectifier (they are fused with the batch norms before them) lets through.</summary>
    private sealed class SignRecorder(IBackend inner) : DecoratingBackend(inner)
    {
        public List<(int Channels, byte[] Let)> Signs { get; } = [];

        public override void Run<TCall>(in TCall call)
        {
            Inner.Run(in call);
            if (call is BatchNorm2dInfer { Relu: 1 } rectified)
                Signs.Add((rectified.Channels, Array.ConvertAll(ElementsOf(Inner, rectified.Y), y => (byte)(y > 0 ? 1 : 0))));
        }
    }
}

using Dom.Kernels.Cpu;
using Dom.Nn;
using Dom.Nn.Models;
using Dom.Tensors;
using Dom.Train.Attacks;
using Dom.Train.Data;

namespace Dom.Train.Tests.Attacks;

/// <summary>
/// Images of one pixel and a network that says 1 where it is above one half: what an attack must do is known, so attacks can be written down. Image n of ten
/// has the value 200 where n is odd, else 50; the label of the last is wrong.
/// </summary>
internal sealed class ThresholdBench : IDisposable
{
    public const int Samples = 10, Classes = 2;

    public ThresholdBench(float scale = 4, float offset = 2)
    {
        Network = new Network(new Mlp(1, [], Classes), Backend, seed: 1);
        Network.Parameters[0].Parameter.Value.CopyFrom([-scale, scale]);
        Network.Parameters[1].Parameter.Value.CopyFrom([offset, -offset]);
        byte[] pixels = [.. Enumerable.Range(0, Samples).Select(n => (byte)(n % 2 == 1 ? 200 : 50))];
        int[] labels = [.. Enumerable.Range(0, Samples).Select(n => n == Samples - 1 ? 0 : n % 2)];
        Split = new DeviceSplit(new ImageSplit(pixels, labels, 1, 1, 1), Backend);
    }

    public CpuBackend Backend { get; } = new(1);

    public Network Network { get; }

    public DeviceSplit Split { get; }

    /// <summary>An evaluation with attacks that fool what they are told to.</summary>
    /// <param name="fooled">For each of the standard attacks the ids that it fools.</param>
    public AutoAttack Evaluation(int[][] fooled, int batch = 3, Action<AutoAttackState>? saved = null, Action<AutoAttackProgress>? progress = null, List<Scripted>? ran = null) =>
        Evaluation(kind =>
        {
            var attack = new Scripted(kind, fooled[(int)kind - 1]);
            ran?.Add(attack);
            return attack;
        }, batch, saved, progress);

    public AutoAttack Evaluation(
        Func<EvaluationAttackKind, IEvaluationAttack>? create, int batch = 3, Action<AutoAttackState>? saved = null, Action<AutoAttackProgress>? progress = null,
        float epsilon = 1) =>
        new(Network, Split, Classes, new AutoAttackOptions { Budget = new AttackBudget(epsilon, 5), Batch = batch, UsesMargin = true })
        {
            Create = create, Saved = saved, Progress = progress,
        };

    public void Dispose()
    {
        Split.Dispose();
        Network.Dispose();
        Assert.That(Backend.Memory.LiveBytes, Is.Zero, Backend.Memory.Report());
        Backend.Dispose();
    }

    /// <summary>Turns the images with the given ids to the other side of one half.</summary>
    internal sealed class Scripted(EvaluationAttackKind kind, int[] fooled) : IEvaluationAttack
    {
        public EvaluationAttackKind Kind => kind;

        /// <summary>Ids of every batch.</summary>
        public List<int[]> Batches { get; } = [];

        /// <summary>What it says it has fooled; null for the truth.</summary>
        public bool? Claim { get; init; }

        /// <summary>What it makes of an image.</summary>
        public Func<float, float> Change { get; init; } = x => 1 - x;

        public int ZeroGradients { get; init; }

        public AttackOutcome Run(
            Network network, AttackBatch batch, Pass pass, AttackBudget budget, Action<AttackProgress>? progress = null, CancellationToken cancel = default)
        {
            cancel.ThrowIfCancellationRequested();
            int[] ids = batch.SampleIds.ToArray<int>();
            Batches.Add(ids);
            float[] images = [.. batch.Clean.ToFloats().Select((x, n) => fooled.Contains(ids[n]) ? Change(x) : x)];
            progress?.Invoke(new AttackProgress(1, 2, ids.Count(fooled.Contains)));
            return new AttackOutcome(
                Tensor.From(images, batch.Clean.Shape, network.Backend), [.. ids.Select(id => Claim ?? fooled.Contains(id))], ZeroGradients);
        }
    }
}

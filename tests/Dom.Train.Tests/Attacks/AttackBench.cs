using Dom.Kernels.Cpu;
using Dom.Nn;
using Dom.Nn.Models;
using Dom.Tensors;
using Dom.Train.Attacks;

namespace Dom.Train.Tests.Attacks;

/// <summary>A perceptron with images in random order that it classifies correctly, and no memory left over at the end.</summary>
internal sealed class AttackBench : IDisposable
{
    private readonly TensorScope _scope;

    /// <summary>A network and its images of 2x2 pixels in three colors.</summary>
    /// <param name="classes">Classes of the network.</param>
    /// <param name="hidden">Hidden units; none for a linear model.</param>
    /// <param name="samples">Images.</param>
    /// <param name="low">Smallest pixel.</param>
    /// <param name="high">Largest pixel.</param>
    /// <param name="threads">Threads of the cpu device.</param>
    /// <param name="scale">What the weights are multiplied with: a trained network is more certain than a new one.</param>
    public AttackBench(int classes, int[] hidden, int samples = 40, float low = 0, float high = 1, int threads = 2, float scale = 1)
    {
        Classes = classes;
        Backend = new CpuBackend(threads);
        Network = new Network(new Mlp(Inputs, hidden, classes), Backend, seed: 6);
        foreach (var (_, parameter) in Network.Parameters)
            parameter.Value.CopyFrom(Array.ConvertAll(parameter.Value.ToFloats(), w => scale * w));
        _scope = new TensorScope();
        var random = RandomStream.For(1, RandomPurpose.Test);
        Clean = [.. Enumerable.Range(0, samples * Inputs).Select(i => low + (high - low) * random.Uniform(i))];
        var pixels = Tensor.From(Clean, Shape.Of(samples, 2, 2, 3), Backend);
        Labels = [.. Network.Apply(pixels, Pass.Evaluate).ToFloats().Chunk(classes).Select(z => Array.IndexOf(z, z.Max()))];
        Ids = random.Permutation(samples);
        Batch = new AttackBatch(pixels, Tensor.From(Labels, Backend), Tensor.From(Ids, Backend), Labels);
    }

    public const int Inputs = 12;

    public int Classes { get; }

    public CpuBackend Backend { get; }

    public Network Network { get; }

    public float[] Clean { get; }

    public int[] Labels { get; }

    public int[] Ids { get; }

    public AttackBatch Batch { get; }

    /// <summary>Weights [classes, inputs] of a linear model.</summary>
    public float[] Weights => Network.Parameters[0].Parameter.Value.ToFloats();

    public float[][] Logits(Tensor images) => [.. Network.Apply(images, Pass.Evaluate).ToFloats().Chunk(Classes)];

    /// <summary>
    /// Of a linear model: for every sample and every other class t, by how much z_t can exceed z_y in the ball and the box. Each pixel goes as far as it can
    /// along the sign of w_t - w_y: the maximum of a linear function over a box.
    /// </summary>
    public double[][] WorstDifferences(double epsilon)
    {
        var (weights, logits) = (Weights, Logits(Batch.Clean));
        return [.. Enumerable.Range(0, Labels.Length).Select(n => Enumerable.Range(0, Classes).Where(t => t != Labels[n]).Select(t =>
        {
            double difference = (double)logits[n][t] - logits[n][Labels[n]];
            for (int j = 0; j < Inputs; j++)
            {
                double slope = (double)weights[t * Inputs + j] - weights[Labels[n] * Inputs + j], x = Clean[n * Inputs + j];
                difference += slope * (WorstPixel(x, slope, epsilon) - x);
            }
            return difference;
        }).ToArray())];
    }

    public static double WorstPixel(double x, double slope, double epsilon) => Math.Clamp(x + epsilon * Math.Sign(slope), 0, 1);

    /// <summary>An epsilon under which half of the samples can be fooled, and none nearly.</summary>
    public float EpsilonForHalf()
    {
        double low = 0, high = 1;
        for (int i = 0; i < 40; i++)
        {
            double middle = (low + high) / 2;
            bool tooMany = WorstDifferences(middle).Count(row => row.Max() > 0) > Labels.Length / 2;
            (low, high) = tooMany ? (low, middle) : (middle, high);
        }
        float epsilon = (float)(low * 0.999);
        Assert.That(WorstDifferences(epsilon).Select(row => Math.Abs(row.Max())), Is.All.GreaterThan(1e-5), "no sample is on the edge");
        return epsilon;
    }

    /// <summary>What every outcome must be: inside ball and box, numbers, and its claims true.</summary>
    public void AssertSound(AttackOutcome outcome, float epsilon)
    {
        float[] images = outcome.Images.ToFloats();
        var logits = Logits(outcome.Images);
        Assert.Multiple(() =>
        {
            Assert.That(images, Has.All.InRange(0f, 1f));
            Assert.That(images.Zip(Clean, (x, clean) => Math.Abs(x - clean)), Has.All.LessThanOrEqualTo(epsilon + 1e-6));
            Assert.That(outcome.Fooled, Is.EqualTo(logits.Select((z, n) => Array.IndexOf(z, z.Max()) != Labels[n])), "fooled means misclassified");
            for (int n = 0; n < Labels.Length; n++)
            {
                if (!outcome.Fooled[n])
                    Assert.That(images[(n * Inputs)..((n + 1) * Inputs)], Is.EqualTo(Clean[(n * Inputs)..((n + 1) * Inputs)]), "the clean image where not");
            }
        });
    }

    public void Dispose()
    {
        _scope.Dispose();
        Network.Dispose();
        Assert.That(Backend.Memory.LiveBytes, Is.Zero, Backend.Memory.Report());
        Backend.Dispose();
    }
}

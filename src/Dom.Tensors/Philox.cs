namespace Dom.Tensors;

/// <summary>What a random number is for. Two purposes never share a stream.</summary>
public enum RandomPurpose
{
    /// <summary>Initial values of parameters.</summary>
    Initialization = 1,

    /// <summary>The order of the samples in an epoch.</summary>
    Order = 2,

    /// <summary>Crops, flips and other augmentation of a sample.</summary>
    Augmentation = 3,

    /// <summary>Random starts and random steps of attacks.</summary>
    Attack = 4,

    /// <summary>Dropout masks.</summary>
    Dropout = 5,

    /// <summary>Wrong labels put into a data set on purpose.</summary>
    LabelNoise = 6,

    /// <summary>Pictures that are drawn, not read.</summary>
    Drawing = 7,

    /// <summary>Anything a test or a benchmark draws.</summary>
    Test = 8,

    /// <summary>AugMix or RandAugment on every training image.</summary>
    ImageAugmentation = 9,

    /// <summary>The augmentations by which DOM distracts from samples of small loss.</summary>
    Distraction = 10,
}

/// <summary>
/// Names one stream of random numbers: the seed of the run and the place where the numbers are used. A stream has no
/// state; number <c>index</c> of it is a pure function, so neither batch size nor thread count can change what is drawn.
/// </summary>
/// <remarks>
/// Philox4x32-10 (Salmon et al., SC 2011) with key = seed and counter = (index / 4, sample, step, purpose and epoch).
/// Blittable, 24 bytes: it travels inside kernel calls.
/// </remarks>
/// <param name="Seed">Seed of the run.</param>
/// <param name="PurposeAndEpoch">The purpose in the upper 8 bits, the epoch in the lower 24.</param>
/// <param name="Step">Step, layer or iteration that uses the stream.</param>
/// <param name="Sample">Sample id, or 0 where rows of a batch add their own.</param>
public readonly record struct RandomStream(ulong Seed, uint PurposeAndEpoch, uint Step, uint Sample)
{
    /// <summary>The stream for one purpose of one seed, optionally narrowed to an epoch, a step and a sample.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The epoch does not fit into 24 bits, or a part is negative.</exception>
    public static RandomStream For(ulong seed, RandomPurpose purpose, int epoch = 0, long step = 0, int sample = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(epoch, 1 << 24);
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfNegative(sample);
        return new RandomStream(seed, ((uint)purpose << 24) | (uint)epoch, (uint)step, (uint)sample);
    }

    /// <summary>The same stream for another sample.</summary>
    public RandomStream ForSample(int sample) => this with { Sample = (uint)sample };

    /// <summary>Random word number <paramref name="index"/>, uniform over all 32-bit values.</summary>
    public uint Word(long index)
    {
        var block = Philox.Block((uint)(index >> 2), Sample, Step, PurposeAndEpoch, Seed);
        return (index & 3) switch { 0 => block.A, 1 => block.B, 2 => block.C, _ => block.D };
    }

    /// <summary>Number <paramref name="index"/>, uniform in [0, 1): the upper 24 bits of the word, exact in f32.</summary>
    public float Uniform(long index) => Philox.ToUniform(Word(index));

    /// <summary>Number <paramref name="index"/>, uniform over 0 .. <paramref name="count"/> - 1 (bias below count / 2^32).</summary>
    public int Below(long index, int count) => (int)(((ulong)Word(index) * (uint)count) >> 32);

    /// <summary>Number <paramref name="index"/>, standard normal (Box-Muller on words 2 index and 2 index + 1, in f64).</summary>
    public float Normal(long index) => Philox.ToNormal(Word(2 * index), Word(2 * index + 1));

    /// <summary>A permutation of 0 .. <paramref name="count"/> - 1 (Fisher-Yates, drawn from the top down).</summary>
    public int[] Permutation(int count)
    {
        var order = new int[count];
        for (int i = 0; i < count; i++)
            order[i] = i;
        for (int i = count - 1; i > 0; i--)
        {
            int j = Below(i, i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }
        return order;
    }
}

/// <summary>Philox4x32-10: a counter-based random generator (Salmon, Moraes, Dror, Shaw: "Parallel random numbers", SC 2011).</summary>
public static class Philox
{
    private const uint MultiplierA = 0xD2511F53, MultiplierB = 0xCD9E8D57;
    private const uint WeylA = 0x9E3779B9, WeylB = 0xBB67AE85;

    /// <summary>Ten rounds over the 128-bit counter (c0 lowest) under the 64-bit key.</summary>
    public static (uint A, uint B, uint C, uint D) Block(uint c0, uint c1, uint c2, uint c3, ulong key)
    {
        uint k0 = (uint)key, k1 = (uint)(key >> 32);
        for (int round = 0; round < 10; round++)
        {
            ulong left = (ulong)MultiplierA * c0, right = (ulong)MultiplierB * c2;
            (c0, c1, c2, c3) = ((uint)(right >> 32) ^ c1 ^ k0, (uint)right, (uint)(left >> 32) ^ c3 ^ k1, (uint)left);
            k0 += WeylA;
            k1 += WeylB;
        }
        return (c0, c1, c2, c3);
    }

    /// <summary>Upper 24 bits of a word as a number in [0, 1).</summary>
    public static float ToUniform(uint word) => (word >> 8) * (1f / (1 << 24));

    /// <summary>Two words as one standard normal number.</summary>
    public static float ToNormal(uint first, uint second)
    {
        double radius = Math.Sqrt(-2 * Math.Log((first + 1.0) / 4294967296.0));
        return (float)(radius * Math.Cos(2 * Math.PI * (second / 4294967296.0)));
    }
}

using Dom.Tensors;

namespace Dom.Train.Augmentations;

/// <summary>The random numbers of one draw, one after the other.</summary>
/// <remarks>
/// The key is the given stream (seed, purpose, epoch, step) with the sample id in its place, or the largest number there is, which no sample has, for a draw that a batch shares. Attempt a
/// begins at number 256 (a + 1): the first 256 are left to the crops and flips, whose stream may be the same.
/// </remarks>
internal struct RandomNumbers
{
    public const int MostAttempts = 1 << 24;

    private const int NumbersPerAttempt = 256;

    private readonly RandomStream _stream;
    private long _next;

    private RandomNumbers(RandomStream stream, int attempt) => (_stream, _next) = (stream, (attempt + 1L) * NumbersPerAttempt);

    /// <summary>What an image draws by itself, whatever is beside it in its batch.</summary>
    public static RandomNumbers OfSample(RandomStream stream, int sample, int attempt) => new(stream.ForSample(sample), attempt);

    /// <summary>What all images of a batch share.</summary>
    public static RandomNumbers OfBatch(RandomStream stream, int attempt) => new(stream with { Sample = uint.MaxValue }, attempt);

    /// <summary>Uniform over 0 .. <paramref name="count"/> - 1.</summary>
    public int Below(int count) => _stream.Below(_next++, count);

    /// <summary>Uniform in [0, 1).</summary>
    public float Uniform() => _stream.Uniform(_next++);
}

using Dom.Tensors;

namespace Dom.Train.Data;

/// <summary>How much of the embedded set to draw, and from which seed.</summary>
/// <param name="TrainCount">Training samples, at least 1.</param>
/// <param name="TestCount">Test samples, at least 1.</param>
/// <param name="Seed">Seed of the drawing; another seed draws other pictures of the same ten classes.</param>
public sealed record EmbeddedOptions(int TrainCount = 2000, int TestCount = 1000, ulong Seed = 0);

/// <summary>
/// A data set that needs no file: 16 x 16 RGB pictures of ten shapes and patterns, drawn from a seed. The shape alone
/// tells the class: position, size, tilt, both colors, the slope of the brightness, a covering patch and the pixel
/// noise are random.
/// </summary>
/// <remarks>
/// Sample <c>i</c> of a split depends on the seed and on <c>i</c> only, so a smaller set is the beginning of a larger
/// one. Only +, -, *, / and square roots are used: the pixels are the same on every machine. Every class is its own
/// mirror image, so flipping left to right is a valid augmentation.
/// </remarks>
public static class EmbeddedImages
{
    /// <summary>Rows and columns of an image, in pixels.</summary>
    public const int Side = 16;

    // Test pictures take their numbers from ids that no training set reaches.
    private const int FirstTestId = 1 << 30;
    private const float CoverShare = 0.5f;
    private const float NoiseIn255ths = 30;
    private const float MinimumContrast = 100;

    /// <summary>Draws the set; the classes take turns, sample <c>i</c> is of class <c>i mod 10</c>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A count is below 1 or above 1,000,000.</exception>
    public static DataSet Create(int trainCount = 2000, int testCount = 1000, ulong seed = 0)
    {
        CheckCount(trainCount, nameof(trainCount));
        CheckCount(testCount, nameof(testCount));
        return new DataSet("embedded", Draw(trainCount, 0, seed), Draw(testCount, FirstTestId, seed), Shape.Names);
    }

    private static void CheckCount(int count, string name)
    {
        if (count is < 1 or > 1_000_000)
            throw new ArgumentOutOfRangeException(name, $"embedded: {count} samples asked for; 1 to 1,000,000 can be drawn.");
    }

    private static ImageSplit Draw(int count, int firstId, ulong seed)
    {
        const int size = Side * Side * 3;
        var pixels = new byte[count * size];
        var labels = new int[count];
        var stream = RandomStream.For(seed, RandomPurpose.Drawing);
        for (int i = 0; i < count; i++)
        {
            labels[i] = i % Shape.Names.Count;
            DrawOne(pixels.AsSpan(i * size, size), labels[i], stream.ForSample(firstId + i));
        }
        return new ImageSplit(pixels, labels, Side, Side, 3);
    }

    private static void DrawOne(Span<byte> image, int label, RandomStream random)
    {
        var shape = Shape.Random(label, random);
        var background = ColorAt(random, 8);
        var foreground = ContrastingColor(background, random);
        float slopeX = (random.Uniform(6) - 0.5f) * 8, slopeY = (random.Uniform(7) - 0.5f) * 8;
        var cover = Cover.Random(random);
        for (int y = 0; y < Side; y++)
        {
            for (int x = 0; x < Side; x++)
            {
                float coverage = Math.Clamp(0.5f - shape.Distance(x + 0.5f, y + 0.5f), 0, 1);
                float light = slopeX * (x - 7.5f) + slopeY * (y - 7.5f);
                uint noise = random.Word(64 + y * Side + x);
                for (int c = 0; c < 3; c++)
                {
                    float value = cover.Contains(x, y)
                        ? cover.Color[c]
                        : background[c] + coverage * (foreground[c] - background[c]) + light;
                    float jitter = (((noise >> (10 * c)) & 1023) / 511.5f - 1) * NoiseIn255ths;
                    image[(y * Side + x) * 3 + c] = (byte)Math.Clamp(value + jitter + 0.5f, 0, 255);
                }
            }
        }
    }

    private static float[] ColorAt(RandomStream random, int index) =>
        [30 + 195 * random.Uniform(index), 30 + 195 * random.Uniform(index + 1), 30 + 195 * random.Uniform(index + 2)];

    /// <summary>The first of up to eight random colors that is far enough from the background; else the background's
    /// opposite.</summary>
    private static float[] ContrastingColor(float[] background, RandomStream random)
    {
        for (int attempt = 0; attempt < 8; attempt++)
        {
            var color = ColorAt(random, 16 + 3 * attempt);
            float squared = 0;
            for (int c = 0; c < 3; c++)
                squared += (color[c] - background[c]) * (color[c] - background[c]);
            if (squared > MinimumContrast * MinimumContrast)
                return color;
        }
        return Array.ConvertAll(background, value => value > 127 ? value - 110 : value + 110);
    }

    /// <summary>A small rectangle of one color that hides a part of every other picture.</summary>
    private readonly record struct Cover(int Left, int Top, int Width, int Height, float[] Color)
    {
        public static Cover Random(RandomStream random) => random.Uniform(40) >= CoverShare
            ? new Cover(0, 0, 0, 0, [])
            : new Cover(random.Below(41, Side - 2), random.Below(42, Side - 2), 2 + random.Below(43, 3), 2 + random.Below(44, 3), ColorAt(random, 45));

        public bool Contains(int x, int y) => x >= Left && x < Left + Width && y >= Top && y < Top + Height;
    }

    /// <summary>A shape in the plane, as the signed distance of a point from its edge (negative inside), in pixels.</summary>
    private readonly record struct Shape(int Label, float CenterX, float CenterY, float Radius, float Cosine, float Sine, float Phase)
    {
        public static readonly IReadOnlyList<string> Names =
        [
            "disk", "ring", "square", "frame", "cross", "plus", "horizontal stripes", "vertical stripes", "checkerboard", "triangle",
        ];

        public static Shape Random(int label, RandomStream random)
        {
            float radius = 4.5f + 2.3f * random.Uniform(0);
            float reach = Side / 2f + 0.2f - radius;
            // t is the tangent of half the angle of tilt, at most 13 degrees: stripes and crosses must not turn into
            // each other.
            float t = (random.Uniform(3) - 0.5f) * 0.23f;
            return new Shape(label,
                Side / 2f + reach * (2 * random.Uniform(1) - 1), Side / 2f + reach * (2 * random.Uniform(2) - 1), radius,
                (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t), random.Uniform(4));
        }

        public float Distance(float pixelX, float pixelY)
        {
            float dx = pixelX - CenterX, dy = pixelY - CenterY;
            float x = Cosine * dx + Sine * dy, y = Cosine * dy - Sine * dx;
            float absX = MathF.Abs(x), absY = MathF.Abs(y);
            float box = MathF.Max(absX, absY), fromCenter = MathF.Sqrt(x * x + y * y);
            float r = Radius;
            return Label switch
            {
                0 => fromCenter - 0.95f * r,
                1 => MathF.Abs(fromCenter - 0.76f * r) - 0.22f * r,
                2 => box - 0.85f * r,
                3 => MathF.Abs(box - 0.68f * r) - 0.2f * r,
                4 => MathF.Max(MathF.Abs(absX - absY) * 0.70710678f - 0.2f * r, box - 0.85f * r),
                5 => MathF.Max(MathF.Min(absX, absY) - 0.2f * r, box - r),
                6 => MathF.Max(Stripe(y, 3.6f), box - 0.9f * r),
                7 => MathF.Max(Stripe(x, 3.6f), box - 0.9f * r),
                8 => MathF.Max(Checker(x, y), box - 0.9f * r),
                _ => MathF.Max(y - 0.5f * r, 0.8660254f * absX - 0.5f * y - 0.5f * r),
            };
        }

        private float Stripe(float x, float period)
        {
            float turns = x / period + Phase;
            return period * (MathF.Abs(turns - MathF.Floor(turns) - 0.5f) - 0.25f);
        }

        private float Checker(float x, float y)
        {
            float stripeX = Stripe(x, 5.2f), stripeY = Stripe(y, 5.2f);
            float nearest = MathF.Min(MathF.Abs(stripeX), MathF.Abs(stripeY));
            return stripeX * stripeY > 0 ? -nearest : nearest;
        }
    }
}

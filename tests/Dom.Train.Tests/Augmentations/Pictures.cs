using Dom.Nn.StateDictionaries;
using Dom.Tensors;
using Dom.Tensors.Backend;

namespace Dom.Train.Tests.Augmentations;

/// <summary>A batch of images of bytes.</summary>
/// <param name="Name">What it shows, and its size.</param>
/// <param name="Shape">[N, H, W, C].</param>
/// <param name="Bytes">The pixels.</param>
internal sealed record Pictures(string Name, Shape Shape, byte[] Bytes)
{
    /// <summary>As the engine has them: k / 255.</summary>
    public float[] Pixels => Array.ConvertAll(Bytes, b => b / 255f);

    public Tensor On(IBackend backend) => Tensor.From(Pixels, Shape, backend);

    public SafetensorsEntry Entry(string? name = null) => SafetensorsEntry.FromBytes(name ?? Name, Array.ConvertAll(Shape.ToArray(), size => (long)size), Bytes);

    /// <summary>Five images of a size: noise; smooth; smooth with little contrast; one color; two colors.</summary>
    public static Pictures Of(int height, int width, int channels)
    {
        var stream = RandomStream.For(7, RandomPurpose.Test, step: height * 1000 + width * 10 + channels);
        int size = height * width * channels;
        var bytes = new byte[5 * size];
        for (int i = 0; i < size; i++)
        {
            int h = i / channels / width, w = i / channels % width, c = i % channels;
            double wave = Math.Sin(0.17 * h + 0.05 * w + c) + 0.6 * Math.Cos(0.11 * w - 0.02 * h * c);
            bytes[i] = (byte)(stream.Word(i) >> 24);
            bytes[size + i] = (byte)(128 + 75 * wave);
            bytes[2 * size + i] = (byte)(100 + 15 * wave);
            bytes[3 * size + i] = (byte)(53 + 70 * c);
            bytes[4 * size + i] = (byte)(stream.Below(size + i, 2) == 0 ? 255 - 20 * c : 3);
        }
        return new Pictures($"{height}x{width}x{channels}", Shape.Of(5, height, width, channels), bytes);
    }

    /// <summary>255 images of one channel; number d has the values 0 .. d + 1 somewhere in 0 .. 255, each at least once and some much more often.</summary>
    public static Pictures OfEveryRange()
    {
        const int Side = 24, Size = Side * Side;
        var stream = RandomStream.For(8, RandomPurpose.Test);
        var bytes = new byte[255 * Size];
        for (int i = 0; i < bytes.Length; i++)
        {
            int range = i / Size + 2, place = i % Size, least = (256 - range) / 2;
            float skewed = stream.Uniform(i) * stream.Uniform(bytes.Length + i);
            bytes[i] = (byte)(least + (place < range ? place : (int)(skewed * range)));
        }
        return new Pictures("every range", Shape.Of(255, Side, Side, 1), bytes);
    }

    /// <summary>The bytes that an engine's pixels stand for; fails where one stands for none.</summary>
    public static byte[] BytesOf(float[] pixels) => Array.ConvertAll(pixels, v =>
    {
        byte b = (byte)MathF.Round(v * 255);
        return b / 255f == v ? b : throw new AssertionException($"{v:R} is not k / 255");
    });

    public static int Differences(ReadOnlySpan<byte> actual, ReadOnlySpan<byte> expected)
    {
        Assert.That(actual.Length, Is.EqualTo(expected.Length));
        int count = 0;
        for (int i = 0; i < actual.Length; i++)
            count += actual[i] != expected[i] ? 1 : 0;
        return count;
    }
}

using Dom.Nn.StateDictionaries;
using Dom.Tensors;

namespace Dom.Nn.Tests.StateDictionaries;

public class SafetensorsFuzzTests
{
    private const string JsonBytes = "{}[]\",:0123456789-.eE\\u AFUI";

    [Test]
    public void A_damaged_file_is_read_or_refused_with_a_checkpoint_exception_and_never_anything_else()
    {
        var original = SafetensorsTests.SampleBytes();
        int refused = 0;
        for (int variant = 0; variant < 600; variant++)
        {
            var damaged = Damage(original, RandomStream.For(11, RandomPurpose.Test, step: variant));
            Exception? first = Try(() => SafetensorsFile.Read(damaged, "fuzz"));
            using var stream = new MemoryStream(damaged);
            Exception? second = Try(() => SafetensorsFile.Read(stream, "fuzz"));
            Assert.That(first, Is.Null.Or.TypeOf<CheckpointException>(), $"variant {variant}");
            Assert.That(second?.Message, Is.EqualTo(first?.Message), $"variant {variant}: memory and stream disagree");
            refused += first is null ? 0 : 1;
        }
        // Damage to the raw data or to a name goes unseen, the rest must not.
        Assert.That(refused, Is.InRange(300, 599));
    }

    private static byte[] Damage(byte[] original, RandomStream random)
    {
        int length = original.Length;
        var bytes = (byte[])original.Clone();
        switch (random.Below(0, 5))
        {
            case 0:
                return bytes[..random.Below(1, length)];
            case 1:
                return [.. bytes, .. Enumerable.Range(0, 1 + random.Below(1, 20)).Select(i => (byte)random.Word(2 + i))];
            case 2: // any byte, any value
                for (int i = 0, count = 1 + random.Below(1, 4); i < count; i++)
                    bytes[random.Below(2 + 2 * i, length)] = (byte)random.Word(3 + 2 * i);
                return bytes;
            case 3: // JSON's own characters inside the header: the damage that a parser gets furthest with
                for (int i = 0, count = 1 + random.Below(1, 3); i < count; i++)
                    bytes[8 + random.Below(2 + 2 * i, original[0] + 256 * original[1])] = (byte)JsonBytes[random.Below(3 + 2 * i, JsonBytes.Length)];
                return bytes;
            default: // a stretch is lost from the middle
                int from = random.Below(1, length - 1);
                int to = Math.Min(length, from + 1 + random.Below(2, 32));
                return [.. bytes[..from], .. bytes[to..]];
        }
    }

    private static Exception? Try(Action action)
    {
        try
        {
            action();
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }
}

using Dom.Tensors;

namespace Dom.Train.Tests.Data.Images;

/// <summary>
/// Writes valid JPEGs of random coefficients, with any sampling, restart interval and color marking; independent of
/// any picture,
/// so that kinds come up that encoders do not write. The Huffman codes are of fixed length and equal to their symbols.
/// </summary>
internal sealed class JpegWriter(RandomStream random)
{
    private readonly List<byte> _file = [];
    private int _bits, _count, _draws;

    public byte[] Write(int width, int height, (int H, int V)[] sampling, int restartInterval = 0, bool progressive = false,
        string ids = "\u0001\u0002\u0003", int? adobeTransform = null)
    {
        // A single component is coded block by block, whatever sampling its header names.
        (int H, int V)[] units = sampling.Length == 1 ? [(1, 1)] : sampling;
        int maxH = units.Max(u => u.H);
        int maxV = units.Max(u => u.V);
        _file.AddRange([0xFF, 0xD8]);
        if (adobeTransform is { } transform)
            Segment(0xEE, [.. "Adobe"u8, 0, 100, 0, 0, 0, 0, (byte)transform]);
        Segment(0xDB, [0, .. Enumerable.Repeat((byte)8, 64)]);
        Segment(progressive ? 0xC2 : 0xC0,
            [8, (byte)(height >> 8), (byte)height, (byte)(width >> 8), (byte)width, (byte)sampling.Length,
            .. sampling.SelectMany((s, i) => new[] { (byte)ids[i], (byte)(s.H << 4 | s.V), (byte)0 })]);
        Segment(0xC4, [0x00, .. Counts(4, 12), .. Enumerable.Range(0, 12).Select(i => (byte)i)]);
        Segment(0xC4, [0x10, .. Counts(8, 255), .. Enumerable.Range(0, 255).Select(i => (byte)i)]);
        Segment(0xDD, [(byte)(restartInterval >> 8), (byte)restartInterval]);
        // All components together, except that the AC scans of progressive files have one component each.
        Scan([.. units.Select((u, i) => (ids[i], u.H, u.V))],
            (width + 8 * maxH - 1) / (8 * maxH), (height + 8 * maxV - 1) / (8 * maxV),
            restartInterval, hasDc: true, hasAc: !progressive);
        for (int i = 0; progressive && i < sampling.Length; i++)
            Scan([(ids[i], 1, 1)], Blocks(width, units[i].H, maxH), Blocks(height, units[i].V, maxV),
                restartInterval, hasDc: false, hasAc: true);
        _file.AddRange([0xFF, 0xD9]);
        return [.. _file];

        static int Blocks(int side, int factor, int maximum) => ((side * factor + maximum - 1) / maximum + 7) / 8;
    }

    private void Scan(
        (char Id, int H, int V)[] parts, int across, int down, int restartInterval, bool hasDc, bool hasAc)
    {
        Segment(0xDA, [(byte)parts.Length, .. parts.SelectMany(p => new[] { (byte)p.Id, (byte)0 }),
            (byte)(hasDc ? 0 : 1), (byte)(hasAc ? 63 : 0), 0]);
        var predictors = new int[parts.Length];
        for (int unit = 0; unit < across * down; unit++)
        {
            if (restartInterval > 0 && unit > 0 && unit % restartInterval == 0)
            {
                Flush();
                _file.AddRange([0xFF, (byte)(0xD0 + (unit / restartInterval - 1) % 8)]);
                Array.Clear(predictors);
            }
            for (int i = 0; i < parts.Length; i++)
                for (int block = 0; block < parts[i].H * parts[i].V; block++)
                    Block(ref predictors[i], hasDc, hasAc);
        }
        Flush();
    }

    private void Block(ref int predictor, bool hasDc, bool hasAc)
    {
        if (hasDc)
        {
            int dc = Draw(121) - 60;
            int size = Size(dc - predictor);
            Put(size, 4);
            PutSigned(dc - predictor, size);
            predictor = dc;
        }
        for (int k = 1; hasAc; k++)
        {
            int run = Draw(20);
            if (k + run > 63)
            {
                Put(0, 8);
                return;
            }
            for (; run >= 16; run -= 16, k += 16)
                Put(0xF0, 8);
            k += run;
            int value = (1 + Draw(5)) * (Draw(2) == 0 ? 1 : -1);
            Put(run << 4 | Size(value), 8);
            PutSigned(value, Size(value));
            if (k == 63)
                return;
        }
    }

    private int Draw(int count) => random.Below(_draws++, count);

    private static int Size(int value) => 32 - int.LeadingZeroCount(Math.Abs(value));

    private void PutSigned(int value, int size) => Put(value < 0 ? value + (1 << size) - 1 : value, size);

    private void Put(int value, int count)
    {
        for (int bit = count - 1; bit >= 0; bit--)
        {
            _bits = _bits << 1 | (value >> bit & 1);
            if (++_count % 8 != 0)
                continue;
            _file.Add((byte)_bits);
            if ((byte)_bits == 0xFF)
                _file.Add(0);
        }
    }

    private void Flush()
    {
        while (_count % 8 != 0)
            Put(1, 1);
    }

    private static byte[] Counts(int length, int count)
    {
        var counts = new byte[16];
        counts[length - 1] = (byte)count;
        return counts;
    }

    private void Segment(int marker, byte[] data) =>
        _file.AddRange([0xFF, (byte)marker, (byte)((data.Length + 2) >> 8), (byte)(data.Length + 2), .. data]);
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Dom.Tensors;

namespace Dom.Kernels.Cpu;

// Random words for the kernels that draw: a row is cut into pieces, a piece is drawn a buffer at a time, whole Philox blocks of four words.
// Word j of a row is a function of the stream, the sample's id and j: no other number and no thread has a say in it.
public sealed unsafe partial class CpuBackend
{
    /// <summary>Words that a kernel draws at once, a multiple of 4: 1 KiB on the stack.</summary>
    private const int WordsAtOnce = 256;

    /// <summary>Rows cut into pieces of at most 4,096 elements, one a task.</summary>
    private readonly struct RowPieces(int rows, int length)
    {
        private const int Size = 4096;

        private readonly int _perRow = (length + Size - 1) / Size;

        public int Count => rows * _perRow;

        public int Length => length;

        public (int Row, int Start, int End) this[int piece]
        {
            get
            {
                int start = piece % _perRow * Size;
                return (piece / _perRow, start, Math.Min(length, start + Size));
            }
        }
    }

    /// <summary>Words <paramref name="first"/> .. first + count - 1 of a stream, and up to three more; first is a multiple of 4.</summary>
    private static void DrawWords(in RandomStream stream, long first, int count, uint* words)
    {
        uint block = (uint)(first >> 2);
        int blocks = (count + 3) / 4;
        if (Avx2.IsSupported)
            for (; blocks >= 4; blocks -= 4, block += 4, words += 16)
                DrawFourBlocks(stream, block, words);
        for (; blocks > 0; blocks--, block++, words += 4)
            (words[0], words[1], words[2], words[3]) = Philox.Block(block, stream.Sample, stream.Step, stream.PurposeAndEpoch, stream.Seed);
    }

    /// <summary>Four Philox blocks side by side, each in a lane of 64 bits of which the lower 32 count: the multiplication reads no others.</summary>
    private static void DrawFourBlocks(in RandomStream stream, uint block, uint* words)
    {
        var multiplierA = Vector256.Create(0xD2511F53ul).AsUInt32();
        var multiplierB = Vector256.Create(0xCD9E8D57ul).AsUInt32();
        // The counter may wrap around within the four blocks, so it is added in 32 bits.
        var c0 = Vector256.Create((ulong)block, block + 1, block + 2, block + 3);
        var c1 = Vector256.Create((ulong)stream.Sample);
        var c2 = Vector256.Create((ulong)stream.Step);
        var c3 = Vector256.Create((ulong)stream.PurposeAndEpoch);
        uint k0 = (uint)stream.Seed, k1 = (uint)(stream.Seed >> 32);
        for (int round = 0; round < 10; round++)
        {
            var left = Avx2.Multiply(c0.AsUInt32(), multiplierA);
            var right = Avx2.Multiply(c2.AsUInt32(), multiplierB);
            c0 = (right >>> 32) ^ c1 ^ Vector256.Create((ulong)k0);
            c1 = right;
            c2 = (left >>> 32) ^ c3 ^ Vector256.Create((ulong)k1);
            c3 = left;
            k0 += 0x9E3779B9;
            k1 += 0xBB67AE85;
        }
        var low = Vector256.Create(0xFFFFFFFFul);
        var ab = (c0 & low) | (c1 << 32); // the first two words of blocks 0, 1, 2, 3
        var cd = (c2 & low) | (c3 << 32);
        var even = Avx2.UnpackLow(ab, cd);
        var odd = Avx2.UnpackHigh(ab, cd);
        Avx2.Permute2x128(even, odd, 0x20).Store((ulong*)words);
        Avx2.Permute2x128(even, odd, 0x31).Store((ulong*)words + 4);
    }

    /// <summary><see cref="Philox.ToUniform"/>, vector by vector.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> ToUniform(Vector<uint> words) =>
        Vector.ConvertToSingle(Vector.AsVectorInt32(words >>> 8)) * new Vector<float>(1f / (1 << 24));
}

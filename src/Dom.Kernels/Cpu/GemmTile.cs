using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dom.Kernels.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <summary>Rows of C in registers: with two vectors a row, 12 accumulators hide the latency of the multiply-adds and fit 16 registers.</summary>
    private const int GemmTileRows = 6;

    /// <summary>The innermost product, for one width of vectors.</summary>
    private interface IGemmTile
    {
        /// <summary>Columns of the tile: two vectors.</summary>
        static abstract int Columns { get; }

        /// <summary>c (+)= a b for one tile of c with rows <paramref name="stride"/> apart; a is packed [depth][6], b [depth][Columns].</summary>
        static abstract void Multiply(float* a, float* b, int depth, float* c, int stride, bool adds);
    }

    /// <summary>What the tile needs of a vector type.</summary>
    private interface IGemmVector<TVector>
    {
        static abstract int Count { get; }

        static abstract TVector Load(float* p);

        static abstract TVector Broadcast(float value);

        static abstract TVector MultiplyAdd(TVector a, TVector b, TVector c);

        static abstract TVector Add(TVector a, TVector b);

        static abstract void Store(TVector value, float* p);
    }

    private readonly struct WideTile : IGemmTile
    {
        public static int Columns => 2 * Vector512<float>.Count;

        public static void Multiply(float* a, float* b, int depth, float* c, int stride, bool adds) =>
            MultiplyTile<WideVector, Vector512<float>>(a, b, depth, c, stride, adds);
    }

    private readonly struct PortableTile : IGemmTile
    {
        public static int Columns => 2 * Vector<float>.Count;

        public static void Multiply(float* a, float* b, int depth, float* c, int stride, bool adds) =>
            MultiplyTile<PortableVector, Vector<float>>(a, b, depth, c, stride, adds);
    }

    private readonly struct WideVector : IGemmVector<Vector512<float>>
    {
        public static int Count => Vector512<float>.Count;

        public static Vector512<float> Load(float* p) => Vector512.Load(p);

        public static Vector512<float> Broadcast(float value) => Vector512.Create(value);

        public static Vector512<float> MultiplyAdd(Vector512<float> a, Vector512<float> b, Vector512<float> c) => Vector512.FusedMultiplyAdd(a, b, c);

        public static Vector512<float> Add(Vector512<float> a, Vector512<float> b) => a + b;

        public static void Store(Vector512<float> value, float* p) => value.Store(p);
    }

    private readonly struct PortableVector : IGemmVector<Vector<float>>
    {
        public static int Count => Vector<float>.Count;

        public static Vector<float> Load(float* p) => Vector.Load(p);

        public static Vector<float> Broadcast(float value) => new(value);

        public static Vector<float> MultiplyAdd(Vector<float> a, Vector<float> b, Vector<float> c) => Vector.FusedMultiplyAdd(a, b, c);

        public static Vector<float> Add(Vector<float> a, Vector<float> b) => a + b;

        public static void Store(Vector<float> value, float* p) => value.Store(p);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyTile<TOf, TVector>(float* a, float* b, int depth, float* c, int stride, bool adds)
        where TOf : struct, IGemmVector<TVector> where TVector : struct
    {
        TVector zero = TOf.Broadcast(0);
        TVector c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero;
        TVector c30 = zero, c31 = zero, c40 = zero, c41 = zero, c50 = zero, c51 = zero;
        for (int k = 0; k < depth; k++, a += GemmTileRows, b += 2 * TOf.Count)
        {
            TVector b0 = TOf.Load(b), b1 = TOf.Load(b + TOf.Count), value;
            value = TOf.Broadcast(a[0]);
            c00 = TOf.MultiplyAdd(value, b0, c00);
            c01 = TOf.MultiplyAdd(value, b1, c01);
            value = TOf.Broadcast(a[1]);
            c10 = TOf.MultiplyAdd(value, b0, c10);
            c11 = TOf.MultiplyAdd(value, b1, c11);
            value = TOf.Broadcast(a[2]);
            c20 = TOf.MultiplyAdd(value, b0, c20);
            c21 = TOf.MultiplyAdd(value, b1, c21);
            value = TOf.Broadcast(a[3]);
            c30 = TOf.MultiplyAdd(value, b0, c30);
            c31 = TOf.MultiplyAdd(value, b1, c31);
            value = TOf.Broadcast(a[4]);
            c40 = TOf.MultiplyAdd(value, b0, c40);
            c41 = TOf.MultiplyAdd(value, b1, c41);
            value = TOf.Broadcast(a[5]);
            c50 = TOf.MultiplyAdd(value, b0, c50);
            c51 = TOf.MultiplyAdd(value, b1, c51);
        }
        StoreTileRow<TOf, TVector>(c00, c01, c, adds);
        StoreTileRow<TOf, TVector>(c10, c11, c + stride, adds);
        StoreTileRow<TOf, TVector>(c20, c21, c + 2L * stride, adds);
        StoreTileRow<TOf, TVector>(c30, c31, c + 3L * stride, adds);
        StoreTileRow<TOf, TVector>(c40, c41, c + 4L * stride, adds);
        StoreTileRow<TOf, TVector>(c50, c51, c + 5L * stride, adds);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreTileRow<TOf, TVector>(TVector left, TVector right, float* c, bool adds)
        where TOf : struct, IGemmVector<TVector> where TVector : struct
    {
        if (adds)
        {
            left = TOf.Add(TOf.Load(c), left);
            right = TOf.Add(TOf.Load(c + TOf.Count), right);
        }
        TOf.Store(left, c);
        TOf.Store(right, c + TOf.Count);
    }

    /// <summary>Packs part of a matrix into panels [panel][depth][width]: what the tile reads lies in a row, in the order in which it reads it.</summary>
    private static class GemmPack
    {
        /// <summary>Element (k, i) lies at source[k stride + i]: short runs are copied.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public static void Rows(float* source, int stride, int depth, int count, int width, float* panels)
        {
            for (int i = 0; i < count; i += width, panels += (long)depth * width)
            {
                int valid = Math.Min(width, count - i);
                float* from = source + i, to = panels;
                for (int k = 0; k < depth; k++, from += stride, to += width)
                {
                    int j = 0;
                    for (; j <= valid - Vector<float>.Count; j += Vector<float>.Count)
                        Vector.Load(from + j).Store(to + j);
                    for (; j < valid; j++)
                        to[j] = from[j];
                    for (; j < width; j++)
                        to[j] = 0;
                }
            }
        }

        /// <summary>Element (k, i) lies at source[i stride + k]: four runs are read side by side.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public static void Columns(float* source, int stride, int depth, int count, int width, float* panels)
        {
            for (int i = 0; i < count; i += width, panels += (long)depth * width)
            {
                int valid = Math.Min(width, count - i), j = 0;
                for (; j <= valid - 4; j += 4)
                {
                    float* s0 = source + (long)(i + j) * stride, s1 = s0 + stride, s2 = s1 + stride, s3 = s2 + stride;
                    float* to = panels + j;
                    for (int k = 0; k < depth; k++, to += width)
                        Vector128.Create(s0[k], s1[k], s2[k], s3[k]).Store(to);
                }
                for (; j < width; j++)
                    for (int k = 0; k < depth; k++)
                        panels[(long)k * width + j] = j < valid ? source[(long)(i + j) * stride + k] : 0;
            }
        }
    }
}

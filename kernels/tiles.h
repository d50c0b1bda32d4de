// Products of tiles: what gemm.cu and conv2d.cu share. Operands come as 16-byte chunks into shared memory, several steps ahead (cp.async); a block
// multiplies a tile of BM rows with a tile of BN rows, 128 bytes of the common axis a step: 64 bf16 on the tensor cores or 32 f32 on the
// ordinary units. Sums are f32 and added in the order of the common axis: the same bits whatever runs beside.
//
// A tile in shared memory is made of lines of 128 bytes, eight chunks each; chunk c of line l lies at place c ^ (l % 8), so that the eight lanes that
// read one column of chunks, and those that read one line, meet all 32 banks.
//   along the common axis ("major k"): line = row of the operand, the line holds one step of the common axis;
//   across it ("major m"): line = position on the common axis, a line holds 128 bytes of rows; a tile of more rows is several such blocks.
#pragma once
#include "device.h"

constexpr int line_bytes = 128, chunk_bytes = 16, chunks_in_line = 8;

template <class T> constexpr int step_of = line_bytes / (int)sizeof(T); // common axis, elements a step
template <class T> constexpr int chunk_of = chunk_bytes / (int)sizeof(T);

DEVICE int chunk_place(int line, int chunk) { return line * line_bytes + ((chunk ^ (line & 7)) << 4); }

// ---- bf16 on the tensor cores ---------------------------------------------------------------------------------------------------------------
//
// WarpsM x WarpsN warps, each with a tile of WM x WN sums in registers: mma.sync m16n8k16.
template <bool KMajorA, bool KMajorB, int BM, int BN, int WM, int WN> struct TensorTile
{
    typedef bf16 element;
    static constexpr int rows = BM, columns = BN, warps_n = BN / WN, threads = BM / WM * warps_n * 32;
    float sums[WM / 16][WN / 8][4];
    int m0, n0; // of this warp

    DEVICE_MEMBER TensorTile()
    {
        m0 = warp_id() / warps_n * WM;
        n0 = warp_id() % warps_n * WN;
#pragma unroll
        for (int i = 0; i < WM / 16; i++)
#pragma unroll
            for (int j = 0; j < WN / 8; j++)
#pragma unroll
                for (int q = 0; q < 4; q++)
                    sums[i][j][q] = 0;
    }

    // 16 rows from `row` on, 16 positions from 16 k on, as the first operand of mma.sync wants them.
    template <bool KMajor> static DEVICE_MEMBER void fetch_a(unsigned (&r)[4], shared_address tile, int row, int k)
    {
        int lane = lane_id();
        if (KMajor)
            load_matrices(r, tile + chunk_place(row + (lane & 15), 2 * k + (lane >> 4)));
        else
        {
            int m = row + ((lane >> 3) & 1) * 8, line = k * 16 + (lane & 7) + ((lane >> 4) << 3);
            load_matrices_transposed(r, tile + (m >> 6) * (64 * line_bytes) + chunk_place(line, (m & 63) >> 3));
        }
    }

    // The same as the second operand: registers 0, 1 for the first 8 rows, 2, 3 for the others.
    template <bool KMajor> static DEVICE_MEMBER void fetch_b(unsigned (&r)[4], shared_address tile, int row, int k)
    {
        int lane = lane_id();
        if (KMajor)
            load_matrices(r, tile + chunk_place(row + (lane & 7) + ((lane >> 4) << 3), 2 * k + ((lane >> 3) & 1)));
        else
        {
            int n = row + (lane >> 4) * 8, line = k * 16 + (lane & 15);
            load_matrices_transposed(r, tile + (n >> 6) * (64 * line_bytes) + chunk_place(line, (n & 63) >> 3));
        }
    }

    DEVICE_MEMBER void step(shared_address a, shared_address b)
    {
#pragma unroll
        for (int k = 0; k < 4; k++)
        {
            unsigned fa[WM / 16][4], fb[WN / 16][4];
#pragma unroll
            for (int i = 0; i < WM / 16; i++)
                fetch_a<KMajorA>(fa[i], a, m0 + i * 16, k);
#pragma unroll
            for (int j = 0; j < WN / 16; j++)
                fetch_b<KMajorB>(fb[j], b, n0 + j * 16, k);
#pragma unroll
            for (int i = 0; i < WM / 16; i++)
#pragma unroll
                for (int j = 0; j < WN / 8; j++)
                    multiply_accumulate(sums[i][j], fa[i], fb[j / 2][j % 2 * 2], fb[j / 2][j % 2 * 2 + 1]);
        }
    }

    // f(row, column, sum, sum of the next column), column even: every pair of the tile once.
    template <class F> DEVICE_MEMBER void for_each_pair(F f)
    {
        int row = m0 + (lane_id() >> 2), column = n0 + (lane_id() & 3) * 2;
#pragma unroll
        for (int i = 0; i < WM / 16; i++)
#pragma unroll
            for (int j = 0; j < WN / 8; j++)
            {
                f(row + i * 16, column + j * 8, sums[i][j][0], sums[i][j][1]);
                f(row + i * 16 + 8, column + j * 8, sums[i][j][2], sums[i][j][3]);
            }
    }
};

// ---- f32 on the ordinary units --------------------------------------------------------------------------------------------------------------
//
// 16 x 16 threads, each with BM / 16 x BN / 16 sums in registers.
template <bool KMajorA, bool KMajorB, int BM, int BN> struct ScalarTile
{
    typedef float element;
    static constexpr int rows = BM, columns = BN, threads = 256, TM = BM / 16, TN = BN / 16;
    float sums[TM][TN];
    int ty, tx;

    DEVICE_MEMBER ScalarTile()
    {
        ty = threadIdx.x >> 4;
        tx = threadIdx.x & 15;
#pragma unroll
        for (int i = 0; i < TM; i++)
#pragma unroll
            for (int j = 0; j < TN; j++)
                sums[i][j] = 0;
    }

    // Which row of an operand is number i of a thread: every 16th where lines are rows, else chunks of four.
    template <bool KMajor> static DEVICE_MEMBER int row_of(int thread, int i) { return KMajor ? thread + 16 * i : (i >> 2) * 64 + thread * 4 + (i & 3); }

    static DEVICE_MEMBER Pack<float> chunk(const unsigned char* tile, int line, int chunk) { return load_pack((const float*)(tile + chunk_place(line, chunk))); }

    // Four rows from chunk number `quad` of this thread on, at position `line` of the common axis.
    static DEVICE_MEMBER Pack<float> quad_across(const unsigned char* tile, int line, int thread, int quad)
    {
        int c = quad * 16 + thread; // chunk of the whole tile
        return chunk(tile + (c >> 3) * (32 * line_bytes), line, c & 7);
    }

    DEVICE_MEMBER void step(const unsigned char* a, const unsigned char* b)
    {
#pragma unroll 2
        for (int k = 0; k < chunks_in_line; k++)
        {
            float fa[TM][4];
            if (KMajorA)
            {
#pragma unroll
                for (int i = 0; i < TM; i++)
                {
                    auto p = chunk(a, row_of<true>(ty, i), k);
#pragma unroll
                    for (int q = 0; q < 4; q++)
                        fa[i][q] = p.v[q];
                }
            }
            else
            {
#pragma unroll
                for (int q = 0; q < 4; q++)
#pragma unroll
                    for (int quad = 0; quad < TM / 4; quad++)
                    {
                        auto p = quad_across(a, k * 4 + q, ty, quad);
#pragma unroll
                        for (int i = 0; i < 4; i++)
                            fa[quad * 4 + i][q] = p.v[i];
                    }
            }
            if (KMajorB)
            {
#pragma unroll
                for (int j = 0; j < TN; j++)
                {
                    auto p = chunk(b, row_of<true>(tx, j), k);
#pragma unroll
                    for (int q = 0; q < 4; q++)
#pragma unroll
                        for (int i = 0; i < TM; i++)
                            sums[i][j] = fused_multiply_add(fa[i][q], p.v[q], sums[i][j]);
                }
            }
            else
            {
#pragma unroll
                for (int q = 0; q < 4; q++)
#pragma unroll
                    for (int quad = 0; quad < TN / 4; quad++)
                    {
                        auto p = quad_across(b, k * 4 + q, tx, quad);
#pragma unroll
                        for (int j = 0; j < 4; j++)
#pragma unroll
                            for (int i = 0; i < TM; i++)
                                sums[i][quad * 4 + j] = fused_multiply_add(fa[i][q], p.v[j], sums[i][quad * 4 + j]);
                    }
            }
        }
    }

    // f(row, column, sum): every element of the tile once.
    template <class F> DEVICE_MEMBER void for_each(F f)
    {
#pragma unroll
        for (int i = 0; i < TM; i++)
#pragma unroll
            for (int j = 0; j < TN; j++)
                f(row_of<KMajorA>(ty, i), row_of<KMajorB>(tx, j), sums[i][j]);
    }
};

// ---- What both kinds of tile are asked for -----------------------------------------------------------------------------------------------------

template <bool KA, bool KB, int BM, int BN, int WM, int WN>
DEVICE void multiply(TensorTile<KA, KB, BM, BN, WM, WN>& tile, const unsigned char* a, const unsigned char* b)
{
    tile.step(shared_address_of(a), shared_address_of(b));
}
template <bool KA, bool KB, int BM, int BN> DEVICE void multiply(ScalarTile<KA, KB, BM, BN>& tile, const unsigned char* a, const unsigned char* b)
{
    tile.step(a, b);
}

// The sums, rounded to T, into a row-major array in shared memory.
template <bool KA, bool KB, int BM, int BN, int WM, int WN, class T>
DEVICE void write_tile(TensorTile<KA, KB, BM, BN, WM, WN>& tile, T* target, int pitch)
{
    tile.for_each_pair([&](int row, int column, float first, float second) {
        *(unsigned*)(target + row * pitch + column) = round_to_bf16x2(first, second);
    });
}
template <bool KA, bool KB, int BM, int BN> DEVICE void write_tile(ScalarTile<KA, KB, BM, BN>& tile, float* target, int pitch)
{
    tile.for_each([&](int row, int column, float sum) { target[row * pitch + column] = sum; });
}

// The sums in f32 into a row-major matrix in device memory of which `rows` x `columns` are left from here on; columns and pitch are even.
template <bool KA, bool KB, int BM, int BN, int WM, int WN>
DEVICE void write_sums(TensorTile<KA, KB, BM, BN, WM, WN>& tile, float* target, int pitch, int rows, int columns)
{
    struct alignas(8) Pair
    {
        float first, second;
    };
    tile.for_each_pair([&](int row, int column, float first, float second) {
        if (row < rows && column < columns)
            *(Pair*)(target + (long long)row * pitch + column) = {first, second};
    });
}
template <bool KA, bool KB, int BM, int BN> DEVICE void write_sums(ScalarTile<KA, KB, BM, BN>& tile, float* target, int pitch, int rows, int columns)
{
    tile.for_each([&](int row, int column, float sum) {
        if (row < rows && column < columns)
            target[(long long)row * pitch + column] = sum;
    });
}

// Multiplies `steps` steps. load(step, a, b) queues copies into the two tiles; `stages` steps are in shared memory at a time. Ends with all copies
// there and all threads past their last read.
template <int stages, class Tile, class Load> DEVICE void multiply_steps(Tile& tile, unsigned char* shared, int steps, Load load)
{
    constexpr int a_bytes = Tile::rows * line_bytes, stage_bytes = a_bytes + Tile::columns * line_bytes;
#pragma unroll
    for (int s = 0; s < stages - 1; s++)
    {
        if (s < steps)
            load(s, shared + s * stage_bytes, shared + s * stage_bytes + a_bytes);
        copy_async_commit();
    }
    int read = 0, write = stages - 1;
    for (int s = 0; s < steps; s++)
    {
        copy_async_wait<stages - 2>(); // step s is there for this thread,
        block_barrier();               // and for all; all have read step s - 1, whose place is filled next
        if (s + stages - 1 < steps)
            load(s + stages - 1, shared + write * stage_bytes, shared + write * stage_bytes + a_bytes);
        copy_async_commit();
        multiply(tile, shared + read * stage_bytes, shared + read * stage_bytes + a_bytes);
        read = read + 1 == stages ? 0 : read + 1;
        write = write + 1 == stages ? 0 : write + 1;
    }
    copy_async_wait<0>();
    block_barrier();
}

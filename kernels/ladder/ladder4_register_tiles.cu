// Rung 4, tiles in registers: a block of 256 threads computes 128 x 128 elements, a thread 8 x 8 of them.
//
// What changes: a thread that has 8 numbers of a and 8 of b in registers does 64 multiply-adds with them. Loads are of 16 bytes: 4 from shared memory for 64
// multiply-adds, where rung 3 takes 80 of them. The tile of a is turned on the way into shared memory, so that the 8 rows of a thread lie side by side; its
// lines have 4 floats to spare, which puts the 32 numbers that a warp stores at a time into 32 banks.
// What bounds it: waiting. A step of 8 positions is 1,024 cycles of arithmetic for a block, before which the block stands still until its loads are back
// from the second-level cache, some hundreds of cycles. Two blocks on a multiprocessor (hence 128 registers a thread at most) fill in for each other.
// Expect 30 TFLOP/s.
#include "../device.h"

struct LadderPlan
{
    const float *a, *b;
    float* c;
    int m, n, k;
    int a_pitch, b_pitch; // elements from row to row; multiples of 4, with zeros behind each row of a
    int column_tiles;     // blocks along n, fastest in the grid
};

constexpr int tile = 128, step = 8, line = tile + 4;

// 16 bytes of a row, zeros outside the matrix.
DEVICE Pack<float> fetch(const float* matrix, int row, int rows, int column, int pitch)
{
    return row < rows && column < pitch ? load_pack(matrix + (long long)row * pitch + column) : Pack<float>{};
}

// Eight numbers, those at 4 `thread` and those 64 further on: neighboring threads read neighboring chunks.
DEVICE void eight(float (&v)[8], const float* from, int thread)
{
    Pack<float> first = load_pack(from + 4 * thread), second = load_pack(from + 64 + 4 * thread);
#pragma unroll
    for (int i = 0; i < 4; i++)
    {
        v[i] = first.v[i];
        v[4 + i] = second.v[i];
    }
}

KERNEL(ladder4_register_tiles_f32, TWO_BLOCKS(256), PARAM(LadderPlan) plan)
{
    alignas(16) __shared__ float a[step][line], b[step][tile];
    const int m0 = blockIdx.x / plan.column_tiles * tile, n0 = blockIdx.x % plan.column_tiles * tile;
    const int ty = threadIdx.x >> 4, tx = threadIdx.x & 15;           // which sums are this thread's
    const int a_row = threadIdx.x >> 1, a_k = (threadIdx.x & 1) * 4;  // which 16 bytes it fetches
    const int b_k = warp_id(), b_column = lane_id() * 4;
    float sums[8][8] = {};
    for (int k0 = 0; k0 < plan.k; k0 += step)
    {
        Pack<float> of_a = fetch(plan.a, m0 + a_row, plan.m, k0 + a_k, plan.a_pitch), of_b = fetch(plan.b, k0 + b_k, plan.k, n0 + b_column, plan.b_pitch);
#pragma unroll
        for (int q = 0; q < 4; q++)
            a[a_k + q][a_row] = of_a.v[q];
        store_pack(&b[b_k][b_column], of_b);
        block_barrier();
#pragma unroll
        for (int k = 0; k < step; k++)
        {
            float fa[8], fb[8];
            eight(fa, a[k], ty);
            eight(fb, b[k], tx);
#pragma unroll
            for (int i = 0; i < 8; i++)
#pragma unroll
                for (int j = 0; j < 8; j++)
                    sums[i][j] = fused_multiply_add(fa[i], fb[j], sums[i][j]);
        }
        block_barrier();
    }
    const bool by_chunks = plan.n % 4 == 0 && is_aligned16(plan.c);
#pragma unroll
    for (int i = 0; i < 8; i++)
#pragma unroll
        for (int j = 0; j < 8; j += 4)
        {
            int row = m0 + i / 4 * 64 + ty * 4 + i % 4, column = n0 + j * 16 + tx * 4;
            float* c = plan.c + (long long)row * plan.n + column;
            if (row < plan.m && column < plan.n && by_chunks)
                store_pack(c, Pack<float>{{sums[i][j], sums[i][j + 1], sums[i][j + 2], sums[i][j + 3]}});
            else
#pragma unroll
                for (int q = 0; q < 4; q++)
                    if (row < plan.m && column + q < plan.n)
                        c[q] = sums[i][j + q];
        }
}

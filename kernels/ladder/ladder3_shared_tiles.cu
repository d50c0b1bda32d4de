// Rung 3, tiles in shared memory: a block of 32 x 32 threads brings 32 x 32 elements of a and of b near, then each thread reads 32 + 32 of them.
//
// What changes: every element that comes from the second-level cache serves 32 multiply-adds of the block, by construction and not by luck with the
// first-level cache: 4 m n k (1/32 + 1/32) bytes, 17 GB at 4096, where rung 2 takes 43 GB.
// What bounds it: still loads, only that they now meet shared memory, which is as fast as the first-level cache that it is a part of. Four positions of a row of a
// come in one load of 16 bytes, the same for all lanes; b takes a load each: 5 loads for 4 multiply-adds, 0.25 / 1.25 of the peak. And 1024 threads
// wait for each other twice in 32 steps.
// Expect 7 TFLOP/s: less of a step than its fame suggests.
#include "../device.h"

struct LadderPlan
{
    const float *a, *b;
    float* c;
    int m, n, k;
    int a_pitch, b_pitch; // elements from row to row
    int column_tiles;     // blocks along n, fastest in the grid
};

constexpr int tile = 32;

KERNEL(ladder3_shared_tiles_f32, 1024, PARAM(LadderPlan) plan)
{
    alignas(16) __shared__ float a[tile][tile], b[tile][tile];
    const int y = warp_id(), x = lane_id();
    const int row = blockIdx.x / plan.column_tiles * tile + y, column = blockIdx.x % plan.column_tiles * tile + x;
    float sum = 0;
    for (int k0 = 0; k0 < plan.k; k0 += tile)
    {
        a[y][x] = row < plan.m && k0 + x < plan.k ? plan.a[(long long)row * plan.a_pitch + k0 + x] : 0;
        b[y][x] = k0 + y < plan.k && column < plan.n ? plan.b[(long long)(k0 + y) * plan.b_pitch + column] : 0;
        block_barrier(); // the tiles are there
#pragma unroll
        for (int k = 0; k < tile; k++)
            sum = fused_multiply_add(a[y][k], b[k][x], sum);
        block_barrier(); // all have read them
    }
    if (row < plan.m && column < plan.n)
        plan.c[(long long)row * plan.n + column] = sum;
}

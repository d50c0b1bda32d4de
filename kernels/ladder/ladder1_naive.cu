// Rung 1, naive: c [m, n] = a [m, k] b [k, n], row-major, f32. One thread computes one element of c, as the formula says it.
//
// Floor: 2 m n k operations, 4 (m k + k n + m n) bytes. At 4096 in each direction 137.4 GFLOP and 0.2 GB: 2.7 ms at 50 TFLOP/s, 0.05 ms at 4 TB/s.
// What bounds it: the number of cache lines that a load touches. The 32 threads of a warp take 32 rows of one column, so each load of a meets 32 lines of
// which it uses 4 bytes each; the first-level cache hands out one line a cycle. 33 cycles for 32 multiply-adds, of which the units could do 128 in one.
// Expect 0.25 / 33 of the peak, under 1 %: some 0.4 TFLOP/s.
#include "../device.h"

struct LadderPlan
{
    const float *a, *b;
    float* c;
    int m, n, k;
    int a_pitch, b_pitch; // elements from row to row
    int column_tiles;     // blocks along n, fastest in the grid
};

KERNEL(ladder1_naive_f32, 256, PARAM(LadderPlan) plan)
{
    const int row = blockIdx.x / plan.column_tiles * 32 + lane_id(); // the mistake of this rung
    const int column = blockIdx.x % plan.column_tiles * 8 + warp_id();
    if (row >= plan.m || column >= plan.n)
        return;
    const float* a = plan.a + (long long)row * plan.a_pitch;
    const float* b = plan.b + column;
    float sum = 0;
    for (int k = 0; k < plan.k; k++)
        sum = fused_multiply_add(a[k], b[(long long)k * plan.b_pitch], sum);
    plan.c[(long long)row * plan.n + column] = sum;
}

// Rung 2, coalesced: rung 1 with rows and columns exchanged, in the two lines that say which element is whose, and nowhere else.
//
// What changes: the 32 threads of a warp take 32 columns of one row. A load of b meets one line and uses all 128 bytes; a load of a is the same 4 bytes for
// all. The results are stored by whole lines too.
// What bounds it: two loads for each multiply-add. A multiprocessor starts one load of a warp a cycle and could do four multiply-adds of a warp
// meanwhile: 0.25 / 2 of the peak at best.
// Expect 5 TFLOP/s, more than ten times rung 1.
#include "../device.h"

struct LadderPlan
{
    const float *a, *b;
    float* c;
    int m, n, k;
    int a_pitch, b_pitch; // elements from row to row
    int column_tiles;     // blocks along n, fastest in the grid
};

KERNEL(ladder2_coalesced_f32, 256, PARAM(LadderPlan) plan)
{
    const int row = blockIdx.x / plan.column_tiles * 8 + warp_id();
    const int column = blockIdx.x % plan.column_tiles * 32 + lane_id();
    if (row >= plan.m || column >= plan.n)
        return;
    const float* a = plan.a + (long long)row * plan.a_pitch;
    const float* b = plan.b + column;
    float sum = 0;
    for (int k = 0; k < plan.k; k++)
        sum = fused_multiply_add(a[k], b[(long long)k * plan.b_pitch], sum);
    plan.c[(long long)row * plan.n + column] = sum;
}

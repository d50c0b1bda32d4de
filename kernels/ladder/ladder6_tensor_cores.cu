// Rung 6, tensor cores: a and b in bf16, c and all sums in f32; the copies of rung 5, another unit that multiplies.
//
// What changes: mma.sync multiplies 16 x 16 by 16 x 8 elements in one instruction of a warp, 2,048 multiply-adds where the ordinary ones do 32. A block is 4 warps with
// 64 x 64 sums each, 128 in a thread. ldmatrix hands the lanes their pieces: four matrices of 8 x 8 at once, each row a chunk of 16 bytes. A row of
// the second operand runs along k, but a line of b along n: the transposed form of ldmatrix turns it. Both tiles are swizzled, for the rows of a matrix are
// eight lines at the same chunk.
// Floor: half the bytes of a and b, 0.13 GB at 4096, 0.03 ms at 4 TB/s; 0.18 ms at 776 TFLOP/s.
// What bounds it: shared memory. For 16 positions a warp reads 64 + 64 rows of 32 bytes, 4 warps 16 KiB: 128 cycles, as many as Hopper's tensor cores need for
// the products; and 8 KiB that arrive take 64 more. So two thirds of the peak at best.
// Expect 400 TFLOP/s. Beyond it wgmma, which reads shared memory by itself, once for four warps: kernels/conv2d3x3_hopper.cu.
#include "../device.h"

struct LadderPlan
{
    const bf16 *a, *b;
    float* c;
    int m, n, k;
    int a_pitch, b_pitch; // elements from row to row; multiples of 8, with zeros behind each row of a
    int column_tiles;     // blocks along n, fastest in the grid
};

constexpr int tile = 128, step = 64, stages = 3, line_bytes = 128;
constexpr int half_bytes = step * line_bytes; // 64 columns of b, at `step` positions
constexpr int a_bytes = tile * line_bytes, stage_bytes = a_bytes + 2 * half_bytes;

DEVICE int place(int line, int chunk) { return line * line_bytes + ((chunk ^ (line & 7)) << 4); }

// Queues the copies of one step: eight chunks of a and eight of b for each thread.
DEVICE void fetch(const LadderPlan& plan, int m0, int n0, int k0, unsigned char* stage)
{
    const shared_address a = shared_address_of(stage), b = a + a_bytes;
#pragma unroll
    for (int pass = 0; pass < 8; pass++)
    {
        int line = pass * 16 + (threadIdx.x >> 3), chunk = threadIdx.x & 7, k = k0 + chunk * 8;
        bool present = m0 + line < plan.m && k < plan.a_pitch;
        copy_async16(a + place(line, chunk), plan.a + (present ? (long long)(m0 + line) * plan.a_pitch + k : 0), present);
    }
#pragma unroll
    for (int pass = 0; pass < 8; pass++)
    {
        int line = pass * 8 + (threadIdx.x >> 4), chunk = threadIdx.x & 15, column = n0 + chunk * 8;
        bool present = k0 + line < plan.k && column < plan.b_pitch;
        copy_async16(
            b + (chunk >> 3) * half_bytes + place(line, chunk & 7), plan.b + (present ? (long long)(k0 + line) * plan.b_pitch + column : 0), present);
    }
}

// sums [row / 16][column / 8] += the step's products, of the warp's rows from m on and columns of half number `half`.
DEVICE void multiply(float (&sums)[4][8][4], shared_address stage, int m, int half)
{
    const int lane = lane_id();
    const shared_address b = stage + a_bytes + half * half_bytes;
#pragma unroll
    for (int k = 0; k < step / 16; k++)
    {
        unsigned fa[4][4], fb[4][4];
#pragma unroll
        for (int i = 0; i < 4; i++) // 16 rows, 2 chunks along k
            load_matrices(fa[i], stage + place(m + i * 16 + (lane & 15), k * 2 + (lane >> 4)));
#pragma unroll
        for (int j = 0; j < 4; j++) // 16 positions of k, 2 chunks along n
            load_matrices_transposed(fb[j], b + place(k * 16 + (lane & 15), j * 2 + (lane >> 4)));
#pragma unroll
        for (int i = 0; i < 4; i++)
#pragma unroll
            for (int j = 0; j < 8; j++)
                multiply_accumulate(sums[i][j], fa[i], fb[j / 2][j % 2 * 2], fb[j / 2][j % 2 * 2 + 1]);
    }
}

KERNEL(ladder6_tensor_cores_bf16, 128, PARAM(LadderPlan) plan)
{
    SHARED_MEMORY(shared);
    const int m0 = blockIdx.x / plan.column_tiles * tile, n0 = blockIdx.x % plan.column_tiles * tile;
    const int m = warp_id() / 2 * 64, half = warp_id() % 2; // which quarter of the tile is this warp's
    const int steps = (plan.k + step - 1) / step;
    for (int s = 0; s < stages - 1; s++)
    {
        if (s < steps)
            fetch(plan, m0, n0, s * step, shared + s * stage_bytes);
        copy_async_commit();
    }
    float sums[4][8][4] = {};
    int read = 0, write = stages - 1;
    for (int s = 0; s < steps; s++)
    {
        copy_async_wait<stages - 2>();
        block_barrier();
        if (s + stages - 1 < steps)
            fetch(plan, m0, n0, (s + stages - 1) * step, shared + write * stage_bytes);
        copy_async_commit();
        multiply(sums, shared_address_of(shared + read * stage_bytes), m, half);
        read = read + 1 == stages ? 0 : read + 1;
        write = write + 1 == stages ? 0 : write + 1;
    }
    // A lane holds of each 16 x 8 sums two neighbors in row lane / 4 and two in the row 8 below.
#pragma unroll
    for (int i = 0; i < 4; i++)
#pragma unroll
        for (int j = 0; j < 8; j++)
#pragma unroll
            for (int q = 0; q < 4; q++)
            {
                int row = m0 + m + i * 16 + (lane_id() >> 2) + q / 2 * 8, column = n0 + half * 64 + j * 8 + (lane_id() & 3) * 2 + q % 2;
                if (row < plan.m && column < plan.n)
                    plan.c[(long long)row * plan.n + column] = sums[i][j][q];
            }
}

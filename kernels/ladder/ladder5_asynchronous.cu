// Rung 5, asynchronous copies: while a block multiplies one step, the next two are on their way into shared memory.
//
// What changes: cp.async brings 16 bytes from memory to shared memory past the registers and past the thread, which goes on. Three steps of 32 positions
// have a place (96 KiB); one barrier a step serves twice: the step is there, and all are done with the one whose place is filled next.
// A copy cannot turn the tile of a. It stays as lines of 128 bytes along k, and a thread reads 4 positions of its 8 rows at a time. The two rows that a warp reads at
// once would lie in the same four banks, so chunk c of line l is put at place c ^ (l % 8): swizzled. For it to help, neighboring threads have neighboring rows.
// What bounds it: arithmetic. 24 cycles of shared memory go with 64 cycles of multiply-adds; what is missing to the peak is the other instructions, which
// are issued in the same slots, the first steps of a block, which nothing hides, and the last wave of blocks, which may leave multiprocessors idle.
// Expect 42 TFLOP/s: gemm.cu, which is built in the same way, reached that at 8192.
#include "../device.h"

struct LadderPlan
{
    const float *a, *b;
    float* c;
    int m, n, k;
    int a_pitch, b_pitch; // elements from row to row; multiples of 4, with zeros behind each row of a
    int column_tiles;     // blocks along n, fastest in the grid
};

constexpr int tile = 128, step = 32, stages = 3;
constexpr int a_line = step * 4, b_line = tile * 4, a_bytes = tile * a_line, stage_bytes = a_bytes + step * b_line;

DEVICE int a_place(int line, int chunk) { return line * a_line + ((chunk ^ (line & 7)) << 4); }

// Queues the copies of one step: four chunks of a and four of b for each thread.
DEVICE void fetch(const LadderPlan& plan, int m0, int n0, int k0, unsigned char* stage)
{
    const shared_address a = shared_address_of(stage), b = a + a_bytes;
#pragma unroll
    for (int pass = 0; pass < 4; pass++)
    {
        int line = pass * 32 + (threadIdx.x >> 3), chunk = threadIdx.x & 7, k = k0 + chunk * 4;
        bool present = m0 + line < plan.m && k < plan.a_pitch;
        copy_async16(a + a_place(line, chunk), plan.a + (present ? (long long)(m0 + line) * plan.a_pitch + k : 0), present);
    }
#pragma unroll
    for (int pass = 0; pass < 4; pass++)
    {
        int line = pass * 8 + warp_id(), column = n0 + lane_id() * 4;
        bool present = k0 + line < plan.k && column < plan.b_pitch;
        copy_async16(b + line * b_line + lane_id() * 16, plan.b + (present ? (long long)(k0 + line) * plan.b_pitch + column : 0), present);
    }
}

DEVICE void multiply(float (&sums)[8][8], const unsigned char* stage, int ty, int tx)
{
#pragma unroll 1 // one more chunk in flight takes more registers than two blocks leave
    for (int chunk = 0; chunk < 8; chunk++)
    {
        Pack<float> fa[8]; // four positions of eight rows
#pragma unroll
        for (int i = 0; i < 8; i++)
            fa[i] = load_pack((const float*)(stage + a_place(ty + 16 * i, chunk)));
#pragma unroll
        for (int q = 0; q < 4; q++)
#pragma unroll
            for (int half = 0; half < 2; half++)
            {
                Pack<float> fb = load_pack((const float*)(stage + a_bytes + (chunk * 4 + q) * b_line + half * 256 + tx * 16));
#pragma unroll
                for (int i = 0; i < 8; i++)
#pragma unroll
                    for (int j = 0; j < 4; j++)
                        sums[i][half * 4 + j] = fused_multiply_add(fa[i].v[q], fb.v[j], sums[i][half * 4 + j]);
            }
    }
}

KERNEL(ladder5_asynchronous_f32, TWO_BLOCKS(256), PARAM(LadderPlan) plan)
{
    SHARED_MEMORY(shared);
    const int m0 = blockIdx.x / plan.column_tiles * tile, n0 = blockIdx.x % plan.column_tiles * tile;
    const int ty = threadIdx.x >> 4, tx = threadIdx.x & 15;
    const int steps = (plan.k + step - 1) / step;
    for (int s = 0; s < stages - 1; s++)
    {
        if (s < steps)
            fetch(plan, m0, n0, s * step, shared + s * stage_bytes);
        copy_async_commit(); // also where there is nothing to copy: waiting counts groups
    }
    float sums[8][8] = {};
    int read = 0, write = stages - 1;
    for (int s = 0; s < steps; s++)
    {
        copy_async_wait<stages - 2>(); // step s is there for this thread,
        block_barrier();               // and for all; all have read step s - 1
        if (s + stages - 1 < steps)
            fetch(plan, m0, n0, (s + stages - 1) * step, shared + write * stage_bytes);
        copy_async_commit();
        multiply(sums, shared + read * stage_bytes, ty, tx);
        read = read + 1 == stages ? 0 : read + 1;
        write = write + 1 == stages ? 0 : write + 1;
    }
    const bool by_chunks = plan.n % 4 == 0 && is_aligned16(plan.c);
#pragma unroll
    for (int i = 0; i < 8; i++)
#pragma unroll
        for (int j = 0; j < 8; j += 4)
        {
            int row = m0 + ty + 16 * i, column = n0 + j * 16 + tx * 4;
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

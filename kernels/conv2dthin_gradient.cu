// The weight gradient of the convolutions that thin.h describes, in bf16, f32 sums: dweight [outputs, 9 x inputs] = dy [pixels, outputs]^T . seen [pixels, 9 x inputs].
//
// Bytes: dy once, outputs x 2 a pixel, is the floor; then the partial sums, 8 bytes for each weight and block. Every block adds up a run of tiles whose length depends on
// the sizes alone; the blocks' sums are added in a fixed order.
#include "thin.h"

struct ThinWeightGradientPlan
{
    const void *x, *dy;
    float* sums; // [splits, outputs, 9 taps, inputs]
    int height, width, inputs, outputs;
    int tile_height, tiles, tiles_per_split;
};

struct ThinReducePlan
{
    const float* sums; // [splits, length]
    void* target;      // [length]
    int splits, length;
};

// dweight [64 outputs, K] += dy [16 pixels, 64]^T . seen [16 pixels, K], a step. Every warp takes each eighth step of the block's tiles and has all sums in registers, and
// a ring of steps of dy of its own: no barrier until the end, when the warps' sums are added in their order.
template <int K, int stages> DEVICE void thin_weight_gradient(const ThinWeightGradientPlan& plan)
{
    constexpr int threads = 256, warps = threads / 32, step_bytes = 16 * line_bytes;
    SHARED_MEMORY(shared); // rings of the warps, then tiles of the images; at last the warps' sums
    bf16* images = (bf16*)(shared + warps * stages * step_bytes);
    const ThinRows rows(plan.height, plan.width, plan.inputs, plan.tile_height);
    const int seen = 9 * plan.inputs, n0 = blockIdx.y * 64, width = plan.width, pixels = plan.tile_height * width, steps_of_tile = (pixels + 15) / 16;
    const int first = blockIdx.x * plan.tiles_per_split, tiles = minimum_of(plan.tiles_per_split, plan.tiles - first);
    for (int tile = 0; tile < tiles; tile++)
        rows.load(images + tile * rows.tile_elements(), (const bf16*)plan.x, first + tile, threads);
    copy_async_commit();

    const int lane = lane_id(), g = lane >> 2, q = lane & 3;
    const shared_address ring = shared_address_of(shared) + warp_id() * stages * step_bytes;
    const bf16* dy = (const bf16*)plan.dy + n0 + (lane & 7) * 8;
    // The step that is loaded next: number `load_step` of tile `load_tile`.
    int load_tile = 0, load_step = warp_id(), load_stage = 0;
    auto settle = [&](int& tile, int& step) {
        while (step >= steps_of_tile && tile < tiles)
        {
            step -= steps_of_tile;
            tile++;
        }
    };
    auto load = [&] {
        settle(load_tile, load_step);
        if (load_tile < tiles)
        {
#pragma unroll
            for (int pass = 0; pass < 4; pass++)
            {
                int line = (lane >> 3) + pass * 4, pixel = load_step * 16 + line;
                bool present = pixel < pixels;
                copy_async16(ring + load_stage * step_bytes + chunk_place(line, lane & 7),
                             dy + (present ? ((long long)(first + load_tile) * pixels + pixel) * plan.outputs : 0), present);
            }
            load_step += warps;
            load_stage = load_stage + 1 == stages ? 0 : load_stage + 1;
        }
        copy_async_commit();
    };
#pragma unroll
    for (int s = 0; s < stages - 1; s++)
        load();
    copy_async_wait<stages - 1>(); // the images
    block_barrier();

    int offsets[K / 8];
#pragma unroll
    for (int j = 0; j < K / 8; j++)
        offsets[j] = rows.offset_of(j * 8 + g);
    float sums[4][K / 8][4] = {};
    int tile = 0, step = warp_id(), stage = 0;
    for (;; step += warps)
    {
        settle(tile, step);
        if (tile >= tiles)
            break;
        copy_async_wait<stages - 2>();
        warp_barrier(); // all lanes' copies of this step are there, and all have read the last one, whose place is filled next
        load();
        // Eight pixels lie in one row. The second eight may not be there.
        const int at = step * 16;
        int row = at / width, column = at - row * width;
        const bf16* from = images + tile * rows.tile_elements() + rows.start_of(row, column + q * 2);
        const unsigned keep = at + 8 < pixels ? 0xFFFFFFFF : 0;
        const bf16* behind = keep == 0 ? from : column + 8 < width ? from + 8 * plan.inputs : from + rows.pitch - column * plan.inputs;
        unsigned b[K / 8][2];
#pragma unroll
        for (int j = 0; j < K / 8; j++)
        {
            b[j][0] = pair_of(from[offsets[j]], from[offsets[j] + plan.inputs]);
            b[j][1] = pair_of(behind[offsets[j]], behind[offsets[j] + plan.inputs]) & keep;
        }
        const shared_address lines = ring + stage * step_bytes;
#pragma unroll
        for (int i = 0; i < 4; i++)
        {
            unsigned a[4];
            load_matrices_transposed(a, lines + chunk_place((lane & 7) + ((lane >> 4) << 3), 2 * i + ((lane >> 3) & 1)));
#pragma unroll
            for (int j = 0; j < K / 8; j++)
                multiply_accumulate(sums[i][j], a, b[j][0], b[j][1]);
        }
        stage = stage + 1 == stages ? 0 : stage + 1;
    }
    copy_async_wait<0>();
    block_barrier();

    float* mine = (float*)shared + warp_id() * 64 * K + lane;
#pragma unroll
    for (int i = 0; i < 4; i++)
#pragma unroll
        for (int j = 0; j < K / 8; j++)
#pragma unroll
            for (int part = 0; part < 4; part++)
                mine[((i * (K / 8) + j) * 4 + part) * 32] = sums[i][j][part];
    block_barrier();
    float* target = plan.sums + ((long long)blockIdx.x * plan.outputs + n0) * seen;
    for (int at = threadIdx.x; at < 64 * K; at += threads)
    {
        float sum = 0;
#pragma unroll
        for (int w = 0; w < warps; w++)
            sum += ((const float*)shared)[w * 64 * K + at];
        int part = at >> 5 & 3, tile_of = at >> 7, j = tile_of % (K / 8), i = tile_of / (K / 8);
        int n = i * 16 + g + (part >> 1) * 8, k = j * 8 + q * 2 + (part & 1); // `at` has this thread's lane
        if (k < seen)
            target[n * seen + k] = sum;
    }
}

// Few numbers and many partial sums of each: a block adds those of 32 numbers, each warp a sixteenth of the splits, first to last, then the warps' in their order.
template <class T> DEVICE void thin_reduce(const ThinReducePlan& plan)
{
    constexpr int warps = 16;
    __shared__ float partial[warps][32];
    const int at = blockIdx.x * 32 + lane_id(), share = (plan.splits + warps - 1) / warps;
    const int first = warp_id() * share, last = minimum_of(first + share, plan.splits);
    float sum = 0;
    if (at < plan.length)
    {
        int split = first;
        for (; split + 8 <= last; split += 8)
        {
            float v[8]; // under way together
#pragma unroll
            for (int i = 0; i < 8; i++)
                v[i] = plan.sums[(long long)(split + i) * plan.length + at];
#pragma unroll
            for (int i = 0; i < 8; i++)
                sum += v[i];
        }
        for (; split < last; split++)
            sum += plan.sums[(long long)split * plan.length + at];
    }
    partial[warp_id()][lane_id()] = sum;
    block_barrier();
    if (warp_id() > 0 || at >= plan.length)
        return;
    sum = 0;
#pragma unroll
    for (int w = 0; w < warps; w++)
        sum += partial[w][lane_id()];
    ((T*)plan.target)[at] = from_float<T>(sum);
}

KERNEL(conv2dthin_weight_gradient_16_bf16, 256, PARAM(ThinWeightGradientPlan) plan) { thin_weight_gradient<16, 4>(plan); }
KERNEL(conv2dthin_weight_gradient_32_bf16, 256, PARAM(ThinWeightGradientPlan) plan) { thin_weight_gradient<32, 4>(plan); }
KERNEL(conv2dthin_weight_gradient_48_bf16, 256, PARAM(ThinWeightGradientPlan) plan) { thin_weight_gradient<48, 4>(plan); }
KERNEL(conv2dthin_reduce_f32, 512, PARAM(ThinReducePlan) plan) { thin_reduce<float>(plan); }
KERNEL(conv2dthin_reduce_bf16, 512, PARAM(ThinReducePlan) plan) { thin_reduce<bf16>(plan); }

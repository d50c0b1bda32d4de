// sm_90a
// patch_gather of conv2d3x3.cu for Hopper: the same patches, weights, order of products and plan, multiplied by warpgroups (wgmma). The first operand comes from
// registers, where ldmatrix gathers it from the patch under each tap; the second, the weights, is read from shared memory by the tensor cores themselves.
//
// Two warpgroups, each BM / 2 pixels x BN channels. A step is a row of three taps: the first operands of all its products (of a tap's, where registers are
// short) are fetched before the first one starts, as the compiler would wait for each product otherwise; while they run, the copies of the next step are queued. The groups meet once a step
// and drift apart in between, so that one multiplies while the other fetches. 256 pixels a tile halve the bytes of weights out of the L2 cache.
#include "patch.h"

template <int BM, int BN, int taps_at_once> DEVICE void patch_gather(const PatchPlan& plan)
{
    constexpr int threads = 256, groups = BM / 128, tap_bytes = BN * line_bytes, stage_bytes = 3 * tap_bytes, parts = 3;
    SHARED_MEMORY(shared); // weights of two steps, then two patches, or one where there are 64 channels only
    __shared__ Line sources[most_lines * groups];
    const bf16* source = (const bf16*)plan.source;
    const bf16* weight = (const bf16*)plan.weight;

    PatchShape shape(plan.width, plan.height, plan.batch, plan.tile_height, plan.tile_images);
    shape.move_to(blockIdx.x / plan.column_tiles);
    const int n0 = blockIdx.x % plan.column_tiles * BN, lines = shape.lines(), patch_bytes = lines * line_bytes;
    shape.describe_lines(sources, threads);
    block_barrier();

    const int column = threadIdx.x & 7, line0 = threadIdx.x >> 3; // this thread copies one chunk of every 32nd line
    const shared_address weights = shared_address_of(shared), patches = weights + 2 * stage_bytes;
    const int slabs = plan.channels / 64, steps = slabs * 3, lines_of_part = (lines + parts - 1) / parts;

    auto load_patch = [&](int slab, int from, int to) {
        shared_address patch = patches + (slab & 1) * patch_bytes;
        for (int line = from + line0; line < to; line += 32)
        {
            Line at = sources[line];
            bool inside = shape.is_inside(at);
            copy_async16(patch + chunk_place(line, column),
                         source + (inside ? (long long)(shape.first_pixel + at.pixel) * plan.channels + slab * 64 + column * 8 : 0), inside);
        }
    };
    const bf16* first_weight = weight + (long long)(n0 + line0) * 9 * plan.channels + column * 8;
    auto load_weights = [&](int step, int slab, int tap_y) {
        shared_address target = weights + (step & 1) * stage_bytes;
#pragma unroll
        for (int tap_x = 0; tap_x < 3; tap_x++)
        {
            const bf16* from = first_weight + (tap_y * 3 + tap_x) * plan.channels + slab * 64;
#pragma unroll
            for (int pass = 0; pass < BN / 32; pass++)
            {
                bool present = n0 + line0 + pass * 32 < plan.target_channels;
                copy_async16(target + tap_x * tap_bytes + chunk_place(line0 + pass * 32, column), present ? from + (long long)pass * 32 * 9 * plan.channels : weight, present);
            }
        }
    };

    // Rows of this warp: 16 of each 64 of its group.
    const int lane = lane_id(), m0 = (warp_id() >> 2) * (64 * groups) + (warp_id() & 3) * 16;
    int line_of_row[groups];
    float sums[groups][BN / 2];
#pragma unroll
    for (int g = 0; g < groups; g++)
    {
        line_of_row[g] = shape.line_of(m0 + g * 64 + (lane & 15));
#pragma unroll
        for (int i = 0; i < BN / 2; i++)
            sums[g][i] = 0;
    }

    load_patch(0, 0, lines);
    load_weights(0, 0, 0);
    copy_async_commit();
    int slab = 0, tap_y = 0;
    for (int s = 0; s < steps; s++)
    {
        copy_async_wait<0>();
        fence_for_warpgroup_operands();
        block_barrier(); // both groups have waited for their products of the last step, whose place is filled next
        const int next_slab = tap_y == 2 ? slab + 1 : slab, next_tap_y = tap_y == 2 ? 0 : tap_y + 1;
        const int first_tap = plan.is_gradient ? (2 - tap_y) * shape.patch_width + 2 : tap_y * shape.patch_width, tap_step = plan.is_gradient ? -1 : 1;
        const shared_address patch = patches + (slab & 1) * patch_bytes;
        const u64 b = warpgroup_operand(weights + (s & 1) * stage_bytes);
#pragma unroll
        for (int g = 0; g < groups; g++)
        {
#pragma unroll
            for (int tap0 = 0; tap0 < 3; tap0 += taps_at_once)
            {
                unsigned a[taps_at_once][4][4];
#pragma unroll
                for (int t = 0; t < taps_at_once; t++)
                {
                    const int line = line_of_row[g] + first_tap + (tap0 + t) * tap_step;
#pragma unroll
                    for (int k = 0; k < 4; k++)
                        load_matrices(a[t][k], patch + line * line_bytes + (((2 * k + (lane >> 4)) ^ (line & 7)) << 4));
                }
                warpgroup_fence();
#pragma unroll
                for (int t = 0; t < taps_at_once; t++)
#pragma unroll
                    for (int k = 0; k < 4; k++)
                        warpgroup_multiply(sums[g], a[t][k], advance(b, (tap0 + t) * (tap_bytes / 32) + k));
                warpgroup_commit();
                if (g == 0 && tap0 == 0)
                {
                    if (s + 1 < steps)
                        load_weights(s + 1, next_slab, next_tap_y);
                    if (slab + 1 < slabs)
                        load_patch(slab + 1, tap_y * lines_of_part, minimum_of((tap_y + 1) * lines_of_part, lines));
                    copy_async_commit();
                }
                warpgroup_wait<0>();
            }
        }
        slab = next_slab;
        tap_y = next_tap_y;
    }
    copy_async_wait<0>();
    block_barrier();

    // Through shared memory, so that whole lines go out.
    constexpr int pitch = BN + 8;
    bf16* result = (bf16*)shared;
#pragma unroll
    for (int g = 0; g < groups; g++)
#pragma unroll
        for (int j = 0; j < BN / 8; j++)
        {
            bf16* at = result + (m0 + g * 64 + (lane >> 2)) * pitch + j * 8 + (lane & 3) * 2;
            *(unsigned*)at = round_to_bf16x2(sums[g][j * 4], sums[g][j * 4 + 1]);
            *(unsigned*)(at + 8 * pitch) = round_to_bf16x2(sums[g][j * 4 + 2], sums[g][j * 4 + 3]);
        }
    block_barrier();
    bf16* target = (bf16*)plan.target + (long long)shape.first_pixel * plan.target_channels;
    const int pixels = minimum_of(BM, shape.pixels_left());
    for (int at = threadIdx.x; at < BM * (BN / 8); at += threads)
    {
        int m = at / (BN / 8), n = at % (BN / 8) * 8;
        if (m < pixels && n0 + n < plan.target_channels)
            store_pack(target + m * plan.target_channels + n0 + n, load_pack(result + m * pitch + n));
    }
}

KERNEL(conv2d3x3_gather_hopper_256x128_bf16, 256, PARAM(PatchPlan) plan) { patch_gather<256, 128, 3>(plan); }
KERNEL(conv2d3x3_gather_hopper_256x64_bf16, TWO_BLOCKS(256), PARAM(PatchPlan) plan) { patch_gather<256, 64, 1>(plan); }
KERNEL(conv2d3x3_gather_hopper_128x128_bf16, 256, PARAM(PatchPlan) plan) { patch_gather<128, 128, 3>(plan); }
KERNEL(conv2d3x3_gather_hopper_128x64_bf16, TWO_BLOCKS(256), PARAM(PatchPlan) plan) { patch_gather<128, 64, 3>(plan); }

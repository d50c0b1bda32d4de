// sm_90a
// patch_gather of conv2d3x3.cu for Hopper: the same patches, weights, order of products and plan, multiplied by warpgroups (wgmma). The first operand comes from
// registers, where ldmatrix gathers it from the patch under each tap; the second, the weights, is read from shared memory by the tensor cores themselves.
//
// Two warpgroups, each 64 pixels x BN channels; two blocks share a multiprocessor, and one multiplies while the other waits for its copies.
#include "patch.h"

template <int BN, int stages> DEVICE void patch_gather(const PatchPlan& plan)
{
    constexpr int BM = 128, threads = 256, weight_bytes = BN * line_bytes, parts = 8;
    SHARED_MEMORY(shared); // `stages` tiles of weights, then two patches
    __shared__ Line sources[most_lines];
    const bf16* source = (const bf16*)plan.source;
    const bf16* weight = (const bf16*)plan.weight;

    PatchShape shape(plan.width, plan.height, plan.batch, plan.tile_height, plan.tile_images);
    shape.move_to(blockIdx.x / plan.column_tiles);
    const int n0 = blockIdx.x % plan.column_tiles * BN, lines = shape.lines(), patch_bytes = lines * line_bytes;
    shape.describe_lines(sources, threads);
    block_barrier();

    const int column = threadIdx.x & 7, line0 = threadIdx.x >> 3; // this thread copies one chunk of every 32nd line
    const shared_address weights = shared_address_of(shared), patches = weights + stages * weight_bytes;
    const int slabs = plan.channels / 64, steps = slabs * 9, lines_of_part = (lines + parts - 1) / parts;

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
    const bf16* next_weight = weight + (long long)(n0 + line0) * 9 * plan.channels + column * 8;
    int load_tap = 0, load_stage = 0;
    auto load_weights = [&] {
        shared_address target = weights + load_stage * weight_bytes;
#pragma unroll
        for (int pass = 0; pass < BN / 32; pass++)
        {
            bool present = n0 + line0 + pass * 32 < plan.target_channels;
            copy_async16(target + chunk_place(line0 + pass * 32, column), present ? next_weight + (long long)pass * 32 * 9 * plan.channels : weight, present);
        }
        next_weight += plan.channels;
        if (++load_tap == 9)
        {
            load_tap = 0;
            next_weight += 64 - 9 * plan.channels; // the next 64 channels
        }
        load_stage = load_stage + 1 == stages ? 0 : load_stage + 1;
    };

    const int lane = lane_id(), m0 = warp_id() * 16; // this warp's 16 rows
    const int line_of_row = shape.line_of(m0 + (lane & 15));
    float sums[BN / 2];
#pragma unroll
    for (int i = 0; i < BN / 2; i++)
        sums[i] = 0;

    load_patch(0, 0, lines);
#pragma unroll
    for (int s = 0; s < stages - 1; s++)
    {
        load_weights(); // there are 9 steps at least
        copy_async_commit();
    }
    int slab = 0, tap = 0, tap_y = 0, tap_x = 0, stage = 0;
    for (int s = 0; s < steps; s++)
    {
        copy_async_wait<stages - 2>();
        fence_for_warpgroup_operands();
        block_barrier(); // both groups have waited for their products of the last step, whose place is filled next
        if (s + stages - 1 < steps)
            load_weights();
        // The next patch comes in pieces with the first eight taps, and is there one tap before it is read.
        if (tap < parts && slab + 1 < slabs)
            load_patch(slab + 1, tap * lines_of_part, minimum_of((tap + 1) * lines_of_part, lines));
        copy_async_commit();

        const int shift = plan.is_gradient ? (2 - tap_y) * shape.patch_width + 2 - tap_x : tap_y * shape.patch_width + tap_x;
        const int line = line_of_row + shift;
        const shared_address row = patches + (slab & 1) * patch_bytes + line * line_bytes;
        unsigned a[4][4];
#pragma unroll
        for (int k = 0; k < 4; k++)
            load_matrices(a[k], row + (((2 * k + (lane >> 4)) ^ (line & 7)) << 4));
        const u64 b = warpgroup_operand(weights + stage * weight_bytes);
        warpgroup_fence();
#pragma unroll
        for (int k = 0; k < 4; k++)
            warpgroup_multiply(sums, a[k], advance(b, k));
        warpgroup_commit();
        warpgroup_wait<0>();

        stage = stage + 1 == stages ? 0 : stage + 1;
        if (++tap_x == 3)
        {
            tap_x = 0;
            tap_y++;
        }
        if (++tap == 9)
        {
            tap = tap_y = 0;
            slab++;
        }
    }
    copy_async_wait<0>();
    block_barrier();

    // Through shared memory, so that whole lines go out.
    constexpr int pitch = BN + 8;
    bf16* result = (bf16*)shared;
#pragma unroll
    for (int j = 0; j < BN / 8; j++)
    {
        bf16* at = result + (m0 + (lane >> 2)) * pitch + j * 8 + (lane & 3) * 2;
        *(unsigned*)at = round_to_bf16x2(sums[j * 4], sums[j * 4 + 1]);
        *(unsigned*)(at + 8 * pitch) = round_to_bf16x2(sums[j * 4 + 2], sums[j * 4 + 3]);
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

KERNEL(conv2d3x3_gather_hopper_128_bf16, 256, PARAM(PatchPlan) plan) { patch_gather<128, 3>(plan); }
KERNEL(conv2d3x3_gather_hopper_64_bf16, 256, PARAM(PatchPlan) plan) { patch_gather<64, 4>(plan); }

// sm_90a
// The weight gradient of conv2d.cu for Hopper, in bf16: dweight [outputs, taps x inputs] = dy [pixels, outputs]^T . patches(x) [pixels, taps x inputs], by warpgroups
// (wgmma). The first operand comes from registers, where ldmatrix transposes it; the second the tensor cores read across the common axis.
//
// A block computes 128 outputs x 192 columns, three pieces of 64 inputs with a tap each, over a chunk of the pixels (grid z). Sums of the chunks go to scratch, and
// pack.cu's `reduce` adds them in order. The number of chunks depends on the sizes alone.
//
// Bytes out of the L2 cache bound it: 40 KB for 768 clocks of products, a step of 64 pixels; then the partial sums, 8 bytes for each weight and chunk.
#include "conv2d.h"

// Two warpgroups, each 64 outputs.
template <int stages> DEVICE void weight_gradient(const WeightGradientPlan& plan)
{
    constexpr int BM = 128, BN = 192, threads = 256, step = 64, ahead = stages - 2, piece_bytes = step * line_bytes, a_bytes = BM / 64 * piece_bytes,
                  stage_bytes = a_bytes + BN / 64 * piece_bytes, passes = step / (threads / 8);
    SHARED_MEMORY(shared);
    const bf16* x = (const bf16*)plan.x;
    const bf16* dy = (const bf16*)plan.dy;
    const int image = plan.output_height * plan.output_width, pixels = plan.batch * image, columns = plan.taps * plan.inputs;
    const int m0 = blockIdx.y * BM, n0 = blockIdx.x * BN;
    const int first = blockIdx.z * plan.pixels_per_split, last = minimum_of(first + plan.pixels_per_split, pixels), steps = (last - first + step - 1) / step;

    // This thread copies one chunk of every 32nd line, in each piece; lines are pixels, and it follows its own from step to step.
    const int column = threadIdx.x & 7, line0 = threadIdx.x >> 3, width = plan.width * plan.inputs;
    const int step_n = step / image, step_p = step % image / plan.output_width, step_q = step % image % plan.output_width;
    int n[passes], p[passes], q[passes];
#pragma unroll
    for (int pass = 0; pass < passes; pass++)
    {
        int pixel = first + line0 + pass * 32;
        n[pass] = pixel / image;
        p[pass] = pixel % image / plan.output_width;
        q[pass] = pixel % image % plan.output_width;
    }
    int tap_y[BN / 64], tap_x[BN / 64], channel[BN / 64];
#pragma unroll
    for (int piece = 0; piece < BN / 64; piece++)
    {
        int tap = (n0 + piece * 64) / plan.inputs;
        tap_y[piece] = tap / plan.kernel_width;
        tap_x[piece] = tap % plan.kernel_width;
        channel[piece] = (n0 + piece * 64) % plan.inputs + column * 8;
    }
    const shared_address start = shared_address_of(shared);
    int load_pixel = first + line0;
    auto load = [&](int stage) __attribute__((always_inline)) {
        const shared_address to_dy = start + stage * stage_bytes, to_x = to_dy + a_bytes;
#pragma unroll
        for (int pass = 0; pass < passes; pass++)
        {
            const int line = line0 + pass * 32, pixel = load_pixel + pass * 32;
            const bool present = pixel < last;
#pragma unroll
            for (int piece = 0; piece < BM / 64; piece++)
            {
                int output = m0 + piece * 64 + column * 8;
                bool inside = present && output < plan.outputs;
                copy_async16(to_dy + piece * piece_bytes + chunk_place(line, column), inside ? dy + (long long)pixel * plan.outputs + output : dy, inside);
            }
            const int top = p[pass] * plan.stride - plan.padding, left = q[pass] * plan.stride - plan.padding;
#pragma unroll
            for (int piece = 0; piece < BN / 64; piece++)
            {
                int row = top + tap_y[piece], at = left + tap_x[piece];
                bool inside = present && (unsigned)row < (unsigned)plan.height && (unsigned)at < (unsigned)plan.width;
                copy_async16(to_x + piece * piece_bytes + chunk_place(line, column),
                             inside ? x + (long long)(n[pass] * plan.height + row) * width + at * plan.inputs + channel[piece] : x, inside);
            }
            n[pass] += step_n;
            p[pass] += step_p;
            q[pass] += step_q;
            if (q[pass] >= plan.output_width)
            {
                q[pass] -= plan.output_width;
                p[pass]++;
            }
            if (p[pass] >= plan.output_height)
            {
                p[pass] -= plan.output_height;
                n[pass]++;
            }
        }
        load_pixel += step;
    };

    const int lane = lane_id(), group = warp_id() >> 2, m = (warp_id() & 3) * 16; // this warp's 16 outputs of its group's 64
    const int dy_line = (lane & 7) + ((lane >> 4) << 3), dy_chunk = (m >> 3) + ((lane >> 3) & 1);
    float sums[BN / 2];
#pragma unroll
    for (int i = 0; i < BN / 2; i++)
        sums[i] = 0;

#pragma unroll
    for (int s = 0; s < ahead; s++)
    {
        if (s < steps)
            load(s);
        copy_async_commit();
    }
    int stage = 0, load_stage = ahead;
    for (int s = 0; s < steps; s++)
    {
        copy_async_wait<ahead - 1>();
        fence_for_warpgroup_operands();
        block_barrier(); // all are done with the products before the last step's
        const shared_address to_dy = start + stage * stage_bytes + group * piece_bytes;
        const u64 b = warpgroup_operand_across(start + stage * stage_bytes + a_bytes);
        // In halves, so that the registers of one are filled while the products of the other read theirs.
        unsigned first_half[2][4], second_half[2][4];
        auto multiply_half = [&](unsigned (&a)[2][4], int k0) __attribute__((always_inline)) {
#pragma unroll
            for (int k = 0; k < 2; k++)
                load_matrices_transposed(a[k], to_dy + chunk_place((k0 + k) * 16 + dy_line, dy_chunk));
            warpgroup_fence();
#pragma unroll
            for (int k = 0; k < 2; k++)
                warpgroup_multiply_across(sums, a[k], advance_across(b, k0 + k));
            warpgroup_commit();
        };
        multiply_half(first_half, 0);
        warpgroup_wait<1>();
        multiply_half(second_half, 2);
        if (s + ahead < steps)
            load(load_stage);
        copy_async_commit();
        stage = stage + 1 == stages ? 0 : stage + 1;
        load_stage = load_stage + 1 == stages ? 0 : load_stage + 1;
        warpgroup_wait<1>();
    }
    warpgroup_wait<0>();
    copy_async_wait<0>();

    struct alignas(8) Pair
    {
        float first, second;
    };
#pragma unroll
    for (int half = 0; half < 2; half++)
    {
        const int output = m0 + group * 64 + m + (lane >> 2) + half * 8;
        float* to = plan.sums + ((long long)blockIdx.z * plan.outputs + output) * columns + n0 + (lane & 3) * 2;
        if (output < plan.outputs)
        {
#pragma unroll
            for (int j = 0; j < BN / 8; j++)
                *(Pair*)(to + j * 8) = {sums[j * 4 + half * 2], sums[j * 4 + half * 2 + 1]};
        }
    }
}

KERNEL(conv2d_weight_gradient_hopper_bf16, 256, PARAM(WeightGradientPlan) plan) { weight_gradient<5>(plan); }

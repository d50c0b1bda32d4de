// The forward pass of convolutions 3x3 with stride 1 and padding 1 of images with at most 4 channels, in bf16: the first layer of a network for images. See thin.h.
//
// Bytes: outputs x 2 a pixel are written, the images are less than a tenth of that: the floor. Operations: 2 x 64 x 32 a pixel and 64 outputs, an eighth of what the
// tensor cores do in that time.
#include "thin.h"

struct ThinForwardPlan
{
    const void *x, *weight; // [batch, height, width, inputs], [outputs, 9 taps, inputs]
    void* y;
    int height, width, inputs, outputs; // outputs a multiple of 64
    int tile_height;
};

struct alignas(16) Words
{
    unsigned v[4];
};

// Eight warps, each 16 pixels x 64 outputs at a time; the weights stay in registers. Column 2 q + e of the j-th product of 8 columns is output 32 (j / 4) + 8 q +
// 2 (j % 4) + e, so that lane q of a row has 8 outputs in a row, and four lanes write whole sectors of 32 bytes.
template <int K> DEVICE void thin_forward(const ThinForwardPlan& plan)
{
    constexpr int threads = 256, pixels_a_pass = threads / 32 * 16, weight_pitch = K + 8; // an odd number of chunks: no bank conflicts
    SHARED_MEMORY(shared);
    bf16* weights = (bf16*)shared;
    bf16* images = weights + 64 * weight_pitch;
    const ThinRows rows(plan.height, plan.width, plan.inputs, plan.tile_height);
    const int seen = 9 * plan.inputs, n0 = blockIdx.y * 64;
    rows.load(images, (const bf16*)plan.x, blockIdx.x, threads);
    copy_async_commit();
    const bf16* weight = (const bf16*)plan.weight + (long long)n0 * seen;
#pragma unroll
    for (int i = threadIdx.x; i < 64 * K; i += threads)
    {
        int n = i / K, k = i % K;
        weights[n * weight_pitch + k] = k < seen ? weight[n * seen + k] : bf16{};
    }
    copy_async_wait<0>();
    block_barrier();

    const int lane = lane_id(), g = lane >> 2, q = lane & 3;
    unsigned b[K / 16][8][2];
#pragma unroll
    for (int s = 0; s < K / 16; s++)
#pragma unroll
        for (int j = 0; j < 8; j += 2)
        {
            int of = (j & 3) + (lane >> 4), n = (j >> 2) * 32 + ((lane & 7) >> 1) * 8 + of * 2 + (lane & 1);
            unsigned r[4];
            load_matrices(r, shared_address_of(weights + n * weight_pitch + s * 16 + ((lane >> 3) & 1) * 8));
            b[s][j][0] = r[0];
            b[s][j][1] = r[1];
            b[s][j + 1][0] = r[2];
            b[s][j + 1][1] = r[3];
        }
    int offsets[K / 16][2][2];
    unsigned keep[2]; // of the last 16 numbers: past those that are seen there have to be zeros, for NaN times zero is NaN
#pragma unroll
    for (int s = 0; s < K / 16; s++)
#pragma unroll
        for (int h = 0; h < 2; h++)
        {
            int k = s * 16 + h * 8 + q * 2;
            offsets[s][h][0] = rows.offset_of(k);
            offsets[s][h][1] = rows.offset_of(k + 1);
            keep[h] = (k < seen ? 0xFFFF : 0) | (k + 1 < seen ? 0xFFFF0000 : 0);
        }

    const int width = plan.width, pixels = plan.tile_height * width;
    const int step_row = pixels_a_pass / width, step_column = pixels_a_pass % width;
    int pixel = warp_id() * 16 + g, row[2], column[2]; // this one and the eighth behind it
#pragma unroll
    for (int half = 0; half < 2; half++)
    {
        row[half] = (pixel + half * 8) / width;
        column[half] = (pixel + half * 8) % width;
    }
    bf16* y = (bf16*)plan.y + (long long)blockIdx.x * pixels * plan.outputs + n0 + q * 8;
    for (; pixel - g < pixels; pixel += pixels_a_pass)
    {
        const bool present[2] = {true, pixel + 8 < pixels};
        unsigned a[K / 16][4];
#pragma unroll
        for (int half = 0; half < 2; half++)
        {
            const bf16* from = images + (present[half] ? rows.start_of(row[half], column[half]) : 0);
#pragma unroll
            for (int s = 0; s < K / 16; s++)
#pragma unroll
                for (int h = 0; h < 2; h++)
                {
                    unsigned pair = pair_of(from[offsets[s][h][0]], from[offsets[s][h][1]]);
                    a[s][h * 2 + half] = s + 1 < K / 16 ? pair : pair & keep[h];
                }
            row[half] += step_row;
            column[half] += step_column;
            if (column[half] >= width)
            {
                column[half] -= width;
                row[half]++;
            }
        }
        float sums[8][4] = {};
#pragma unroll
        for (int s = 0; s < K / 16; s++)
#pragma unroll
            for (int j = 0; j < 8; j++)
                multiply_accumulate(sums[j], a[s], b[s][j][0], b[s][j][1]);
#pragma unroll
        for (int half = 0; half < 2; half++)
            if (present[half])
            {
                bf16* to = y + (long long)(pixel + half * 8) * plan.outputs;
#pragma unroll
                for (int t = 0; t < 2; t++)
                {
                    Words words;
#pragma unroll
                    for (int i = 0; i < 4; i++)
                        words.v[i] = round_to_bf16x2(sums[t * 4 + i][half * 2], sums[t * 4 + i][half * 2 + 1]);
                    *(Words*)(to + t * 32) = words;
                }
            }
    }
}

KERNEL(conv2dthin_forward_16_bf16, 256, PARAM(ThinForwardPlan) plan) { thin_forward<16>(plan); }
KERNEL(conv2dthin_forward_32_bf16, 256, PARAM(ThinForwardPlan) plan) { thin_forward<32>(plan); }
KERNEL(conv2dthin_forward_48_bf16, 256, PARAM(ThinForwardPlan) plan) { thin_forward<48>(plan); }

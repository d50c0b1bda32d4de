// Convolutions 3x3 with stride 1 and padding 1 in bf16, of images that are 4 to 64 pixels wide, channels a multiple of 64: nearly all the work of
// a residual network. What conv2d.cu does for any shape, with fewer bytes out of the L2 cache, which is what bounds it there.
//
// patch_gather (forward and input gradient): a block computes 128 pixels, whole rows of one or several images, x BN channels. For 64 channels of
// the source at a time it copies the pixels with a border of one around them, the patch, into shared memory; all nine taps read it there, since every lane
// of ldmatrix names its own line. Bytes per 128 x BN x 64 x 9 products: a patch of 180 to 288 lines and 9 BN lines of weights, in place of 9 (128 + BN).
//
// patch_weight_gradient: a block computes 64 outputs x 64 inputs for all nine taps, over a chunk of the pixels: 36,864 sums in the registers of 256
// threads. For 64 pixels at a time it copies their 64 channels of dy and their patch of x. Sums go to scratch; pack.cu's `reduce` adds the chunks in order.
//
// A line is the 64 channels of a pixel, 128 bytes, placed as in tiles.h.
#include "patch.h"

struct PatchWeightGradientPlan
{
    const void *x, *dy;
    float* sums; // [splits, outputs, 9 taps, inputs]
    int batch, height, width, inputs, outputs;
    int tile_height, tile_images; // as above, 64 pixels
    int tiles_per_split;
};

// Four warps, each 64 pixels x BN / 2 channels.
template <int BN, int stages> DEVICE void patch_gather(const PatchPlan& plan)
{
    constexpr int BM = 128, WN = BN / 2, threads = 128, weight_bytes = BN * line_bytes, parts = 8;
    SHARED_MEMORY(shared); // two patches, then `stages` tiles of weights
    __shared__ Line sources[most_lines];
    const bf16* source = (const bf16*)plan.source;
    const bf16* weight = (const bf16*)plan.weight;

    PatchShape shape(plan.width, plan.height, plan.batch, plan.tile_height, plan.tile_images);
    shape.move_to(blockIdx.x / plan.column_tiles);
    const int n0 = blockIdx.x % plan.column_tiles * BN, lines = shape.lines(), patch_bytes = lines * line_bytes;
    shape.describe_lines(sources, threads);
    block_barrier();

    const int column = threadIdx.x & 7, line0 = threadIdx.x >> 3; // this thread copies one chunk of every 16th line
    const shared_address patches = shared_address_of(shared), weights = patches + 2 * patch_bytes;
    const int slabs = plan.channels / 64, steps = slabs * 9, lines_of_part = (lines + parts - 1) / parts;

    auto load_patch = [&](int slab, int from, int to) {
        shared_address patch = patches + (slab & 1) * patch_bytes;
        for (int line = from + line0; line < to; line += 16)
        {
            Line at = sources[line];
            bool inside = shape.is_inside(at);
            copy_async16(patch + chunk_place(line, column),
                         source + (inside ? (long long)(shape.first_pixel + at.pixel) * plan.channels + slab * 64 + column * 8 : 0), inside);
        }
    };
    // Weights of the step that is loaded next, and where they go.
    const bf16* next_weight = weight + (long long)(n0 + line0) * 9 * plan.channels + column * 8;
    int load_tap = 0, load_stage = 0;
    auto load_weights = [&] {
        shared_address target = weights + load_stage * weight_bytes;
#pragma unroll
        for (int pass = 0; pass < BN / 16; pass++)
        {
            bool present = n0 + line0 + pass * 16 < plan.target_channels;
            copy_async16(target + chunk_place(line0 + pass * 16, column), present ? next_weight + (long long)pass * 16 * 9 * plan.channels : weight, present);
        }
        next_weight += plan.channels;
        if (++load_tap == 9)
        {
            load_tap = 0;
            next_weight += 64 - 9 * plan.channels; // the next 64 channels
        }
        load_stage = load_stage + 1 == stages ? 0 : load_stage + 1;
    };

    // Lines of this lane's rows under tap (0, 0); a tap adds the same to all.
    const int lane = lane_id(), m0 = (warp_id() >> 1) * 64, w0 = (warp_id() & 1) * WN;
    int line_of_row[4];
#pragma unroll
    for (int i = 0; i < 4; i++)
        line_of_row[i] = shape.line_of(m0 + i * 16 + (lane & 15));
    float sums[4][WN / 8][4];
#pragma unroll
    for (int i = 0; i < 4; i++)
#pragma unroll
        for (int j = 0; j < WN / 8; j++)
#pragma unroll
            for (int q = 0; q < 4; q++)
                sums[i][j][q] = 0;

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
        block_barrier();
        if (s + stages - 1 < steps)
            load_weights();
        // The next patch comes in pieces with the first eight taps, and is there one tap before it is read.
        if (tap < parts && slab + 1 < slabs)
            load_patch(slab + 1, tap * lines_of_part, minimum_of((tap + 1) * lines_of_part, lines));
        copy_async_commit();

        const int shift = plan.is_gradient ? (2 - tap_y) * shape.patch_width + 2 - tap_x : tap_y * shape.patch_width + tap_x;
        shared_address row[4];
        int twist[4];
#pragma unroll
        for (int i = 0; i < 4; i++)
        {
            int line = line_of_row[i] + shift;
            row[i] = patches + (slab & 1) * patch_bytes + line * line_bytes;
            twist[i] = line & 7;
        }
        const shared_address tile = weights + stage * weight_bytes;
#pragma unroll
        for (int k = 0; k < 4; k++)
        {
            unsigned a[4][4], b[WN / 16][4];
#pragma unroll
            for (int i = 0; i < 4; i++)
                load_matrices(a[i], row[i] + (((2 * k + (lane >> 4)) ^ twist[i]) << 4));
#pragma unroll
            for (int j = 0; j < WN / 16; j++)
                load_matrices(b[j], tile + chunk_place(w0 + j * 16 + (lane & 7) + ((lane >> 4) << 3), 2 * k + ((lane >> 3) & 1)));
#pragma unroll
            for (int i = 0; i < 4; i++)
#pragma unroll
                for (int j = 0; j < WN / 8; j++)
                    multiply_accumulate(sums[i][j], a[i], b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]);
        }
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
    for (int i = 0; i < 4; i++)
#pragma unroll
        for (int j = 0; j < WN / 8; j++)
        {
            bf16* at = result + (m0 + i * 16 + (lane >> 2)) * pitch + w0 + j * 8 + (lane & 3) * 2;
            *(unsigned*)at = round_to_bf16x2(sums[i][j][0], sums[i][j][1]);
            *(unsigned*)(at + 8 * pitch) = round_to_bf16x2(sums[i][j][2], sums[i][j][3]);
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

// Eight warps; warp w has inputs 8 w .. 8 w + 7 of all nine taps and all 64 outputs: 4 x 9 tiles of mma.sync.
template <int stages> DEVICE void patch_weight_gradient(const PatchWeightGradientPlan& plan)
{
    constexpr int threads = 256, pixels = 64;
    SHARED_MEMORY(shared); // stages of 64 lines of dy and a patch of x
    __shared__ Line sources[most_lines];
    const bf16* x = (const bf16*)plan.x;
    const bf16* dy = (const bf16*)plan.dy;
    PatchShape shape(plan.width, plan.height, plan.batch, plan.tile_height, plan.tile_images);
    const int lines = shape.lines(), stage_bytes = (pixels + lines) * line_bytes;
    const int tiles = (plan.batch + plan.tile_images - 1) / plan.tile_images * (plan.height / plan.tile_height);
    const int first = blockIdx.z * plan.tiles_per_split, last = minimum_of(first + plan.tiles_per_split, tiles);
    const int k0 = blockIdx.y * 64, c0 = blockIdx.x * 64;

    const int column = threadIdx.x & 7, line0 = threadIdx.x >> 3, lane = lane_id(), warp = warp_id();
    const shared_address start = shared_address_of(shared);
    shape.describe_lines(sources, threads);
    block_barrier();
    auto load = [&](int tile, int stage) {
        shape.move_to(tile);
        shared_address to_dy = start + stage * stage_bytes, to_x = to_dy + pixels * line_bytes;
#pragma unroll
        for (int pass = 0; pass < pixels / 32; pass++)
        {
            int line = line0 + pass * 32;
            bool present = line < shape.pixels_left();
            copy_async16(to_dy + chunk_place(line, column), dy + (present ? (long long)(shape.first_pixel + line) * plan.outputs + k0 + column * 8 : 0), present);
        }
        for (int line = line0; line < lines; line += 32)
        {
            Line at = sources[line];
            bool inside = shape.is_inside(at);
            copy_async16(to_x + chunk_place(line, column), x + (inside ? (long long)(shape.first_pixel + at.pixel) * plan.inputs + c0 + column * 8 : 0), inside);
        }
    };

    // Lines that this lane names: of dy for the transposed first operand, of the patch (tap (0, 0)) for the second.
    const int dy_line = (lane & 7) + ((lane >> 4) << 3), dy_chunk = (lane >> 3) & 1;
    int x_line[4];
#pragma unroll
    for (int k = 0; k < 4; k++)
        x_line[k] = shape.line_of(k * 16 + (lane & 15));
    float sums[4][9][4];
#pragma unroll
    for (int i = 0; i < 4; i++)
#pragma unroll
        for (int t = 0; t < 9; t++)
#pragma unroll
            for (int q = 0; q < 4; q++)
                sums[i][t][q] = 0;

#pragma unroll
    for (int s = 0; s < stages - 1; s++)
    {
        if (first + s < last)
            load(first + s, s);
        copy_async_commit();
    }
    int stage = 0, next_stage = stages - 1;
    for (int tile = first; tile < last; tile++)
    {
        copy_async_wait<stages - 2>();
        block_barrier();
        if (tile + stages - 1 < last)
            load(tile + stages - 1, next_stage);
        copy_async_commit();
        const shared_address at_dy = start + stage * stage_bytes, at_x = at_dy + pixels * line_bytes;
#pragma unroll
        for (int k = 0; k < 4; k++)
        {
            unsigned a[4][4];
#pragma unroll
            for (int i = 0; i < 4; i++)
                load_matrices_transposed(a[i], at_dy + chunk_place(k * 16 + dy_line, 2 * i + dy_chunk));
            // Two taps at a time: lanes below 16 name the lines of the first, the others those of the second.
#pragma unroll
            for (int t = 0; t < 9; t += 2)
            {
                int mine = t + 1 < 9 ? t + (lane >> 4) : t;
                int line = x_line[k] + mine / 3 * shape.patch_width + mine % 3;
                unsigned b[4];
                load_matrices_transposed(b, at_x + chunk_place(line, warp));
#pragma unroll
                for (int i = 0; i < 4; i++)
                {
                    multiply_accumulate(sums[i][t], a[i], b[0], b[1]);
                    if (t + 1 < 9)
                        multiply_accumulate(sums[i][t + 1 < 9 ? t + 1 : t], a[i], b[2], b[3]);
                }
            }
        }
        stage = stage + 1 == stages ? 0 : stage + 1;
        next_stage = next_stage + 1 == stages ? 0 : next_stage + 1;
    }
    copy_async_wait<0>();

    struct alignas(8) Pair
    {
        float first, second;
    };
    float* target = plan.sums + ((long long)blockIdx.z * plan.outputs + k0) * 9 * plan.inputs + c0 + warp * 8 + (lane & 3) * 2;
#pragma unroll
    for (int i = 0; i < 4; i++)
#pragma unroll
        for (int t = 0; t < 9; t++)
        {
            float* at = target + ((long long)(i * 16 + (lane >> 2)) * 9 + t) * plan.inputs;
            *(Pair*)at = {sums[i][t][0], sums[i][t][1]};
            *(Pair*)(at + (long long)8 * 9 * plan.inputs) = {sums[i][t][2], sums[i][t][3]};
        }
}

KERNEL(conv2d3x3_gather_128_bf16, 128, PARAM(PatchPlan) plan) { patch_gather<128, 3>(plan); }
KERNEL(conv2d3x3_gather_64_bf16, 128, PARAM(PatchPlan) plan) { patch_gather<64, 3>(plan); }
KERNEL(conv2d3x3_weight_gradient_bf16, 256, PARAM(PatchWeightGradientPlan) plan) { patch_weight_gradient<3>(plan); }

// Convolutions 3x3 with stride 1 and padding 1 of images with at most 4 channels, in bf16: the first layer of a network for images. NHWC, f32 sums.
//
// The 9 x inputs numbers that a pixel sees are three runs of 3 x inputs neighbors in memory. A block keeps rows of the images in shared memory as they are, with
// zeros around them, and every lane picks its part of the operand of mma.sync from there, 2 bytes at a time: no padded copy of the images, and a common axis
// of 16, 32 or 48 (inputs 1, 2 to 3, 4) in place of 72.
//
// Bytes: forward writes outputs x 2 a pixel, the weight gradient reads as many; the images are less than a tenth of that. Those bytes are the floor. Operations:
// 2 x 64 x 32 a pixel and 64 outputs, an eighth of what the tensor cores do in that time.
//
// A tile is tile_height whole rows of one image, so tiles follow each other in memory. tile_height divides the height; the width is a multiple of 8.
#include "tiles.h"

struct ThinForwardPlan
{
    const void *x, *weight; // [batch, height, width, inputs], [outputs, 9 taps, inputs]
    void* y;
    int height, width, inputs, outputs; // outputs a multiple of 64
    int tile_height;
};

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

struct alignas(16) Words
{
    unsigned v[4];
};

// Rows of images in shared memory: 8 elements whose last are the pixel left of the image, the row, 8 elements that begin with the pixel right of it. A tile has the row
// above and the row below with it.
struct ThinRows
{
    int height, width, inputs, tile_height, pitch; // elements from row to row

    DEVICE_MEMBER ThinRows(int height, int width, int inputs, int tile_height)
        : height(height), width(width), inputs(inputs), tile_height(tile_height), pitch(width * inputs + 16)
    {
    }

    DEVICE_MEMBER int tile_elements() const { return (tile_height + 2) * pitch; }

    // Queues the copy of a tile.
    DEVICE_MEMBER void load(bf16* target, const bf16* x, int tile, int threads) const
    {
        const int packs = width * inputs / 8, chunks = packs + 2, tiles_of_image = height / tile_height;
        const int image = tile / tiles_of_image, row0 = tile % tiles_of_image * tile_height - 1;
        const shared_address start = shared_address_of(target);
        for (int i = threadIdx.x; i < (tile_height + 2) * chunks; i += threads)
        {
            int row = row0 + i / chunks, pack = i % chunks - 1;
            bool present = (unsigned)row < (unsigned)height && (unsigned)pack < (unsigned)packs;
            copy_async16(start + i * 16, x + (present ? (((long long)image * height + row) * packs + pack) * 8 : 0), present);
        }
    }

    // Where the first number that a pixel sees lies in its tile, and how far behind it number k is.
    DEVICE_MEMBER int start_of(int row, int column) const { return row * pitch + 8 + (column - 1) * inputs; }
    DEVICE_MEMBER int offset_of(int k) const { return k < 9 * inputs ? k / (3 * inputs) * pitch + k % (3 * inputs) : 0; }
};

DEVICE unsigned pair_of(bf16 low, bf16 high) { return low.bits | (unsigned)high.bits << 16; }

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

KERNEL(conv2dthin_forward_16_bf16, 256, PARAM(ThinForwardPlan) plan) { thin_forward<16>(plan); }
KERNEL(conv2dthin_forward_32_bf16, 256, PARAM(ThinForwardPlan) plan) { thin_forward<32>(plan); }
KERNEL(conv2dthin_forward_48_bf16, 256, PARAM(ThinForwardPlan) plan) { thin_forward<48>(plan); }
KERNEL(conv2dthin_weight_gradient_16_bf16, 256, PARAM(ThinWeightGradientPlan) plan) { thin_weight_gradient<16, 4>(plan); }
KERNEL(conv2dthin_weight_gradient_32_bf16, 256, PARAM(ThinWeightGradientPlan) plan) { thin_weight_gradient<32, 4>(plan); }
KERNEL(conv2dthin_weight_gradient_48_bf16, 256, PARAM(ThinWeightGradientPlan) plan) { thin_weight_gradient<48, 4>(plan); }
KERNEL(conv2dthin_reduce_f32, 512, PARAM(ThinReducePlan) plan) { thin_reduce<float>(plan); }
KERNEL(conv2dthin_reduce_bf16, 512, PARAM(ThinReducePlan) plan) { thin_reduce<bf16>(plan); }

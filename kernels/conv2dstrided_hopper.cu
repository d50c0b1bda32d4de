// sm_90a
// Convolutions with stride 2 and kernels of at most 3x3 in bf16 for Hopper: forward and input gradient, NHWC, f32 sums, products by warpgroups (wgmma).
//
// A convolution with stride 2 is a sum of four convolutions with stride 1, one for each parity of rows and columns: each sees only the pixels of its parity, a
// plane of the image, and its share of the taps (3x3: 4, 2, 2 and 1). A block computes BM pixels, whole rows of one or several images, x BN channels. For 64
// channels of the source at a time it copies one plane after the other with its border into shared memory, where all taps of the plane read it: 2.2 times the
// tile's bytes for nine taps, not 9 times. In an input gradient the pixels of the target are dealt into four classes (grid z) by the taps that see them; a class has one plane,
// the whole source. Those with most taps come first, and those without a tap only write zeros.
//
// Bytes out of the L2 cache bound it, then the tensor cores: a step of 256 x 128 sums takes 31 KB for 1024 clocks of products. Where there are few tiles grid y
// splits the channels of the source; the sums of the splits go to scratch, and `reduce` adds them in order. The number of splits depends on the sizes alone.
//
// A step is one tap. While its products run, the copies of the weights two steps on and of the plane after the next are queued.
#include "tiles.h"

struct StridedPlan
{
    const void *source, *weight; // [batch, source_height, source_width, channels], [target_channels, kernel x kernel taps, channels]
    void* target;
    float* sums; // [splits, target], or null where there is one split
    int batch, source_height, source_width, channels; // channels a multiple of 64
    int target_height, target_width, target_channels; // target_channels a multiple of 8
    int kernel, padding;
    int is_gradient;
    int height, width_bits;       // pixels of the target, or of each of its classes; 1 << width_bits in a row
    int tile_height_bits;         // rows of an image that a tile has; it has as many images as make BM pixels
    int column_tiles;             // blocks along target_channels, fastest in grid x
    int slabs_per_split;          // 64 channels each
};

struct StridedReducePlan
{
    const float* sums; // [splits, 8 packs]
    void* target;
    int splits, packs;
};

// A line of a plane relative to the tile's first pixel: its pixel of the source, and its row, column and image in the plane.
struct Spot
{
    int pixel;
    unsigned char y, x, image, unused;
};

// A step: how many lines behind a pixel's own the tap reads, where its weights begin, and whether it is the first one of a plane.
struct Tap
{
    int shift, weight, starts;
};

// How many rows and columns of a plane are read, and where in the source it begins.
struct Plane
{
    int rows, columns, top, left;
};

template <int groups, int BN> DEVICE void strided(const StridedPlan& plan)
{
    constexpr int BM = groups * 64, threads = groups * 128, stages = 4, ahead = 2, planes_kept = 3, stride = 2, weight_bytes = BN * line_bytes, lines_a_pass = threads / 8;
    SHARED_MEMORY(shared); // `stages` tiles of weights, then planes
    __shared__ Spot spots[BM * 25 / 16 + 16];
    __shared__ Tap taps[9];
    __shared__ Plane shapes[4];
    __shared__ int targets[BM]; // pixel of the target, -1 past the end
    const bf16* source = (const bf16*)plan.source;
    const bf16* weight = (const bf16*)plan.weight;

    const int kernel = plan.kernel, width = 1 << plan.width_bits, tile_height = 1 << plan.tile_height_bits, image_bits = plan.width_bits + plan.tile_height_bits;
    const int tile_images = BM >> image_bits;
    const int tile = blockIdx.x / plan.column_tiles, n0 = blockIdx.x % plan.column_tiles * BN;
    const int tiles_of_image = plan.height / tile_height; // 1 where a tile has several images
    const int image0 = tile / tiles_of_image * tile_images, row0 = tile % tiles_of_image * tile_height, images_left = plan.batch - image0;

    // The class of this block, by its first tap. Those with most taps come first, and neighbors of a full device get many taps and few.
    const int first_y = blockIdx.z >> 1, first_x = (blockIdx.z ^ first_y) & 1;
    const int class_y = plan.is_gradient ? (first_y + plan.padding) & 1 : 0, class_x = plan.is_gradient ? (first_x + plan.padding) & 1 : 0;
    const int target_step = plan.is_gradient ? stride : 1, source_step = plan.is_gradient ? 1 : stride, planes = plan.is_gradient || kernel == 1 ? 1 : 4;
    const int border = (kernel - 1) >> 1, plane_width = width + border;
    const int plane_lines = (tile_height + border) * plane_width, lines = plane_lines * tile_images, plane_bytes = lines * line_bytes;

    const int count = plan.is_gradient ? ((kernel - first_y + 1) >> 1) * ((kernel - first_x + 1) >> 1) : kernel * kernel; // taps of all planes
    if (threadIdx.x < planes)
    {
        const int p = threadIdx.x, tap_y = plan.is_gradient ? first_y : p >> 1, tap_x = plan.is_gradient ? first_x : p & 1, even = (kernel + 1) >> 1;
        const int rows = (kernel - tap_y + 1) >> 1, columns = (kernel - tap_x + 1) >> 1; // of taps
        const int top = plan.is_gradient ? row0 + ((class_y + plan.padding - tap_y) >> 1) - (rows - 1) : row0 * stride + tap_y - plan.padding;
        const int left = plan.is_gradient ? ((class_x + plan.padding - tap_x) >> 1) - (columns - 1) : tap_x - plan.padding;
        shapes[p] = {tile_height + rows - 1, width + columns - 1, top, left};
        int at = plan.is_gradient ? 0 : tap_y * even * kernel + tap_x * rows * even; // behind the taps of the planes before
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++)
            {
                int y = plan.is_gradient ? rows - 1 - i : i, x = plan.is_gradient ? columns - 1 - j : j;
                taps[at++] = {y * plane_width + x, ((tap_y + i * stride) * kernel + tap_x + j * stride) * plan.channels, i + j == 0};
            }
    }
    for (int line = threadIdx.x; line < lines; line += threads)
    {
        int image = line / plane_lines, rest = line - image * plane_lines, y = rest / plane_width, x = rest - y * plane_width;
        spots[line] = {(image * plan.source_height + y * source_step) * plan.source_width + x * source_step, (unsigned char)y, (unsigned char)x, (unsigned char)image, 0};
    }
    auto place_of = [&](int m, int& image, int& y, int& x) {
        x = m & (width - 1);
        y = (m >> plan.width_bits) & (tile_height - 1);
        image = m >> image_bits;
    };
    for (int m = threadIdx.x; m < BM; m += threads)
    {
        int image, y, x;
        place_of(m, image, y, x);
        targets[m] = image < images_left
            ? ((image0 + image) * plan.target_height + (row0 + y) * target_step + class_y) * plan.target_width + x * target_step + class_x : -1;
    }
    block_barrier();

    const int first_slab = blockIdx.y * plan.slabs_per_split, slabs = minimum_of(plan.slabs_per_split, plan.channels / 64 - first_slab), steps = slabs * count;
    const int column = threadIdx.x & 7, line0 = threadIdx.x >> 3; // this thread copies one chunk of every so manieth line
    const shared_address weights = shared_address_of(shared), kept = weights + stages * weight_bytes;

    // The plane and the weights that are loaded next.
    int load_plane = 0, planes_left = slabs * planes;
    const bf16* slab_source = source + (long long)image0 * plan.source_height * plan.source_width * plan.channels + first_slab * 64 + column * 8;
    auto queue_plane = [&](int slot) __attribute__((always_inline)) {
        if (planes_left == 0)
            return;
        planes_left--;
        const Plane plane = shapes[load_plane];
        const bf16* from = slab_source + (long long)(plane.top * plan.source_width + plane.left) * plan.channels;
        const shared_address to = kept + slot * plane_bytes;
        for (int line = line0; line < lines; line += lines_a_pass)
        {
            Spot at = spots[line];
            if (at.y >= plane.rows || at.x >= plane.columns)
                continue; // no tap of this plane reads it
            bool inside = (unsigned)(plane.top + at.y * source_step) < (unsigned)plan.source_height &&
                (unsigned)(plane.left + at.x * source_step) < (unsigned)plan.source_width && at.image < images_left;
            copy_async16(to + chunk_place(line, column), inside ? from + (long long)at.pixel * plan.channels : source, inside);
        }
        if (++load_plane == planes)
        {
            load_plane = 0;
            slab_source += 64;
        }
    };
    const int weight_pitch = kernel * kernel * plan.channels;
    const bf16* slab_weight = weight + (long long)(n0 + line0) * weight_pitch + first_slab * 64 + column * 8;
    int load_tap = 0, weights_left = steps;
    auto queue_weights = [&](int stage) __attribute__((always_inline)) {
        if (weights_left == 0)
            return;
        weights_left--;
        const bf16* from = slab_weight + taps[load_tap].weight;
        const shared_address to = weights + stage * weight_bytes;
#pragma unroll
        for (int pass = 0; pass < BN / lines_a_pass; pass++)
        {
            int line = line0 + pass * lines_a_pass;
            bool present = n0 + line < plan.target_channels;
            copy_async16(to + chunk_place(line, column), present ? from + (long long)pass * lines_a_pass * weight_pitch : weight, present);
        }
        if (++load_tap == count)
        {
            load_tap = 0;
            slab_weight += 64;
        }
    };

    const int lane = lane_id(), m0 = warp_id() * 16; // this warp's 16 rows
    int image, y, x;
    place_of(m0 + (lane & 15), image, y, x);
    const int line_of_row = image * plane_lines + y * plane_width + x;
    float sums[BN / 2];
#pragma unroll
    for (int i = 0; i < BN / 2; i++)
        sums[i] = 0;

#pragma unroll
    for (int s = 0; s < ahead; s++)
    {
        if (count > 0)
        {
            queue_plane(s); // a plane has one tap at least
            queue_weights(s);
        }
        copy_async_commit();
    }
    int tap = 0, slot = planes_kept - 1, stage = 0;
    for (int left = steps; left > 0; left--)
    {
        copy_async_wait<ahead - 1>();
        fence_for_warpgroup_operands();
        block_barrier(); // all are done with the products before the last step's, and have fetched the last step's rows
        const Tap now = taps[tap];
        if (now.starts)
            slot = slot + 1 == planes_kept ? 0 : slot + 1;
        const int line = line_of_row + now.shift;
        const shared_address row = kept + slot * plane_bytes + line * line_bytes;
        const u64 b = warpgroup_operand(weights + stage * weight_bytes);
        // In halves, so that the registers of one are filled while the products of the other read theirs.
        unsigned first[2][4], second[2][4];
        auto multiply_half = [&](unsigned (&a)[2][4], int k0) __attribute__((always_inline)) {
#pragma unroll
            for (int k = 0; k < 2; k++)
                load_matrices(a[k], row + (((2 * (k0 + k) + (lane >> 4)) ^ (line & 7)) << 4));
            warpgroup_fence();
#pragma unroll
            for (int k = 0; k < 2; k++)
                warpgroup_multiply(sums, a[k], advance(b, k0 + k));
            warpgroup_commit();
        };
        multiply_half(first, 0);
        warpgroup_wait<1>();
        multiply_half(second, 2);
        if (now.starts)
            queue_plane(slot == 0 ? planes_kept - 1 : slot - 1); // where the plane before this one was
        queue_weights((stage + ahead) % stages);
        copy_async_commit();
        stage = (stage + 1) % stages;
        tap = tap + 1 == count ? 0 : tap + 1;
        warpgroup_wait<1>();
    }
    warpgroup_wait<0>();
    copy_async_wait<0>();
    block_barrier();

    if (plan.sums)
    {
        struct alignas(8) Pair
        {
            float first, second;
        };
        float* split = plan.sums + (long long)blockIdx.y * plan.batch * plan.target_height * plan.target_width * plan.target_channels;
#pragma unroll
        for (int half = 0; half < 2; half++)
        {
            int pixel = targets[m0 + (lane >> 2) + half * 8];
            float* to = split + (long long)pixel * plan.target_channels + n0 + (lane & 3) * 2;
#pragma unroll
            for (int j = 0; j < BN / 8; j++)
                if (pixel >= 0 && n0 + j * 8 < plan.target_channels)
                    *(Pair*)(to + j * 8) = {sums[j * 4 + half * 2], sums[j * 4 + half * 2 + 1]};
        }
        return;
    }
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
    for (int at = threadIdx.x; at < BM * (BN / 8); at += threads)
    {
        int m = at / (BN / 8), n = at % (BN / 8) * 8, pixel = targets[m];
        if (pixel >= 0 && n0 + n < plan.target_channels)
            store_pack((bf16*)plan.target + (long long)pixel * plan.target_channels + n0 + n, load_pack(result + m * pitch + n));
    }
}

KERNEL(conv2dstrided_256x128_bf16, 512, PARAM(StridedPlan) plan) { strided<4, 128>(plan); }
KERNEL(conv2dstrided_128x128_bf16, 256, PARAM(StridedPlan) plan) { strided<2, 128>(plan); }
KERNEL(conv2dstrided_128x64_bf16, 256, PARAM(StridedPlan) plan) { strided<2, 64>(plan); }

// Eight neighbors a thread.
KERNEL(conv2dstrided_reduce_bf16, 256, PARAM(StridedReducePlan) plan)
{
    for (long long at = global_thread(); at < plan.packs; at += global_threads())
    {
        float sums[8] = {};
        for (int split = 0; split < plan.splits; split++)
        {
            const float* from = plan.sums + ((long long)split * plan.packs + at) * 8;
            auto low = load_pack(from), high = load_pack(from + 4);
#pragma unroll
            for (int i = 0; i < 4; i++)
            {
                sums[i] += low.v[i];
                sums[i + 4] += high.v[i];
            }
        }
        Pack<bf16> pack;
#pragma unroll
        for (int i = 0; i < 8; i++)
            pack.v[i] = from_float<bf16>(sums[i]);
        store_pack((bf16*)plan.target + at * 8, pack);
    }
}

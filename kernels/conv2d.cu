// Convolution as a product of matrices that are never written down ("implicit gemm"), NHWC, f32 sums.
//
//   forward          y [pixels, outputs] = patches(x) [pixels, taps x inputs] . weight [outputs, taps x inputs]^T
//   input gradient   dx [pixels, inputs] = patches(dy) [pixels, taps x outputs] . weight' [inputs, taps x outputs]^T, weight' transposed by pack.cu
//   weight gradient  dweight [outputs, taps x inputs] = dy [pixels, outputs]^T . patches(x) [pixels, taps x inputs]
//
// The first two are one kernel, `gather`: a block computes BM pixels x BN channels and gathers, for every tap, the chunks of 8 (f32: 4) channels that its
// pixels see there, zeros on the padding. With stride s an input pixel is only seen by the taps of its own residue (h + padding) mod s: pixels are
// dealt into s x s classes (grid z), each with its taps and no product with an inserted zero.
// The third splits the pixels into chunks (grid z) whose sums go to scratch and are added in order by pack.cu's `reduce`. The number of
// chunks depends on the sizes alone, so do the bits.
//
// Operations: 2 pixels taps inputs outputs each. Bytes: each operand once if the L2 cache holds what neighbors share; operations bound all but the
// first layer. Channels are multiples of a chunk: others are padded with zeros by pack.cu first.
#include "conv2d.h"

struct GatherPlan
{
    const void *source, *weight;
    void* target;
    int batch, source_height, source_width, source_channels; // the tensor that is gathered; channels a multiple of a chunk
    int target_height, target_width, target_channels;
    int kernel_height, kernel_width, stride, padding;
    int is_gradient;    // 0: target pixel p reads source p stride - padding + tap; 1: target h is read by source (h + padding - tap) / stride
    int column_tiles;   // blocks along target_channels, fastest in grid x
};

// Where a gathered row starts: offset of the pixel that tap (0, 0) reads, and its row and column, which may lie on the padding.
struct Row
{
    int offset;
    short y, x;
};
constexpr short no_row = -20000; // no tap brings it into an image

template <class Tile, int stages> DEVICE void gather(const GatherPlan& plan)
{
    typedef typename Tile::element T;
    constexpr int BM = Tile::rows, BN = Tile::columns, threads = Tile::threads, chunk = chunk_of<T>;
    SHARED_MEMORY(shared);
    __shared__ Row rows[BM];
    __shared__ int targets[BM]; // offset of the row's pixel in the target, -1 past the end

    // The class of pixels of this block: one of stride^2 for a gradient, all of them for a forward pass.
    const int stride = plan.stride, direction = plan.is_gradient ? -1 : 1;
    int class_y = 0, class_x = 0, tap_y = 0, tap_x = 0, tap_step = 1, pixel_step = 1, origin_y = -plan.padding, origin_x = -plan.padding, row_step = stride;
    if (plan.is_gradient)
    {
        tap_y = blockIdx.z / stride; // first tap that reads this class: the classes with most taps come first
        tap_x = blockIdx.z % stride;
        class_y = (tap_y + (stride - 1) * plan.padding) % stride;
        class_x = (tap_x + (stride - 1) * plan.padding) % stride;
        origin_y = (class_y + plan.padding - tap_y) / stride;
        origin_x = (class_x + plan.padding - tap_x) / stride;
        tap_step = pixel_step = stride;
        row_step = 1;
    }
    const int height = (plan.target_height - class_y + pixel_step - 1) / pixel_step, width = (plan.target_width - class_x + pixel_step - 1) / pixel_step;
    const int tap_rows = (plan.kernel_height - tap_y + tap_step - 1) / tap_step, tap_columns = (plan.kernel_width - tap_x + tap_step - 1) / tap_step;
    const int pixels = plan.batch * height * width;
    const int m0 = blockIdx.x / plan.column_tiles * BM, n0 = blockIdx.x % plan.column_tiles * BN;
    if (m0 >= pixels)
        return; // classes differ by a row or column of pixels

    for (int i = threadIdx.x; i < BM; i += threads)
    {
        int m = m0 + i, v = m % width, u = m / width % height, n = m / width / height;
        Row row{0, no_row, no_row};
        int target = -1;
        if (m < pixels)
        {
            row.y = (short)(u * row_step + origin_y);
            row.x = (short)(v * row_step + origin_x);
            row.offset = ((n * plan.source_height + row.y) * plan.source_width + row.x) * plan.source_channels;
            target = ((n * plan.target_height + u * pixel_step + class_y) * plan.target_width + v * pixel_step + class_x) * plan.target_channels;
        }
        rows[i] = row;
        targets[i] = target;
    }
    block_barrier();

    // This thread copies chunk `column` of every line whose number is line0 plus a multiple of lines_a_pass; where that chunk is on the common axis
    // (tap, then channel) moves on with every step.
    constexpr int lines_a_pass = threads / chunks_in_line;
    const int column = threadIdx.x % chunks_in_line, line0 = threadIdx.x / chunks_in_line;
    const int channel_chunks = plan.source_channels / chunk;
    const int weight_pitch = plan.kernel_height * plan.kernel_width * plan.source_channels;
    int c = column, i = 0, j = 0;
    auto settle = [&] {
        while (c >= channel_chunks)
        {
            c -= channel_chunks;
            if (++j == tap_columns)
            {
                j = 0;
                i++;
            }
        }
    };
    if (tap_columns > 0)
        settle();
    const T* source = (const T*)plan.source;
    const T* weight = (const T*)plan.weight;

    Tile tile;
    const int steps = tap_rows <= 0 || tap_columns <= 0 ? 0 : (tap_rows * tap_columns * channel_chunks + chunks_in_line - 1) / chunks_in_line;
    multiply_steps<stages>(tile, shared, steps, [&](int, unsigned char* a, unsigned char* b) {
        const bool in_kernel = i < tap_rows;
        const int dy = direction * i, dx = direction * j;
        const int shift = (dy * plan.source_width + dx) * plan.source_channels + c * chunk;
        const shared_address a_start = shared_address_of(a), b_start = shared_address_of(b);
#pragma unroll
        for (int pass = 0; pass < BM / lines_a_pass; pass++)
        {
            int line = line0 + pass * lines_a_pass;
            Row row = rows[line];
            bool present = in_kernel && (unsigned)(row.y + dy) < (unsigned)plan.source_height && (unsigned)(row.x + dx) < (unsigned)plan.source_width;
            copy_async16(a_start + chunk_place(line, column), source + (present ? row.offset + shift : 0), present);
        }
        const int tap = (tap_y + i * tap_step) * plan.kernel_width + tap_x + j * tap_step;
        const int at = tap * plan.source_channels + c * chunk;
#pragma unroll
        for (int pass = 0; pass < BN / lines_a_pass; pass++)
        {
            int line = line0 + pass * lines_a_pass;
            bool present = in_kernel && n0 + line < plan.target_channels;
            copy_async16(b_start + chunk_place(line, column), weight + (present ? (long long)(n0 + line) * weight_pitch + at : 0), present);
        }
        c += chunks_in_line;
        settle();
    });

    // Through shared memory, so that whole lines go out.
    constexpr int pitch = BN + chunk;
    T* result = (T*)shared;
    write_tile(tile, result, pitch);
    block_barrier();
    T* target = (T*)plan.target;
    if (plan.target_channels % chunk == 0 && is_aligned16(target))
    {
        constexpr int chunks = BN / chunk;
        for (int at = threadIdx.x; at < BM * chunks; at += threads)
        {
            int line = at / chunks, n = at % chunks * chunk;
            if (targets[line] >= 0 && n0 + n < plan.target_channels)
                store_pack(target + targets[line] + n0 + n, load_pack(result + line * pitch + n));
        }
    }
    else
        for (int at = threadIdx.x; at < BM * BN; at += threads)
        {
            int line = at / BN, n = at % BN;
            if (targets[line] >= 0 && n0 + n < plan.target_channels)
                target[targets[line] + n0 + n] = result[line * pitch + n];
        }
}

template <class Tile, int stages> DEVICE void weight_gradient(const WeightGradientPlan& plan)
{
    typedef typename Tile::element T;
    constexpr int BM = Tile::rows, BN = Tile::columns, threads = Tile::threads, chunk = chunk_of<T>, step = step_of<T>;
    SHARED_MEMORY(shared);
    __shared__ Row rows[2][step]; // of the step that is loaded next and of the one after it

    const int pixels = plan.batch * plan.output_height * plan.output_width, columns = plan.taps * plan.inputs;
    const int m0 = blockIdx.y * BM, n0 = blockIdx.x * BN;
    const int first = blockIdx.z * plan.pixels_per_split, last = first + plan.pixels_per_split < pixels ? first + plan.pixels_per_split : pixels;
    const int steps = (last - first + step - 1) / step;

    // Thread t < step follows pixel t of each step: (n, p, q) moves on by `step` pixels at a time.
    const int image = plan.output_height * plan.output_width;
    const int step_n = step / image, step_p = step % image / plan.output_width, step_q = step % image % plan.output_width;
    int pixel = first + threadIdx.x, n = pixel / image, p = pixel % image / plan.output_width, q = pixel % image % plan.output_width;
    auto follow = [&](Row* target) {
        if (threadIdx.x >= step)
            return;
        Row row{0, no_row, no_row};
        if (pixel < last)
        {
            row.y = (short)(p * plan.stride - plan.padding);
            row.x = (short)(q * plan.stride - plan.padding);
            row.offset = ((n * plan.height + row.y) * plan.width + row.x) * plan.inputs;
        }
        target[threadIdx.x] = row;
        pixel += step;
        n += step_n;
        p += step_p;
        q += step_q;
        if (q >= plan.output_width)
        {
            q -= plan.output_width;
            p++;
        }
        if (p >= plan.output_height)
        {
            p -= plan.output_height;
            n++;
        }
    };
    follow(rows[0]);
    block_barrier();

    // Lines are pixels: this thread copies chunk `column` of each, the same outputs of dy and the same tap and inputs of x all along.
    constexpr int a_chunks = BM / chunk, b_chunks = BN / chunk, a_lines = threads / a_chunks, b_lines = threads / b_chunks;
    const int a_column = threadIdx.x % a_chunks, a_line0 = threadIdx.x / a_chunks, b_column = threadIdx.x % b_chunks, b_line0 = threadIdx.x / b_chunks;
    const bool in_outputs = m0 + a_column * chunk < plan.outputs, in_columns = n0 + b_column * chunk < columns;
    const int tap = (n0 + b_column * chunk) / plan.inputs, dy = tap / plan.kernel_width, dx = tap % plan.kernel_width;
    const int shift = (dy * plan.width + dx) * plan.inputs + (n0 + b_column * chunk) % plan.inputs;
    const T* gradient = (const T*)plan.dy + m0 + a_column * chunk;
    const T* x = (const T*)plan.x;

    Tile tile;
    multiply_steps<stages>(tile, shared, steps, [&](int s, unsigned char* a, unsigned char* b) {
        const shared_address a_start = shared_address_of(a) + (a_column >> 3) * (step * line_bytes), b_start = shared_address_of(b) + (b_column >> 3) * (step * line_bytes);
        const int line_of_step = first + s * step;
#pragma unroll
        for (int pass = 0; pass < step / a_lines; pass++)
        {
            int line = a_line0 + pass * a_lines;
            bool present = in_outputs && line_of_step + line < last;
            copy_async16(a_start + chunk_place(line, a_column & 7), present ? gradient + (long long)(line_of_step + line) * plan.outputs : (const T*)plan.dy, present);
        }
        const Row* from = rows[s & 1];
#pragma unroll
        for (int pass = 0; pass < step / b_lines; pass++)
        {
            int line = b_line0 + pass * b_lines;
            Row row = from[line];
            bool present = in_columns && (unsigned)(row.y + dy) < (unsigned)plan.height && (unsigned)(row.x + dx) < (unsigned)plan.width;
            copy_async16(b_start + chunk_place(line, b_column & 7), x + (present ? row.offset + shift : 0), present);
        }
        follow(rows[(s + 1) & 1]); // read after the next barrier
        if (s < stages - 2)
            block_barrier(); // the first steps are loaded without one between them
    });
    float* sums = plan.sums + (long long)blockIdx.z * plan.outputs * columns;
    write_sums(tile, sums + (long long)m0 * columns + n0, columns, plan.outputs - m0, columns - n0);
}

// Stages: 3 steps of 128 + 128 lines are 96 KiB, two blocks a multiprocessor on a Hopper or A100.
KERNEL(conv2d_gather_128x128_bf16, 128, PARAM(GatherPlan) plan) { gather<TensorTile<true, true, 128, 128, 64, 64>, 3>(plan); }
KERNEL(conv2d_gather_128x64_bf16, 128, PARAM(GatherPlan) plan) { gather<TensorTile<true, true, 128, 64, 64, 32>, 3>(plan); }
KERNEL(conv2d_gather_64x64_bf16, 128, PARAM(GatherPlan) plan) { gather<TensorTile<true, true, 64, 64, 32, 32>, 4>(plan); }
KERNEL(conv2d_gather_128x128_f32, 256, PARAM(GatherPlan) plan) { gather<ScalarTile<true, true, 128, 128>, 3>(plan); }
KERNEL(conv2d_gather_128x64_f32, 256, PARAM(GatherPlan) plan) { gather<ScalarTile<true, true, 128, 64>, 3>(plan); }
KERNEL(conv2d_gather_64x64_f32, 256, PARAM(GatherPlan) plan) { gather<ScalarTile<true, true, 64, 64>, 4>(plan); }

KERNEL(conv2d_weight_gradient_128x128_bf16, 128, PARAM(WeightGradientPlan) plan) { weight_gradient<TensorTile<false, false, 128, 128, 64, 64>, 3>(plan); }
KERNEL(conv2d_weight_gradient_64x128_bf16, 128, PARAM(WeightGradientPlan) plan) { weight_gradient<TensorTile<false, false, 64, 128, 32, 64>, 3>(plan); }
KERNEL(conv2d_weight_gradient_128x128_f32, 256, PARAM(WeightGradientPlan) plan) { weight_gradient<ScalarTile<false, false, 128, 128>, 3>(plan); }
KERNEL(conv2d_weight_gradient_64x128_f32, 256, PARAM(WeightGradientPlan) plan) { weight_gradient<ScalarTile<false, false, 64, 128>, 3>(plan); }

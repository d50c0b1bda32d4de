// image operations: chains of the operations of RandAugment and AugMix on images of bytes, and AugMix's mixture of chains, with torchvision's
// roundings on the CPU.
//
// A block makes a chain: its image goes to and fro between two buffers, in shared memory where it is small, else in scratch. Most operations
// look at one value alone: 256 threads compute a table of 256 results. Histograms and sums count integers, so their order does not matter.
// Bytes: images read and y written once; then shared memory. Barriers cost most: few operations have more work than 12 pixels a thread.
// A rounded product is never fused into the addition behind it, and what torchvision fuses always is: last bits decide ties.
#include "pixels.h"

enum Operation
{
    identity, shear_x, shear_y, translate_x, translate_y, rotate, brightness, color, contrast, sharpness, posterize, solarize, auto_contrast, equalize
};

struct ImageChains
{
    View images, operations, parameters, y;
    int rows, chains_per_image, length, height, width, channels, sampling;
};
struct MixChains
{
    View images, chains, weights, y;
    int rows, chain_count, row_length;
};
struct ImageChainsPlan
{
    unsigned char* scratch; // two images for each block, or null: they lie in shared memory behind Workspace
};

struct Workspace
{
    unsigned counts[256];
    unsigned least, most, rest, sum; // of a histogram: the values at its ends, all but the last count; the sum of grays
    unsigned char table[256];
};

constexpr int image_threads = 256; // as many as values of a byte

struct Image
{
    int height, width, channels;
    DEVICE_MEMBER int pixels() const { return height * width; }
    DEVICE_MEMBER int size() const { return pixels() * channels; }
    DEVICE_MEMBER bool has(int row, int column) const { return (unsigned)row < (unsigned)height && (unsigned)column < (unsigned)width; }
};

// f(i) for i = 0 .. n - 1, shared out to the threads of the block.
template <class F> DEVICE void for_each_of(int n, F f)
{
    for (int i = threadIdx.x; i < n; i += image_threads)
        f(i);
}

DEVICE unsigned char blend(float x, float z, const float* p)
{
    return truncate_to_byte(rounded_product(p[0], x) + rounded_product(p[1], z));
}

DEVICE int gray_of(const unsigned char* pixel)
{
    return (int)(rounded_product(0.2989f, pixel[0]) + rounded_product(0.587f, pixel[1]) + rounded_product(0.114f, pixel[2]));
}

// ---- Tables ---------------------------------------------------------------------------------------------------------------------------------

// x[i stride] = table[x[i stride]] for i = 0 .. n - 1; a thread has put its entry into the table.
DEVICE void look_up(const Workspace& work, unsigned char* x, int n, int stride)
{
    block_barrier();
    for_each_of(n, [&](int i) { x[i * stride] = work.table[x[i * stride]]; });
}

// What stretching or equalizing one channel makes of value number threadIdx.x goes into the table.
DEVICE void channel_table(Workspace& work, int operation, const unsigned char* x, const Image& image)
{
    int v = threadIdx.x;
    work.counts[v] = 0;
    block_barrier();
    for_each_of(image.pixels(), [&](int i) { add_to_shared(&work.counts[x[i * image.channels]], 1); });
    block_barrier();
    unsigned own = work.counts[v];
    for (int distance = 1; distance < 256; distance *= 2)
    {
        unsigned lower = v >= distance ? work.counts[v - distance] : 0;
        block_barrier();
        work.counts[v] += lower;
        block_barrier();
    }
    unsigned through = work.counts[v], below = through - own;
    if (own > 0 && below == 0)
        work.least = v;
    if (own > 0 && through == (unsigned)image.pixels())
    {
        work.most = v;
        work.rest = below;
    }
    block_barrier();
    int least = work.least, most = work.most;
    if (operation == auto_contrast)
    {
        float scale = rounded_product(1.0f / (float)(most - least), 255); // rounded twice: Python divides 255 by a tensor so
        work.table[v] = least == most || v < least ? v : truncate_to_byte(rounded_product((float)(v - least), scale));
    }
    else
    {
        unsigned step = work.rest / 255;
        work.table[v] = step == 0 ? v : v == 0 ? 0 : minimum_of(255, (below + step / 2) / step);
    }
}

DEVICE float mean_gray(Workspace& work, const unsigned char* x, const Image& image)
{
    if (threadIdx.x == 0)
        work.sum = 0;
    block_barrier();
    unsigned sum = 0;
    for_each_of(image.pixels(), [&](int i) { sum += image.channels == 1 ? x[i] : gray_of(x + 3 * i); });
    add_to_shared(&work.sum, sum);
    block_barrier();
    return (float)work.sum / (float)image.pixels();
}

DEVICE void apply_table(Workspace& work, int operation, unsigned char* x, const Image& image, const float* p)
{
    if (operation == auto_contrast || operation == equalize)
    {
        for (int c = 0; c < image.channels; c++)
        {
            channel_table(work, operation, x + c, image);
            look_up(work, x + c, image.pixels(), image.channels);
            block_barrier();
        }
        return;
    }
    float mean = operation == contrast ? mean_gray(work, x, image) : 0;
    int v = threadIdx.x;
    work.table[v] = operation == posterize ? v & (int)p[0] : operation == solarize ? (v >= p[0] ? 255 - v : v) : blend(v, mean, p);
    look_up(work, x, image.size(), 1);
}

// ---- Neighbours -----------------------------------------------------------------------------------------------------------------------------

DEVICE void sharpen(const unsigned char* x, unsigned char* y, const Image& image, const float* p)
{
    int c = image.channels, line = image.width * c, size = image.size();
    for_each_of(size, [&](int i)
    {
        int column = i % line, smooth = x[i];
        if (i >= line && i < size - line && column >= c && column < line - c)
        {
            const unsigned char *here = x + i, *above = here - line, *below = here + line;
            int sum = 5 * here[0] + here[-c] + here[c] + above[-c] + above[0] + above[c] + below[-c] + below[0] + below[c];
            smooth = (2 * sum + 13) / 26; // to the nearest; an odd divisor has no ties
        }
        y[i] = blend(x[i], smooth, p);
    });
}

DEVICE void move_pixels(const unsigned char* x, unsigned char* y, const Image& image, const float* p, bool nearest)
{
    for_each_of(image.pixels(), [&](int pixel)
    {
        int c = image.channels, i = pixel / image.width, j = pixel - i * image.width;
        float u = j + 0.5f - 0.5f * image.width, v = i + 0.5f - 0.5f * image.height;
        float across = rounded_product(u, p[0]) + rounded_product(v, p[1]) + p[2], down = rounded_product(u, p[3]) + rounded_product(v, p[4]) + p[5];
        float row = fused_multiply_add(down + 1, 0.5f * image.height, -0.5f), column = fused_multiply_add(across + 1, 0.5f * image.width, -0.5f);
        unsigned char* target = y + pixel * c;
        if (nearest)
        {
            int h = round_to_integer(row), w = round_to_integer(column);
            for (int k = 0; k < c; k++)
                target[k] = image.has(h, w) ? x[(h * image.width + w) * c + k] : 0;
            return;
        }
        float upper = floor_of(row), left = floor_of(column), lower_part = row - upper, right_part = column - left;
        float upper_part = 1 - lower_part, left_part = 1 - right_part;
        float weights[4] = {upper_part * left_part, upper_part * right_part, lower_part * left_part, lower_part * right_part};
        int h = (int)upper, w = (int)left;
        const unsigned char* source = x + (h * image.width + w) * c;
        bool present[4] = {image.has(h, w), image.has(h, w + 1), image.has(h + 1, w), image.has(h + 1, w + 1)};
        for (int k = 0; k < c; k++)
        {
            auto value = [&](int corner) { return present[corner] ? (float)source[((corner >> 1) * image.width + (corner & 1)) * c + k] : 0; };
            float sum = fused_multiply_add(value(1), weights[1], rounded_product(value(0), weights[0]));
            sum = fused_multiply_add(value(3), weights[3], fused_multiply_add(value(2), weights[2], sum));
            target[k] = round_to_integer(sum);
        }
    });
}

// ---- Chains ---------------------------------------------------------------------------------------------------------------------------------

// Changes x in place, or writes the changed image to y and says so.
DEVICE bool apply(Workspace& work, int operation, unsigned char* x, unsigned char* y, const Image& image, const float* p, bool nearest)
{
    if (operation == identity || (operation == color && image.channels == 1) || (operation == sharpness && (image.height < 3 || image.width < 3)))
        return false;
    if (operation <= rotate)
    {
        move_pixels(x, y, image, p, nearest);
        return true;
    }
    if (operation == sharpness)
    {
        sharpen(x, y, image, p);
        return true;
    }
    if (operation != color)
    {
        apply_table(work, operation, x, image, p);
        return false;
    }
    for_each_of(image.pixels(), [&](int i)
    {
        unsigned char* pixel = x + 3 * i;
        int gray = gray_of(pixel);
        for (int c = 0; c < 3; c++)
            pixel[c] = blend(pixel[c], gray, p);
    });
    return false;
}

template <class T> DEVICE void image_chains(const ImageChains& call, const ImageChainsPlan& plan)
{
    SHARED_MEMORY(shared);
    Workspace& work = *(Workspace*)shared;
    Image image{call.height, call.width, call.channels};
    int size = image.size();
    unsigned char* buffers = plan.scratch ? plan.scratch + (long long)blockIdx.x * 2 * size : shared + sizeof(Workspace);
    for (int row = blockIdx.x; row < call.rows; row += gridDim.x)
    {
        unsigned char *x = buffers, *other = buffers + size;
        const T* source = call.images.as<T>() + (long long)(row / call.chains_per_image) * size;
        T* y = call.y.as<T>() + (long long)row * size;
        for_each_of(size, [&](int i) { x[i] = to_byte(to_float(source[i])); });
        for (long long step = (long long)row * call.length; step < (long long)(row + 1) * call.length; step++)
        {
            block_barrier();
            if (apply(work, call.operations.as<int>()[step], x, other, image, call.parameters.as<float>() + 6 * step, call.sampling == 0))
            {
                auto changed = other;
                other = x;
                x = changed;
            }
        }
        block_barrier();
        for_each_of(size, [&](int i) { y[i] = from_float<T>(pixel_value(x[i])); });
        block_barrier(); // the next image goes where this one was
    }
}

template <class T> DEVICE void mix_chains(const MixChains& call)
{
    const T *images = call.images.as<T>(), *chains = call.chains.as<T>();
    T* y = call.y.as<T>();
    unsigned length = call.row_length, total = call.rows * length;
    for (unsigned i = (unsigned)global_thread(); i < total; i += (unsigned)global_threads())
    {
        unsigned n = i / length;
        const float* weights = call.weights.as<float>() + n * (call.chain_count + 1);
        const T* chain = chains + (long long)n * call.chain_count * length + (i - n * length);
        float sum = rounded_product(weights[0], to_byte(to_float(images[i])));
        for (int k = 0; k < call.chain_count; k++)
            sum += rounded_product(weights[k + 1], to_byte(to_float(chain[(long long)k * length])));
        y[i] = from_float<T>(pixel_value(truncate_to_byte(sum)));
    }
}

KERNEL(image_chains_f32, 256, PARAM(ImageChains) call, PARAM(ImageChainsPlan) plan) { image_chains<float>(call, plan); }
KERNEL(image_chains_bf16, 256, PARAM(ImageChains) call, PARAM(ImageChainsPlan) plan) { image_chains<bf16>(call, plan); }
KERNEL(mix_chains_f32, 256, PARAM(MixChains) call) { mix_chains<float>(call); }
KERNEL(mix_chains_bf16, 256, PARAM(MixChains) call) { mix_chains<bf16>(call); }

// square search: the moves of the attack Square.
//   stripes  y = clamp(clean + epsilon s, low, high), a random sign s for each row, column and channel
//   window   y = clamp(clamp(x + 2 epsilon s, clean - epsilon, clean + epsilon), low, high) inside a window, s for each channel; elsewhere y = x
//
// Stripes: one thread draws the signs of four neighbouring columns of an image once and walks down; once an attack. Window: one thread an element, 8 bytes, and
// 4 more inside the window; bound by memory, or by the launch, and small beside the pass through the network that follows.
// Nothing is summed: no bit depends on the number of blocks.
#include "philox.h"

struct SquareStripes
{
    View clean, sample_ids, y;
    RandomStream stream;
    int rows, height, width, channels;
    float epsilon, low, high;
};
struct SquareWindow
{
    View clean, x, signs, y;
    int rows, height, width, channels, top, left, side;
    float epsilon, low, high;
};

// NaN stays, and a bound of NaN gives NaN.
DEVICE float between(float v, float low, float high) { return minimum_or_nan(maximum_or_nan(v, low), high); }

KERNEL(square_stripes_f32, 256, PARAM(SquareStripes) call)
{
    const float* clean = call.clean.as<float>();
    float* y = call.y.as<float>();
    unsigned line = call.width * call.channels, quads = (line + 3) / 4, total = call.rows * quads;
    for (unsigned i = (unsigned)global_thread(); i < total; i += (unsigned)global_threads())
    {
        unsigned n = i / quads, quad = i - n * quads;
        RandomBlock random = random_block(call.stream, call.sample_ids.as<int>()[n], quad);
#pragma unroll
        for (int j = 0; j < 4; j++)
        {
            unsigned column = quad * 4 + j;
            if (column >= line)
                break;
            float change = random.words[j] >> 31 ? call.epsilon : -call.epsilon;
            for (int h = 0; h < call.height; h++)
            {
                unsigned at = (n * call.height + h) * line + column;
                y[at] = between(clean[at] + change, call.low, call.high);
            }
        }
    }
}

KERNEL(square_window_f32, 256, PARAM(SquareWindow) call)
{
    const float *clean = call.clean.as<float>(), *x = call.x.as<float>(), *signs = call.signs.as<float>();
    float* y = call.y.as<float>();
    for (unsigned i = (unsigned)global_thread(); i < (unsigned)call.y.length; i += (unsigned)global_threads())
    {
        float v = x[i];
        unsigned pixel = i / call.channels, line = pixel / call.width, w = pixel - line * call.width, h = line % call.height;
        if (h - call.top < (unsigned)call.side && w - call.left < (unsigned)call.side) // what is before the window wraps around
        {
            float moved = fused_multiply_add(2 * call.epsilon, signs[i - pixel * call.channels], v);
            v = between(between(moved, clean[i] - call.epsilon, clean[i] + call.epsilon), call.low, call.high);
        }
        y[i] = v;
    }
}

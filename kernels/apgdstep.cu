// apgd step: z = P(x + s[n] sign(g)), y = P(x + momentum (z - x) + (1 - momentum) (x - previous)), P the projection to the ball around clean and to
// the range of pixels.
//
// One thread moves 16 bytes of each operand within a row; one division finds its row. Bytes: four operands read, one written; bound by memory. Elements
// do not meet, and each is read before it is written: y may be x or previous.
#include "groups.h"

struct ApgdSignStep
{
    View clean, x, previous, gradient, step_sizes, y;
    int rows, row_length;
    float momentum, epsilon, low, high;
};

// NaN stays, and a bound of NaN gives NaN.
DEVICE float between(float v, float low, float high) { return minimum_or_nan(maximum_or_nan(v, low), high); }

template <class T> DEVICE void apgd_sign_step(const ApgdSignStep& call)
{
    const T *clean = call.clean.as<T>(), *x = call.x.as<T>(), *previous = call.previous.as<T>(), *gradient = call.gradient.as<T>();
    const float* step_sizes = call.step_sizes.as<float>();
    T* y = call.y.as<T>();
    unsigned length = call.row_length;
    float momentum = call.momentum, rest = 1 - momentum;
    bool in_groups = length % Pack<T>::count == 0 && is_aligned16(clean) && is_aligned16(x) && is_aligned16(previous) && is_aligned16(gradient) && is_aligned16(y);
    for_each_group<Pack<T>::count>(call.y.length, in_groups, [&]<int N>(unsigned i)
    {
        float size = step_sizes[i / length];
        auto center = load_group<N>(clean + i), from = load_group<N>(x + i), before = load_group<N>(previous + i), direction = load_group<N>(gradient + i);
#pragma unroll
        for (int j = 0; j < N; j++)
        {
            float c = to_float(center.v[j]), start = to_float(from.v[j]), g = to_float(direction.v[j]);
            float step = g > 0 ? size : g < 0 ? -size : 0;
            float lowest = c - call.epsilon, highest = c + call.epsilon;
            float z = between(between(start + step, lowest, highest), call.low, call.high);
            float moved = fused_multiply_add(rest, start - to_float(before.v[j]), fused_multiply_add(momentum, z - start, start));
            from.v[j] = from_float<T>(between(between(moved, lowest, highest), call.low, call.high));
        }
        store_group(y + i, from);
    });
}

KERNEL(apgd_sign_step_f32, 256, PARAM(ApgdSignStep) call) { apgd_sign_step<float>(call); }
KERNEL(apgd_sign_step_bf16, 256, PARAM(ApgdSignStep) call) { apgd_sign_step<bf16>(call); }

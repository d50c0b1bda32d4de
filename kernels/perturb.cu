// perturb: steps of attacks.
//   sign step  y = clamp(clamp(x + step sign(g), clean - epsilon, clean + epsilon), low, high)
//   L2 step    d = x + step g / |g| - clean, d *= min(1, epsilon / |d|), y = clamp(clean + d, low, high), with norms over each row
//
// Sign step: one thread moves 16 bytes of each operand; 4 passes over memory, which bounds it.
// L2 step: one block a row, which it walks three times: for |g|, for |d|, and to write; the second and third time the row comes from the cache.
// Norms are sums in f64: a thread adds the elements that are its own in order, then a tree over the 256 threads. The order depends on the
// length and alignment of the row only. y may be x: nobody writes before all have read for the last norm, and then each only what it read.
#include "groups.h"

struct SignStep
{
    View clean, x, gradient, y;
    float step_size, epsilon, low, high;
};
struct L2Step
{
    View clean, x, gradient, y;
    int rows, row_length;
    float step_size, epsilon, low, high;
};

// NaN stays, and a bound of NaN gives NaN.
DEVICE float between(float v, float low, float high) { return minimum_or_nan(maximum_or_nan(v, low), high); }

template <class T> DEVICE void sign_step(const SignStep& call)
{
    const T *clean = call.clean.as<T>(), *x = call.x.as<T>(), *gradient = call.gradient.as<T>();
    T* y = call.y.as<T>();
    bool aligned = is_aligned16(clean) && is_aligned16(x) && is_aligned16(gradient) && is_aligned16(y);
    for_each_group<Pack<T>::count>(call.y.length, aligned, [&]<int N>(unsigned i)
    {
        auto center = load_group<N>(clean + i), start = load_group<N>(x + i), direction = load_group<N>(gradient + i);
#pragma unroll
        for (int j = 0; j < N; j++)
        {
            float c = to_float(center.v[j]), g = to_float(direction.v[j]);
            float step = g > 0 ? call.step_size : g < 0 ? -call.step_size : 0;
            float in_ball = between(to_float(start.v[j]) + step, c - call.epsilon, c + call.epsilon);
            start.v[j] = from_float<T>(between(in_ball, call.low, call.high));
        }
        store_group(y + i, start);
    });
}

// The sum over the 256 threads of a block, in every thread.
DEVICE double block_sum(double v)
{
    __shared__ double partial[256];
    partial[threadIdx.x] = v;
    block_barrier();
#pragma unroll
    for (unsigned half = 128; half > 0; half /= 2)
    {
        if (threadIdx.x < half)
            partial[threadIdx.x] += partial[threadIdx.x + half];
        block_barrier();
    }
    double sum = partial[0];
    block_barrier(); // before the next sum overwrites it
    return sum;
}

// `at least` that lets NaN pass.
DEVICE double at_least(double v, double floor) { return v < floor ? floor : v; }

template <class T, int N> DEVICE void l2_row(const T* clean, const T* x, const T* gradient, T* y, const L2Step& call)
{
    const unsigned length = call.row_length, start = threadIdx.x * N, stride = 256 * N;
    double squares = 0;
    for (unsigned i = start; i < length; i += stride)
    {
        auto g = load_group<N>(gradient + i);
#pragma unroll
        for (int j = 0; j < N; j++)
            squares += (double)to_float(g.v[j]) * (double)to_float(g.v[j]);
    }
    float scale = (float)(call.step_size / at_least(__builtin_sqrt(block_sum(squares)), 1e-12));

    // x - clean first: they are close together, and their difference is then exact.
    auto displacement = [scale](T x, T clean, T g) { return fused_multiply_add(scale, to_float(g), to_float(x) - to_float(clean)); };
    squares = 0;
    for (unsigned i = start; i < length; i += stride)
    {
        auto c = load_group<N>(clean + i), from = load_group<N>(x + i), g = load_group<N>(gradient + i);
#pragma unroll
        for (int j = 0; j < N; j++)
        {
            double d = displacement(from.v[j], c.v[j], g.v[j]);
            squares += d * d;
        }
    }
    double ratio = call.epsilon / at_least(__builtin_sqrt(block_sum(squares)), 1e-12);
    float shrink = (float)(ratio > 1 ? 1 : ratio);

    for (unsigned i = start; i < length; i += stride)
    {
        auto c = load_group<N>(clean + i), from = load_group<N>(x + i), g = load_group<N>(gradient + i);
#pragma unroll
        for (int j = 0; j < N; j++)
        {
            float moved = fused_multiply_add(shrink, displacement(from.v[j], c.v[j], g.v[j]), to_float(c.v[j]));
            from.v[j] = from_float<T>(between(moved, call.low, call.high));
        }
        store_group(y + i, from);
    }
}

template <class T> DEVICE void l2_step(const L2Step& call)
{
    const T *clean = call.clean.as<T>(), *x = call.x.as<T>(), *gradient = call.gradient.as<T>();
    T* y = call.y.as<T>();
    constexpr int count = Pack<T>::count;
    bool in_groups = call.row_length % count == 0 && is_aligned16(clean) && is_aligned16(x) && is_aligned16(gradient) && is_aligned16(y);
    for (unsigned n = blockIdx.x; n < (unsigned)call.rows; n += gridDim.x)
    {
        unsigned at = n * call.row_length;
        if (in_groups)
            l2_row<T, count>(clean + at, x + at, gradient + at, y + at, call);
        else
            l2_row<T, 1>(clean + at, x + at, gradient + at, y + at, call);
    }
}

KERNEL(sign_step_f32, 256, PARAM(SignStep) call) { sign_step<float>(call); }
KERNEL(sign_step_bf16, 256, PARAM(SignStep) call) { sign_step<bf16>(call); }
KERNEL(l2_step_f32, 256, PARAM(L2Step) call) { l2_step<float>(call); }
KERNEL(l2_step_bf16, 256, PARAM(L2Step) call) { l2_step<bf16>(call); }

// maximum pooling: y[n, p, q, c] = max over the window of x[n, h, w, c] and indices = h width + w of the pixel that won; backward dx = the sum of
// dy over the windows that this pixel won.
//
// One thread makes 16 bytes of y or dx: neighbouring channels of one pixel, the window walked in row-major order, so of equal values the first
// wins; a NaN always wins. Backward looks through the windows that hold its pixel, so nobody adds to what another thread writes.
// Bytes: x, y and 4 bytes an index once, where windows overlap what comes again comes from the cache.
#include "pool2dsizes.h"

struct MaxPool2dForward
{
    View x, y, indices;
    Pool2dSizes sizes;
};
struct MaxPool2dBackward
{
    View dy, indices, dx;
    Pool2dSizes sizes;
};

// Indices of N channels, 16 bytes at a time.
template <int N> DEVICE void load_indices(const int* from, int (&indices)[N])
{
    constexpr int count = N < 4 ? N : 4;
#pragma unroll
    for (int k = 0; k < N; k += count)
    {
        auto group = load_group<count>(from + k);
#pragma unroll
        for (int j = 0; j < count; j++)
            indices[k + j] = group.v[j];
    }
}

template <int N> DEVICE void store_indices(int* to, const int (&indices)[N])
{
    constexpr int count = N < 4 ? N : 4;
#pragma unroll
    for (int k = 0; k < N; k += count)
    {
        Group<int, count> group;
#pragma unroll
        for (int j = 0; j < count; j++)
            group.v[j] = indices[k + j];
        store_group(to + k, group);
    }
}

template <class T> DEVICE void max_pool2d_forward(const MaxPool2dForward& call)
{
    const Pool2dSizes& s = call.sizes;
    const T* x = call.x.as<T>();
    T* y = call.y.as<T>();
    int* indices = call.indices.as<int>();
    int output_height = s.output_height(), output_width = s.output_width();
    bool in_groups = is_aligned16(x) && is_aligned16(y) && is_aligned16(indices);
    for_each_pixel<Pack<T>::count>(s.batch, output_height, output_width, s.channels, in_groups, [&]<int N>(int n, int p, int q, int c)
    {
        Range rows = window(p, s.kernel_height, s.stride, s.padding, s.height), columns = window(q, s.kernel_width, s.stride, s.padding, s.width);
        const T* image = x + (unsigned)(n * s.height * s.width) * s.channels + c;
        Group<T, N> best = {};
        int winner[N];
#pragma unroll
        for (int k = 0; k < N; k++)
            winner[k] = -1;
        for (int h = rows.from; h < rows.to; h++)
            for (int w = columns.from; w < columns.to; w++)
            {
                int pixel = h * s.width + w;
                auto group = load_group<N>(image + pixel * s.channels);
#pragma unroll
                for (int k = 0; k < N; k++)
                {
                    float v = to_float(group.v[k]);
                    bool wins = winner[k] < 0 || v > to_float(best.v[k]) || v != v;
                    best.v[k] = wins ? group.v[k] : best.v[k];
                    winner[k] = wins ? pixel : winner[k];
                }
            }
        unsigned at = (unsigned)((n * output_height + p) * output_width + q) * s.channels + c;
        store_group(y + at, best);
        store_indices(indices + at, winner);
    });
}

template <class T> DEVICE void max_pool2d_backward(const MaxPool2dBackward& call)
{
    const Pool2dSizes& s = call.sizes;
    const T* dy = call.dy.as<T>();
    const int* indices = call.indices.as<int>();
    T* dx = call.dx.as<T>();
    int output_height = s.output_height(), output_width = s.output_width();
    bool in_groups = is_aligned16(dy) && is_aligned16(dx) && is_aligned16(indices);
    for_each_pixel<Pack<T>::count>(s.batch, s.height, s.width, s.channels, in_groups, [&]<int N>(int n, int h, int w, int c)
    {
        Range rows = windows_over(h, s.kernel_height, s.stride, s.padding, output_height);
        Range columns = windows_over(w, s.kernel_width, s.stride, s.padding, output_width);
        int pixel = h * s.width + w;
        float sum[N] = {};
        for (int p = rows.from; p < rows.to; p++)
            for (int q = columns.from; q < columns.to; q++)
            {
                unsigned at = (unsigned)((n * output_height + p) * output_width + q) * s.channels + c;
                int winner[N];
                load_indices(indices + at, winner);
                auto group = load_group<N>(dy + at);
#pragma unroll
                for (int k = 0; k < N; k++)
                    sum[k] += winner[k] == pixel ? to_float(group.v[k]) : 0;
            }
        Group<T, N> result;
#pragma unroll
        for (int k = 0; k < N; k++)
            result.v[k] = from_float<T>(sum[k]);
        store_group(dx + (unsigned)(n * s.height * s.width + pixel) * s.channels + c, result);
    });
}

KERNEL(max_pool2d_forward_f32, 256, PARAM(MaxPool2dForward) call) { max_pool2d_forward<float>(call); }
KERNEL(max_pool2d_forward_bf16, 256, PARAM(MaxPool2dForward) call) { max_pool2d_forward<bf16>(call); }
KERNEL(max_pool2d_backward_f32, 256, PARAM(MaxPool2dBackward) call) { max_pool2d_backward<float>(call); }
KERNEL(max_pool2d_backward_bf16, 256, PARAM(MaxPool2dBackward) call) { max_pool2d_backward<bf16>(call); }

// average pooling: y[n, p, q, c] = sum over the window of x[n, h, w, c] / (kernel_height kernel_width), and its gradient: the sum over the windows
// that hold a pixel of dy / (kernel_height kernel_width).
//
// One thread makes 16 bytes of the result: neighbouring channels of one pixel, the window walked in row-major order, sums in f32. Backward
// gathers, so nobody adds to what another thread writes. Bytes: x and y once, where windows overlap what comes again comes from the cache.
#include "pool2dsizes.h"

struct AvgPool2dForward
{
    View x, y;
    Pool2dSizes sizes;
};
struct AvgPool2dBackward
{
    View dy, dx;
    Pool2dSizes sizes;
};

// out[n, i, j, c] = scale times the sum of in over rows(i) and columns(j) of image n; [in_height, in_width] pixels in, [out_height, out_width] out.
template <class T, class R, class C>
DEVICE void sums(const T* in, T* out, const Pool2dSizes& s, int in_height, int in_width, int out_height, int out_width, R rows, C columns)
{
    float scale = 1.0f / (float)(s.kernel_height * s.kernel_width);
    bool in_groups = is_aligned16(in) && is_aligned16(out);
    for_each_pixel<Pack<T>::count>(s.batch, out_height, out_width, s.channels, in_groups, [&]<int N>(int n, int i, int j, int c)
    {
        Range vertical = rows(i), horizontal = columns(j);
        float sum[N] = {};
        for (int h = vertical.from; h < vertical.to; h++)
            for (int w = horizontal.from; w < horizontal.to; w++)
            {
                auto group = load_group<N>(in + (unsigned)((n * in_height + h) * in_width + w) * s.channels + c);
#pragma unroll
                for (int k = 0; k < N; k++)
                    sum[k] += to_float(group.v[k]);
            }
        Group<T, N> result;
#pragma unroll
        for (int k = 0; k < N; k++)
            result.v[k] = from_float<T>(sum[k] * scale);
        store_group(out + (unsigned)((n * out_height + i) * out_width + j) * s.channels + c, result);
    });
}

template <class T> DEVICE void avg_pool2d_forward(const AvgPool2dForward& call)
{
    const Pool2dSizes& s = call.sizes;
    sums(call.x.as<T>(), call.y.as<T>(), s, s.height, s.width, s.output_height(), s.output_width(),
        [&](int p) { return window(p, s.kernel_height, s.stride, s.padding, s.height); },
        [&](int q) { return window(q, s.kernel_width, s.stride, s.padding, s.width); });
}

template <class T> DEVICE void avg_pool2d_backward(const AvgPool2dBackward& call)
{
    const Pool2dSizes& s = call.sizes;
    int output_height = s.output_height(), output_width = s.output_width();
    sums(call.dy.as<T>(), call.dx.as<T>(), s, output_height, output_width, s.height, s.width,
        [&](int h) { return windows_over(h, s.kernel_height, s.stride, s.padding, output_height); },
        [&](int w) { return windows_over(w, s.kernel_width, s.stride, s.padding, output_width); });
}

KERNEL(avg_pool2d_forward_f32, 256, PARAM(AvgPool2dForward) call) { avg_pool2d_forward<float>(call); }
KERNEL(avg_pool2d_forward_bf16, 256, PARAM(AvgPool2dForward) call) { avg_pool2d_forward<bf16>(call); }
KERNEL(avg_pool2d_backward_f32, 256, PARAM(AvgPool2dBackward) call) { avg_pool2d_backward<float>(call); }
KERNEL(avg_pool2d_backward_bf16, 256, PARAM(AvgPool2dBackward) call) { avg_pool2d_backward<bf16>(call); }

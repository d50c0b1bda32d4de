// normalize: y[r, c] = (x[r, c] - mean[c]) / std[c] and its gradient dx[r, c] = dy[r, c] / std[c], with mean and std in f32.
//
// One thread moves 16 bytes of each operand. Images have 3 channels, which 16 bytes do not hold evenly; so a block has 192 = 3 64 threads: all
// threads together advance by a multiple of 3 elements, a thread meets the same channel at the same place of every group, and it looks up
// mean and 1 / std once. Multiplying by 1 / std rounds once more than a division, which costs a tenth of its instructions.
// Bytes: x and y once; bound by memory. Elements do not meet.
#include "groups.h"

struct NormalizeForward
{
    View x, mean, std, y;
    int rows, channels;
};
struct NormalizeBackward
{
    View dy, std, dx;
    int rows, channels;
};

// Elements from .. to - 1, N at a time, of images with 1 or 3 channels; mean may be null for zeros.
template <int N, int channels, class T> DEVICE void few_channels(const T* x, const float* mean, const float* std, T* y, unsigned from, unsigned to)
{
    unsigned first = from + (unsigned)global_thread() * N;
    float shift[channels], scale[channels];
#pragma unroll
    for (int k = 0; k < channels; k++)
    {
        unsigned c = (first + k) % channels;
        shift[k] = mean ? mean[c] : 0;
        scale[k] = 1 / std[c];
    }
    for (unsigned i = first; i < to; i += (unsigned)global_threads() * N)
    {
        auto group = load_group<N>(x + i);
#pragma unroll
        for (int j = 0; j < N; j++)
            group.v[j] = from_float<T>((to_float(group.v[j]) - shift[j % channels]) * scale[j % channels]);
        store_group(y + i, group);
    }
}

template <class T> DEVICE void normalize(const T* x, const float* mean, const float* std, T* y, int n, unsigned channels)
{
    constexpr int count = Pack<T>::count;
    bool aligned = is_aligned16(x) && is_aligned16(y);
    unsigned even = aligned ? n / count * count : 0;
    if (channels == 3)
    {
        few_channels<count, 3>(x, mean, std, y, 0, even);
        few_channels<1, 3>(x, mean, std, y, even, n);
    }
    else if (channels == 1)
    {
        few_channels<count, 1>(x, mean, std, y, 0, even);
        few_channels<1, 1>(x, mean, std, y, even, n);
    }
    else
        for_each_group<count>(n, aligned, [&]<int N>(unsigned i)
        {
            auto group = load_group<N>(x + i);
            unsigned c = i % channels;
#pragma unroll
            for (int j = 0; j < N; j++)
            {
                group.v[j] = from_float<T>((to_float(group.v[j]) - (mean ? mean[c] : 0)) / std[c]);
                c = c + 1 == channels ? 0 : c + 1;
            }
            store_group(y + i, group);
        });
}

template <class T> DEVICE void normalize_forward(const NormalizeForward& call)
{
    normalize(call.x.as<T>(), call.mean.as<float>(), call.std.as<float>(), call.y.as<T>(), call.y.length, call.channels);
}

template <class T> DEVICE void normalize_backward(const NormalizeBackward& call)
{
    normalize(call.dy.as<T>(), nullptr, call.std.as<float>(), call.dx.as<T>(), call.dx.length, call.channels);
}

KERNEL(normalize_forward_f32, 192, PARAM(NormalizeForward) call) { normalize_forward<float>(call); }
KERNEL(normalize_forward_bf16, 192, PARAM(NormalizeForward) call) { normalize_forward<bf16>(call); }
KERNEL(normalize_backward_f32, 192, PARAM(NormalizeBackward) call) { normalize_backward<float>(call); }
KERNEL(normalize_backward_bf16, 192, PARAM(NormalizeBackward) call) { normalize_backward<bf16>(call); }

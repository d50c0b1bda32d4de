// Sizes of a pooling and what they say about windows, as in src/Dom.Tensors/Ops/Pool2dSizes.cs; and where in a tensor a thread works.
#pragma once
#include "groups.h"

struct Pool2dSizes
{
    int batch, height, width, channels, kernel_height, kernel_width, stride, padding;

    __device__ int output_height() const { return (height + 2 * padding - kernel_height) / stride + 1; }
    __device__ int output_width() const { return (width + 2 * padding - kernel_width) / stride + 1; }
};

// A run from .. to - 1.
struct Range
{
    int from, to;
};

// The positions of the input under window `p`, the padding left out.
DEVICE Range window(int p, int kernel, int stride, int padding, int size)
{
    int from = p * stride - padding, to = from + kernel;
    return {from < 0 ? 0 : from, to > size ? size : to};
}

// The windows that hold input position `h`, of `windows`.
DEVICE Range windows_over(int h, int kernel, int stride, int padding, int windows)
{
    int beyond = h + padding - kernel, end = (h + padding) / stride + 1;
    return {beyond < 0 ? 0 : beyond / stride + 1, end > windows ? windows : end};
}

// Calls f<N>(image, row, column, c) for N neighbouring channels from c on of every pixel of [batch, height, width, channels]; N divides the channels.
template <int N, class F> DEVICE void for_each_pixel(int batch, int height, int width, int channels, F f)
{
    unsigned groups = (unsigned)channels / N, total = (unsigned)batch * height * width * groups;
    for (unsigned i = (unsigned)global_thread(); i < total; i += (unsigned)global_threads())
    {
        unsigned pixel = i / groups, line = pixel / width, image = line / height;
        f.template operator()<N>((int)image, (int)(line - image * height), (int)(pixel - line * width), (int)(i - pixel * groups) * N);
    }
}

// The same, N channels at a time where `in_groups` and the channels are a multiple of N, else one by one.
template <int N, class F> DEVICE void for_each_pixel(int batch, int height, int width, int channels, bool in_groups, F f)
{
    if (in_groups && channels % N == 0)
        for_each_pixel<N>(batch, height, width, channels, f);
    else
        for_each_pixel<1>(batch, height, width, channels, f);
}

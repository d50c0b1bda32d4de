// global average pooling: y[n, c] = sum over the pixels p of x[n, p, c] / pixels, and its gradient dx[n, p, c] = dy[n, c] / pixels.
//
// Forward: a block of 8 warps sums a strip of 32 x 16 bytes of channels of one image; warp w adds the pixels w, w + 8, ... in f32, and the 8
// sums of a channel are added in order. The order depends on nothing but the number of pixels. Bytes: x once.
// Backward: one thread writes 16 bytes of dx. Bytes: dx once; dy, smaller by the number of pixels, comes from the cache.
#include "groups.h"

struct GlobalAveragePoolForward
{
    View x, y;
    int batch, pixels, channels;
};
struct GlobalAveragePoolBackward
{
    View dy, dx;
    int batch, pixels, channels;
};

template <class T, int N> DEVICE void means(const GlobalAveragePoolForward& call)
{
    constexpr int warps = 8, width = 32 * N;
    __shared__ float partial[warps][width];
    const T* x = call.x.as<T>();
    const unsigned channels = call.channels, strips = (channels + width - 1) / width;
    const float scale = 1.0f / (float)call.pixels;
    for (unsigned b = blockIdx.x; b < call.batch * strips; b += gridDim.x)
    {
        unsigned n = b / strips, first = (b - n * strips) * width, c = first + lane_id() * N;
        const T* image = x + (unsigned)n * call.pixels * channels;
        float sum[N] = {};
        if (c < channels)
        {
#pragma unroll 4
            for (int p = warp_id(); p < call.pixels; p += warps)
            {
                auto group = load_group<N>(image + (unsigned)p * channels + c);
#pragma unroll
                for (int k = 0; k < N; k++)
                    sum[k] += to_float(group.v[k]);
            }
        }
#pragma unroll
        for (int k = 0; k < N; k++)
            partial[warp_id()][lane_id() * N + k] = sum[k];
        block_barrier();
        if (threadIdx.x < width && first + threadIdx.x < channels)
        {
            float total = 0;
#pragma unroll
            for (int w = 0; w < warps; w++)
                total += partial[w][threadIdx.x];
            call.y.as<T>()[n * channels + first + threadIdx.x] = from_float<T>(total * scale);
        }
        block_barrier();
    }
}

template <class T> DEVICE void global_average_pool_forward(const GlobalAveragePoolForward& call)
{
    if (call.channels % Pack<T>::count == 0 && is_aligned16(call.x.address))
        means<T, Pack<T>::count>(call);
    else
        means<T, 1>(call);
}

template <class T, int N> DEVICE void spread(const GlobalAveragePoolBackward& call)
{
    const T* dy = call.dy.as<T>();
    T* dx = call.dx.as<T>();
    const unsigned groups = call.channels / N, image = call.pixels * groups, total = (unsigned)call.dx.length / N;
    const float scale = 1.0f / (float)call.pixels;
    for (unsigned i = (unsigned)global_thread(); i < total; i += (unsigned)global_threads())
    {
        auto group = load_group<N>(dy + (i / image * groups + i % groups) * N); // an image is a whole number of pixels: i % groups is the place in it
#pragma unroll
        for (int k = 0; k < N; k++)
            group.v[k] = from_float<T>(to_float(group.v[k]) * scale);
        store_group(dx + i * N, group);
    }
}

template <class T> DEVICE void global_average_pool_backward(const GlobalAveragePoolBackward& call)
{
    if (call.channels % Pack<T>::count == 0 && is_aligned16(call.dy.address) && is_aligned16(call.dx.address))
        spread<T, Pack<T>::count>(call);
    else
        spread<T, 1>(call);
}

KERNEL(global_average_pool_forward_f32, 256, PARAM(GlobalAveragePoolForward) call) { global_average_pool_forward<float>(call); }
KERNEL(global_average_pool_forward_bf16, 256, PARAM(GlobalAveragePoolForward) call) { global_average_pool_forward<bf16>(call); }
KERNEL(global_average_pool_backward_f32, 256, PARAM(GlobalAveragePoolBackward) call) { global_average_pool_backward<float>(call); }
KERNEL(global_average_pool_backward_bf16, 256, PARAM(GlobalAveragePoolBackward) call) { global_average_pool_backward<bf16>(call); }

// linear: what the fully connected layer needs beside its products, y[r, c] = x[r, c] + bias[c] and dbias[c] = sum over r of dy[r, c]. The bias has
// the type of the activations or f32.
//
// add_bias: one thread moves 16 bytes of x and y. Bytes: x and y once.
// bias_gradient: a block of 8 warps sums 32 columns, a lane a column; warp w adds rows w, w + 8, ... in f32, and the 8 sums are added in order.
// The order depends on nothing but the number of rows. Made for batches of some thousand rows: a block a column strip, dy read once.
#include "groups.h"

struct AddBias
{
    View x, bias, y;
    int rows, columns;
};
struct BiasGradient
{
    View dy, dbias;
    int rows, columns;
};

template <class T, class B> DEVICE void add(const AddBias& call)
{
    const T* x = call.x.as<T>();
    const B* bias = call.bias.as<B>();
    T* y = call.y.as<T>();
    unsigned columns = call.columns;
    for_each_group<Pack<T>::count>(call.y.length, is_aligned16(x) && is_aligned16(y), [&]<int N>(unsigned i)
    {
        auto group = load_group<N>(x + i);
        unsigned c = i % columns;
#pragma unroll
        for (int j = 0; j < N; j++)
        {
            group.v[j] = from_float<T>(to_float(group.v[j]) + to_float(bias[c]));
            c = c + 1 == columns ? 0 : c + 1;
        }
        store_group(y + i, group);
    });
}

template <class T> DEVICE void add_bias(const AddBias& call)
{
    if (call.bias.type == BF16)
        add<T, bf16>(call);
    else
        add<T, float>(call);
}

template <class T> DEVICE void bias_gradient(const BiasGradient& call)
{
    constexpr int warps = 8;
    __shared__ float partial[warps][32];
    const T* dy = call.dy.as<T>();
    unsigned columns = call.columns;
    for (unsigned strip = blockIdx.x; strip * 32 < columns; strip += gridDim.x)
    {
        unsigned c = strip * 32 + lane_id();
        float sum = 0;
        if (c < columns)
        {
#pragma unroll 4
            for (int r = warp_id(); r < call.rows; r += warps)
                sum += to_float(dy[r * columns + c]);
        }
        partial[warp_id()][lane_id()] = sum;
        block_barrier();
        if (warp_id() == 0 && c < columns)
        {
            float total = 0;
#pragma unroll
            for (int w = 0; w < warps; w++)
                total += partial[w][lane_id()];
            if (call.dbias.type == BF16)
                call.dbias.as<bf16>()[c] = from_float<bf16>(total);
            else
                call.dbias.as<float>()[c] = total;
        }
        block_barrier();
    }
}

KERNEL(add_bias_f32, 256, PARAM(AddBias) call) { add_bias<float>(call); }
KERNEL(add_bias_bf16, 256, PARAM(AddBias) call) { add_bias<bf16>(call); }
KERNEL(bias_gradient_f32, 256, PARAM(BiasGradient) call) { bias_gradient<float>(call); }
KERNEL(bias_gradient_bf16, 256, PARAM(BiasGradient) call) { bias_gradient<bf16>(call); }

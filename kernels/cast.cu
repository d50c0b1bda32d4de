// cast: y = x in another type. f32, bf16, i32 and u8 become f32 or bf16.
//
// A thread moves as many elements at a time as fill 16 bytes of the wider type, so that the lanes of a warp touch neighbouring bytes on both
// sides. Bytes: x and y once; bound by memory. Elements do not meet.
#include "groups.h"

struct Cast
{
    View x, y;
};

// An integer becomes a bf16 by way of f32, as the definition has it.
DEVICE float to_float(int v) { return (float)v; }
DEVICE float to_float(unsigned char v) { return (float)v; }

template <class From, class To> DEVICE void cast(const Cast& call)
{
    constexpr int count = 16 / (sizeof(From) > sizeof(To) ? sizeof(From) : sizeof(To));
    const From* x = call.x.as<From>();
    To* y = call.y.as<To>();
    for_each_group<count>(call.y.length, is_aligned<count>(x) && is_aligned<count>(y), [&]<int N>(unsigned i)
    {
        auto group = load_group<N>(x + i);
        Group<To, N> result;
#pragma unroll
        for (int j = 0; j < N; j++)
            result.v[j] = from_float<To>(to_float(group.v[j]));
        store_group(y + i, result);
    });
}

KERNEL(cast_from_f32_f32, 256, PARAM(Cast) call) { cast<float, float>(call); }
KERNEL(cast_from_f32_bf16, 256, PARAM(Cast) call) { cast<float, bf16>(call); }
KERNEL(cast_from_bf16_f32, 256, PARAM(Cast) call) { cast<bf16, float>(call); }
KERNEL(cast_from_bf16_bf16, 256, PARAM(Cast) call) { cast<bf16, bf16>(call); }
KERNEL(cast_from_i32_f32, 256, PARAM(Cast) call) { cast<int, float>(call); }
KERNEL(cast_from_i32_bf16, 256, PARAM(Cast) call) { cast<int, bf16>(call); }
KERNEL(cast_from_u8_f32, 256, PARAM(Cast) call) { cast<unsigned char, float>(call); }
KERNEL(cast_from_u8_bf16, 256, PARAM(Cast) call) { cast<unsigned char, bf16>(call); }

// fill, copy, add, accumulate, relu: one thread moves 16 bytes of each operand.
//
// Bytes: every operand once (fill 1, copy 2, add 3, accumulate 3, relu forward 2, backward 3 passes); bound by memory. Elements do not
// meet, so nothing depends on the order in which threads run.
#include "device.h"

struct Fill
{
    View y;
    float value;
};
struct Copy
{
    View x, y;
};
struct AddForward
{
    View a, b, y;
};
struct Accumulate
{
    View x, y;
};
struct ReluForward
{
    View x, y;
};
struct ReluBackward
{
    View y, dy, dx;
};

// out[i] = f(a[i], b[i]) for i < n; an operand that f does not look at may be any readable pointer. In place works: a thread reads
// what it writes before it writes it.
template <class T, class F> DEVICE void map(const T* a, const T* b, T* out, int n, F f)
{
    constexpr int count = Pack<T>::count;
    int packs = is_aligned16(a) && is_aligned16(b) && is_aligned16(out) ? n / count : 0;
    for (long long i = global_thread(); i < packs; i += global_threads())
    {
        auto pa = load_pack(a + i * count), pb = load_pack(b + i * count);
        Pack<T> result;
#pragma unroll
        for (int j = 0; j < count; j++)
            result.v[j] = from_float<T>(f(to_float(pa.v[j]), to_float(pb.v[j])));
        store_pack(out + i * count, result);
    }
    for (long long i = (long long)packs * count + global_thread(); i < n; i += global_threads())
        out[i] = from_float<T>(f(to_float(a[i]), to_float(b[i])));
}

template <class T> DEVICE void fill(const Fill& call)
{
    T* y = call.y.as<T>();
    T value = from_float<T>(call.value);
    constexpr int count = Pack<T>::count;
    Pack<T> pack;
#pragma unroll
    for (int j = 0; j < count; j++)
        pack.v[j] = value;
    int packs = is_aligned16(y) ? call.y.length / count : 0;
    for (long long i = global_thread(); i < packs; i += global_threads())
        store_pack(y + i * count, pack);
    for (long long i = (long long)packs * count + global_thread(); i < call.y.length; i += global_threads())
        y[i] = value;
}

// A copy moves bits: a NaN keeps its payload.
template <class T> DEVICE void copy(const Copy& call)
{
    const T* x = call.x.as<T>();
    T* y = call.y.as<T>();
    constexpr int count = Pack<T>::count;
    int packs = is_aligned16(x) && is_aligned16(y) ? call.y.length / count : 0;
    for (long long i = global_thread(); i < packs; i += global_threads())
        store_pack(y + i * count, load_pack(x + i * count));
    for (long long i = (long long)packs * count + global_thread(); i < call.y.length; i += global_threads())
        y[i] = x[i];
}

template <class T> DEVICE void add_forward(const AddForward& call)
{
    map(call.a.as<T>(), call.b.as<T>(), call.y.as<T>(), call.y.length, [](float a, float b) { return a + b; });
}

template <class T> DEVICE void accumulate(const Accumulate& call)
{
    map(call.x.as<T>(), call.y.as<T>(), call.y.as<T>(), call.y.length, [](float x, float y) { return y + x; });
}

template <class T> DEVICE void relu_forward(const ReluForward& call)
{
    const T* x = call.x.as<T>();
    map(x, x, call.y.as<T>(), call.y.length, [](float v, float) { return v < 0 ? 0 : v; }); // NaN stays
}

template <class T> DEVICE void relu_backward(const ReluBackward& call)
{
    map(call.y.as<T>(), call.dy.as<T>(), call.dx.as<T>(), call.dx.length, [](float y, float dy) { return y > 0 ? dy : 0; });
}

KERNEL(fill_f32, 256, PARAM(Fill) call) { fill<float>(call); }
KERNEL(fill_bf16, 256, PARAM(Fill) call) { fill<bf16>(call); }
KERNEL(copy_f32, 256, PARAM(Copy) call) { copy<float>(call); }
KERNEL(copy_bf16, 256, PARAM(Copy) call) { copy<bf16>(call); }
KERNEL(add_forward_f32, 256, PARAM(AddForward) call) { add_forward<float>(call); }
KERNEL(add_forward_bf16, 256, PARAM(AddForward) call) { add_forward<bf16>(call); }
KERNEL(accumulate_f32, 256, PARAM(Accumulate) call) { accumulate<float>(call); }
KERNEL(accumulate_bf16, 256, PARAM(Accumulate) call) { accumulate<bf16>(call); }
KERNEL(relu_forward_f32, 256, PARAM(ReluForward) call) { relu_forward<float>(call); }
KERNEL(relu_forward_bf16, 256, PARAM(ReluForward) call) { relu_forward<bf16>(call); }
KERNEL(relu_backward_f32, 256, PARAM(ReluBackward) call) { relu_backward<float>(call); }
KERNEL(relu_backward_bf16, 256, PARAM(ReluBackward) call) { relu_backward<bf16>(call); }

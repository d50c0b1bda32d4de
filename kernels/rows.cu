// rows: gather y[n, :] = source[rows[n], :], scatter target[rows[n], :] = source[n, :] for elements of any type, and
// blend y[n, :] = (1 - w[n]) a[n, :] + w[n] b[n, :].
//
// One thread moves 16 bytes within a row where rows are multiples of 16 bytes, else one element; one division finds its row.
// Bytes: every row that is named read and written once (blend: two read); bound by memory. Elements do not meet: the rows that scatter
// writes are all different.
#include "groups.h"

struct GatherRows
{
    View source, rows, y;
    int row_count, row_length;
};
struct ScatterRows
{
    View source, rows, target;
    int row_count, row_length;
};
struct BlendRows
{
    View a, b, weights, y;
    int row_count, row_length;
};

// f<N>(row, i): the N elements from i on of a row.
template <int N, class F> DEVICE void for_each_place(int row_count, int row_length, bool in_groups, F f)
{
    for_each_group<N>(row_count * row_length, in_groups && row_length % N == 0, [&]<int M>(unsigned i)
    {
        unsigned n = i / (unsigned)row_length;
        f.template operator()<M>(n, i - n * row_length);
    });
}

// Elements are copied as bits: Bits is an integer of their size.
template <class Bits> DEVICE void gather(const GatherRows& call)
{
    const Bits* source = call.source.as<Bits>();
    const int* rows = call.rows.as<int>();
    Bits* y = call.y.as<Bits>();
    unsigned length = call.row_length;
    bool in_groups = is_aligned16(source) && is_aligned16(y);
    for_each_place<Pack<Bits>::count>(call.row_count, call.row_length, in_groups, [&]<int N>(unsigned n, unsigned i)
    {
        store_group(y + n * length + i, load_group<N>(source + rows[n] * length + i));
    });
}

template <class Bits> DEVICE void scatter(const ScatterRows& call)
{
    const Bits* source = call.source.as<Bits>();
    const int* rows = call.rows.as<int>();
    Bits* target = call.target.as<Bits>();
    unsigned length = call.row_length;
    bool in_groups = is_aligned16(source) && is_aligned16(target);
    for_each_place<Pack<Bits>::count>(call.row_count, call.row_length, in_groups, [&]<int N>(unsigned n, unsigned i)
    {
        store_group(target + rows[n] * length + i, load_group<N>(source + n * length + i));
    });
}

template <class T> DEVICE void blend(const BlendRows& call)
{
    const T *a = call.a.as<T>(), *b = call.b.as<T>();
    const float* weights = call.weights.as<float>();
    T* y = call.y.as<T>();
    unsigned length = call.row_length;
    bool in_groups = is_aligned16(a) && is_aligned16(b) && is_aligned16(y);
    for_each_place<Pack<T>::count>(call.row_count, call.row_length, in_groups, [&]<int N>(unsigned n, unsigned i)
    {
        float w = weights[n];
        unsigned at = n * length + i;
        auto from_a = load_group<N>(a + at), from_b = load_group<N>(b + at);
#pragma unroll
        for (int j = 0; j < N; j++)
        {
            float mixed = fused_multiply_add(w, to_float(from_b.v[j]), (1 - w) * to_float(from_a.v[j]));
            // A weight of 0 or 1 takes one row as it is: an infinity or NaN in the other does not reach y.
            from_a.v[j] = w == 0 ? from_a.v[j] : w == 1 ? from_b.v[j] : from_float<T>(mixed);
        }
        store_group(y + at, from_a);
    });
}

KERNEL(gather_rows_f32, 256, PARAM(GatherRows) call) { gather<unsigned>(call); }
KERNEL(gather_rows_bf16, 256, PARAM(GatherRows) call) { gather<unsigned short>(call); }
KERNEL(gather_rows_i32, 256, PARAM(GatherRows) call) { gather<unsigned>(call); }
KERNEL(gather_rows_u8, 256, PARAM(GatherRows) call) { gather<unsigned char>(call); }
KERNEL(scatter_rows_f32, 256, PARAM(ScatterRows) call) { scatter<unsigned>(call); }
KERNEL(scatter_rows_bf16, 256, PARAM(ScatterRows) call) { scatter<unsigned short>(call); }
KERNEL(scatter_rows_i32, 256, PARAM(ScatterRows) call) { scatter<unsigned>(call); }
KERNEL(scatter_rows_u8, 256, PARAM(ScatterRows) call) { scatter<unsigned char>(call); }
KERNEL(blend_rows_f32, 256, PARAM(BlendRows) call) { blend<float>(call); }
KERNEL(blend_rows_bf16, 256, PARAM(BlendRows) call) { blend<bf16>(call); }

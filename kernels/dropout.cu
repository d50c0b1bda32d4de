// dropout: y[n, j] = x[n, j] / (1 - rate) where uniform number j of the sample's stream is at least rate, else 0. Its gradient is the same call.
//
// One thread makes four neighbouring numbers of a row: one block of the generator. In f32 it moves 16 bytes of x and of y, in bf16 8.
// Bytes: x and y once; the generator, some 100 integer instructions for four numbers, about takes as long as the memory. What a number is
// depends on the sample and on its place in the row, never on the thread that makes it.
#include "groups.h"
#include "philox.h"

struct DropoutForward
{
    View x, sample_ids, y;
    RandomStream stream;
    int rows, row_length;
    float rate;
};

template <class T> DEVICE void dropout(const DropoutForward& call)
{
    const T* x = call.x.as<T>();
    T* y = call.y.as<T>();
    unsigned length = call.row_length, quads = (length + 3) / 4, total = call.rows * quads;
    bool in_groups = length % 4 == 0 && is_aligned<4>(x) && is_aligned<4>(y);
    float scale = 1 / (1 - call.rate);
    for (unsigned i = (unsigned)global_thread(); i < total; i += (unsigned)global_threads())
    {
        unsigned n = i / quads, quad = i - n * quads, first = n * length + quad * 4;
        auto random = random_block(call.stream, call.sample_ids.as<int>()[n], quad);
        auto kept = [&](T v, int j) { return from_float<T>(to_uniform(random.words[j]) >= call.rate ? to_float(v) * scale : 0); };
        if (in_groups)
        {
            auto group = load_group<4>(x + first);
#pragma unroll
            for (int j = 0; j < 4; j++)
                group.v[j] = kept(group.v[j], j);
            store_group(y + first, group);
        }
        else
        {
#pragma unroll
            for (int j = 0; j < 4; j++)
                if (quad * 4 + j < length)
                    y[first + j] = kept(x[first + j], j);
        }
    }
}

KERNEL(dropout_forward_f32, 256, PARAM(DropoutForward) call) { dropout<float>(call); }
KERNEL(dropout_forward_bf16, 256, PARAM(DropoutForward) call) { dropout<bf16>(call); }

// noise: uniform y[n, j] = low + (high - low) u and normal y[n, j] = mean + std z, where u and z are number j of the stream of sample sample_ids[n].
//
// One thread makes four neighbouring numbers of a row: one block of the generator for uniform numbers, two for normal ones. It writes them with
// one instruction, 16 bytes in f32, where rows allow it.
// Bytes: y once; bound by the generator, normal numbers by f64 arithmetic. What a number is depends on the sample and on its place in the row,
// never on the thread that makes it.
#include "groups.h"
#include "philox.h"

struct UniformNoise
{
    View y, sample_ids;
    RandomStream stream;
    int rows, row_length;
    float low, high;
};
struct NormalNoise
{
    View y, sample_ids;
    RandomStream stream;
    int rows, row_length;
    float mean, std;
};

// Fills the rows of y with the numbers draw(sample, quad) gives: numbers 4 quad .. 4 quad + 3 of the sample's row.
template <class T, class F> DEVICE void fill_rows(const View& target, const View& sample_ids, int rows, unsigned length, F draw)
{
    T* y = target.as<T>();
    unsigned quads = (length + 3) / 4, total = rows * quads;
    bool in_groups = length % 4 == 0 && is_aligned<4>(y);
    for (unsigned i = (unsigned)global_thread(); i < total; i += (unsigned)global_threads())
    {
        unsigned n = i / quads, quad = i - n * quads, first = n * length + quad * 4;
        Group<float, 4> numbers = draw(sample_ids.as<int>()[n], quad);
        Group<T, 4> group;
#pragma unroll
        for (int j = 0; j < 4; j++)
            group.v[j] = from_float<T>(numbers.v[j]);
        if (in_groups)
            store_group(y + first, group);
        else
        {
#pragma unroll
            for (int j = 0; j < 4; j++)
                if (quad * 4 + j < length)
                    y[first + j] = group.v[j];
        }
    }
}

template <class T> DEVICE void uniform_noise(const UniformNoise& call)
{
    float range = call.high - call.low;
    fill_rows<T>(call.y, call.sample_ids, call.rows, call.row_length, [&](int sample, unsigned quad)
    {
        auto random = random_block(call.stream, sample, quad);
        Group<float, 4> numbers;
#pragma unroll
        for (int j = 0; j < 4; j++)
            numbers.v[j] = fused_multiply_add(range, to_uniform(random.words[j]), call.low);
        return numbers;
    });
}

template <class T> DEVICE void normal_noise(const NormalNoise& call)
{
    fill_rows<T>(call.y, call.sample_ids, call.rows, call.row_length, [&](int sample, unsigned quad)
    {
        Group<float, 4> numbers;
#pragma unroll
        for (int pair = 0; pair < 2; pair++)
        {
            auto random = random_block(call.stream, sample, 2 * quad + pair);
            numbers.v[2 * pair] = fused_multiply_add(call.std, to_normal(random.words[0], random.words[1]), call.mean);
            numbers.v[2 * pair + 1] = fused_multiply_add(call.std, to_normal(random.words[2], random.words[3]), call.mean);
        }
        return numbers;
    });
}

KERNEL(uniform_noise_f32, 256, PARAM(UniformNoise) call) { uniform_noise<float>(call); }
KERNEL(uniform_noise_bf16, 256, PARAM(UniformNoise) call) { uniform_noise<bf16>(call); }
KERNEL(normal_noise_f32, 256, PARAM(NormalNoise) call) { normal_noise<float>(call); }
KERNEL(normal_noise_bf16, 256, PARAM(NormalNoise) call) { normal_noise<bf16>(call); }

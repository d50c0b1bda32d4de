// Walks over a matrix [rows, channels], row by row in memory, for operators that treat every channel by itself, and sums over its rows.
//
// A thread keeps N neighbouring channels (16 bytes, or one element where 16 bytes do not fit) and takes every lanes-th row of its block's run of rows:
// constants and sums of its channels stay in registers, and neighbouring threads read neighbouring bytes. blockIdx.x numbers the runs of rows,
// blockIdx.y the tiles of `width` columns of N channels.
#pragma once
#include "device.h"

// src/Dom.Kernels/Cuda/Channels.cs makes it, of the sizes of the matrix alone.
struct ChannelPlan
{
    void* partials;     // a pair of sums for every run of rows and channel
    unsigned* arrivals; // a zero for every tile
    int width, lanes;
};

// Threads of a block; there are two blocks on a multiprocessor. With one operand that leaves 64 registers a thread, enough to keep 64 bytes under way; the
// constants of two operands need 80.
constexpr int one_operand_threads = 512, two_operand_threads = 384;

// An entry point for each type, and for rows of whole, aligned packs and for all others.
#define CHANNEL_KERNELS(name, threads, Call, function)                          \
    CHANNEL_KERNEL(name##_f32, threads, Call, (function<float, 4>))             \
    CHANNEL_KERNEL(name##_bf16, threads, Call, (function<bf16, 8>))             \
    CHANNEL_KERNEL(name##_scalar_f32, threads, Call, (function<float, 1>))      \
    CHANNEL_KERNEL(name##_scalar_bf16, threads, Call, (function<bf16, 1>))
#define CHANNEL_KERNEL(name, threads, Call, function) \
    KERNEL(name, TWO_BLOCKS(threads), PARAM(Call) call, PARAM(ChannelPlan) plan) { function(call, plan); }

template <class T, int N> struct alignas(N * sizeof(T)) Elements
{
    T v[N];
};

template <int N> struct Words
{
    unsigned v[N / 2];
};

template <class T, int N> DEVICE void widen(const Elements<T, N>& from, float (&to)[N])
{
    if constexpr (sizeof(T) == 2 && N > 1)
    {
        auto words = __builtin_bit_cast(Words<N>, from);
#pragma unroll
        for (int j = 0; j < N; j++)
            to[j] = bits_to_float(j & 1 ? words.v[j / 2] & 0xFFFF0000 : words.v[j / 2] << 16);
    }
    else
    {
#pragma unroll
        for (int j = 0; j < N; j++)
            to[j] = to_float(from.v[j]);
    }
}

template <class T, int N> DEVICE void store_rounded(T* to, const float (&from)[N])
{
    if constexpr (sizeof(T) == 2 && N > 1)
    {
        Words<N> words;
#pragma unroll
        for (int j = 0; j < N / 2; j++)
            words.v[j] = round_to_bf16x2(from[2 * j], from[2 * j + 1]);
        *(Elements<T, N>*)to = __builtin_bit_cast(Elements<T, N>, words);
    }
    else
    {
        Elements<T, N> rounded;
#pragma unroll
        for (int j = 0; j < N; j++)
            rounded.v[j] = from_float<T>(from[j]);
        *(Elements<T, N>*)to = rounded;
    }
}

template <int N> using Vector = float __attribute__((ext_vector_type(N)));

// The channels and rows of a thread.
template <int N> struct Share
{
    int channels, channel, lane, lanes, first, end;
    bool is_idle; // no channel is left for it

    __device__ __forceinline__ Share(const ChannelPlan& plan, int rows, int channels) : channels(channels), lanes(plan.lanes)
    {
        int run = (rows + gridDim.x - 1) / gridDim.x;
        first = (int)blockIdx.x * run < rows ? blockIdx.x * run : rows;
        end = first + run < rows ? first + run : rows;
        lane = threadIdx.x / plan.width;
        channel = (blockIdx.y * plan.width + threadIdx.x % plan.width) * N;
        is_idle = lane >= lanes || channel >= channels;
        channel = is_idle ? 0 : channel; // what it loads then is there, and not used
    }

    // A parameter of each of its channels.
    __device__ __forceinline__ void parameter(const View& view, float (&values)[N]) const
    {
        constexpr int wide = N < 4 ? N : 4;
#pragma unroll
        for (int first = 0; first < N; first += wide)
        {
            auto pack = *(const Vector<wide>*)(view.as<float>() + channel + first);
#pragma unroll
            for (int j = 0; j < wide; j++)
                values[first + j] = pack[j];
        }
    }
};

// Visits U rows of the share, from `index` on, and moves on: the loads of all of them are under way before the first is used.
template <int U, class T, int N, int K, class F> DEVICE void visit_rows(const T* const (&operands)[K], long long& index, long long step, F visit)
{
    Elements<T, N> elements[U][K];
#pragma unroll
    for (int u = 0; u < U; u++)
#pragma unroll
        for (int k = 0; k < K; k++)
            elements[u][k] = *(const Elements<T, N>*)(operands[k] + index + u * step);
#pragma unroll
    for (int u = 0; u < U; u++)
        visit(index + u * step, elements[u]);
    index += U * step;
}

// visit(index, elements) for all rows of the share, of K operands, U rows at a time. `Backwards` takes the last row first: what a kernel before it
// read last is still in the second-level cache.
template <int U, bool Backwards, class T, int N, int K, class F> DEVICE void walk(const Share<N>& share, const T* const (&operands)[K], F visit)
{
    static_assert(U == 2 || U == 4);
    int left = share.is_idle ? 0 : (share.end - share.first - share.lane + share.lanes - 1) / share.lanes;
    long long row = Backwards ? share.end - 1 - share.lane : share.first + share.lane, index = row * share.channels + share.channel;
    long long step = (long long)(Backwards ? -share.lanes : share.lanes) * share.channels;
    for (; left >= U; left -= U)
        visit_rows<U, T, N>(operands, index, step, visit);
    if (U == 4 && left >= 2)
        visit_rows<2, T, N>(operands, index, step, visit);
    if (left & 1)
        visit_rows<1, T, N>(operands, index, step, visit);
}

struct alignas(8) SumPair
{
    float a, b;
};

// Adds the two sums of each channel over the threads of the block and then over the blocks, and calls finish(channel, a, b) once for every channel
// with the sums as f64. The block that is the last of its tile to arrive does the second part: no launch of its own. Who that is changes nothing:
// the pairs lie in memory in the order of the runs, and are added in that order.
template <int Threads, int N, class F> DEVICE void sum_over_rows(const ChannelPlan& plan, int channels, const float (&a)[N], const float (&b)[N], F finish)
{
    __shared__ SumPair of_threads[N * Threads];
    __shared__ SumPair of_groups[Threads];
    __shared__ bool is_last;
    int thread = threadIdx.x;
#pragma unroll
    for (int j = 0; j < N; j++)
        of_threads[j * Threads + thread] = {a[j], b[j]};
    block_barrier();

    // Now a thread takes one channel of the tile: element `j` of column `column`.
    int in_tile = plan.width * N, groups = Threads / in_tile;
    int group = thread / in_tile, position = thread % in_tile, j = position / plan.width, column = position % plan.width;
    bool is_member = group < groups, is_head = thread < in_tile;
    SumPair sum{0, 0};
    if (is_member)
#pragma unroll 4
        for (int lane = group; lane < plan.lanes; lane += groups)
        {
            auto pair = of_threads[j * Threads + lane * plan.width + column];
            sum = {sum.a + pair.a, sum.b + pair.b};
        }
    of_groups[thread] = sum;
    block_barrier();
    auto* partials = (SumPair*)plan.partials + (long long)blockIdx.y * gridDim.x * in_tile;
    if (is_head)
    {
#pragma unroll 4
        for (int g = 1; g < groups; g++)
        {
            auto pair = of_groups[g * in_tile + thread];
            sum = {sum.a + pair.a, sum.b + pair.b};
        }
        partials[(long long)blockIdx.x * in_tile + thread] = sum;
    }

    block_barrier();
    if (thread == 0)
        is_last = count_arrival(plan.arrivals + blockIdx.y, gridDim.x - 1) == gridDim.x - 1;
    block_barrier();
    if (!is_last)
        return;
    sum = {0, 0};
    constexpr int under_way = 16; // the whole launch waits for this block: few rounds of loads
    if (is_member)
        for (int run = group; run < (int)gridDim.x; run += under_way * groups)
        {
            SumPair pairs[under_way];
#pragma unroll
            for (int u = 0; u < under_way; u++)
                pairs[u] = run + u * groups < (int)gridDim.x ? partials[(run + u * groups) * in_tile + position] : SumPair{0, 0};
#pragma unroll
            for (int u = 0; u < under_way; u++)
                sum = {sum.a + pairs[u].a, sum.b + pairs[u].b};
        }
    of_groups[thread] = sum;
    block_barrier();
    int channel = (blockIdx.y * plan.width + column) * N + j;
    if (!is_head || channel >= channels)
        return;
    double total_a = 0, total_b = 0;
#pragma unroll 4
    for (int g = 0; g < groups; g++)
    {
        total_a += of_groups[g * in_tile + thread].a;
        total_b += of_groups[g * in_tile + thread].b;
    }
    finish(channel, total_a, total_b);
}

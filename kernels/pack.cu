// Operands brought into the form that products of tiles want, and their partial sums brought out of it.
//
//   pad        rows of `columns` elements -> rows of `padded` elements, zeros behind: channels become a multiple of a chunk
//   transpose  for each of `depth` matrices: [rows, columns] -> [columns, padded rows], through tiles of 32 x 32 in shared memory
//   reduce     sums over `splits` partial matrices, first to last, rounded to the element type; padding is left behind
//
// Bytes: source read once, target written once; for weights a few megabytes, for activations only where channels are odd.
#include "device.h"

struct PadPlan
{
    const void* source;
    void* target;
    int rows, columns, padded;
};

struct TransposePlan
{
    const void* source; // element (row, column) of matrix d at row row_pitch + d columns + column
    void* target;       // element (column, row) of matrix d at column target_pitch + d padded + row
    int rows, columns, depth, row_pitch, target_pitch, padded;
};

struct ReducePlan
{
    const float* sums; // [splits, rows, depth, padded columns]
    void* target;      // [target_rows, depth, columns]
    int splits, rows, depth, padded, target_rows, columns;
};

template <class T> DEVICE void pad(const PadPlan& plan)
{
    const T* source = (const T*)plan.source;
    T* target = (T*)plan.target;
    constexpr int count = Pack<T>::count;
    const unsigned packs = plan.padded / count; // a row is whole packs
    const long long all = (long long)plan.rows * packs;
    for (long long at = global_thread(); at < all; at += global_threads())
    {
        long long row = at / packs;
        int first = (int)(at - row * packs) * count;
        Pack<T> pack;
#pragma unroll
        for (int i = 0; i < count; i++)
            pack.v[i] = first + i < plan.columns ? source[row * plan.columns + first + i] : T{};
        store_pack(target + row * plan.padded + first, pack);
    }
}

// 32 x 8 threads a tile.
template <class T> DEVICE void transpose(const TransposePlan& plan)
{
    __shared__ T tile[32][33];
    const T* source = (const T*)plan.source;
    T* target = (T*)plan.target;
    const int x = threadIdx.x & 31, y = threadIdx.x >> 5, d = blockIdx.z;
    const int column0 = blockIdx.x * 32, row0 = blockIdx.y * 32;
#pragma unroll
    for (int i = y; i < 32; i += 8)
    {
        int row = row0 + i, column = column0 + x;
        tile[i][x] = row < plan.rows && column < plan.columns ? source[(long long)row * plan.row_pitch + (long long)d * plan.columns + column] : T{};
    }
    block_barrier();
#pragma unroll
    for (int i = y; i < 32; i += 8)
    {
        int column = column0 + i, row = row0 + x;
        if (column < plan.columns && row < plan.padded)
            target[(long long)column * plan.target_pitch + (long long)d * plan.padded + row] = tile[x][i];
    }
}

// A thread adds one element of all partial matrices; a warp reads 128 bytes of each.
template <class T> DEVICE void reduce(const ReducePlan& plan)
{
    T* target = (T*)plan.target;
    const int row_length = plan.depth * plan.padded;
    const long long matrix = (long long)plan.rows * row_length;
    const unsigned all = (unsigned)plan.target_rows * plan.depth * plan.columns;
    for (long long at = global_thread(); at < all; at += global_threads())
    {
        unsigned rest = (unsigned)at / plan.columns, column = (unsigned)at - rest * plan.columns, d = rest % plan.depth, row = rest / plan.depth;
        const float* from = plan.sums + (long long)row * row_length + d * plan.padded + column;
        float sum = 0;
        int split = 0;
        for (; split + 8 <= plan.splits; split += 8)
        {
            float v[8]; // under way together, added in order
#pragma unroll
            for (int i = 0; i < 8; i++)
                v[i] = from[(split + i) * matrix];
#pragma unroll
            for (int i = 0; i < 8; i++)
                sum += v[i];
        }
        for (; split < plan.splits; split++)
            sum += from[split * matrix];
        target[at] = from_float<T>(sum);
    }
}

// The same for many partial matrices of few elements: eight warps take every eighth matrix of 32 elements, and their sums are added in order.
template <class T> DEVICE void reduce_many(const ReducePlan& plan)
{
    __shared__ float partial[8][32];
    T* target = (T*)plan.target;
    const int row_length = plan.depth * plan.padded, group = warp_id();
    const long long matrix = (long long)plan.rows * row_length;
    const unsigned all = (unsigned)plan.target_rows * plan.depth * plan.columns, at = blockIdx.x * 32 + lane_id();
    float sum = 0;
    if (at < all)
    {
        unsigned rest = at / plan.columns, column = at - rest * plan.columns, d = rest % plan.depth, row = rest / plan.depth;
        const float* from = plan.sums + (long long)row * row_length + d * plan.padded + column;
        int split = group;
        for (; split + 24 < plan.splits; split += 32)
        {
            float v[4]; // under way together, added in order
#pragma unroll
            for (int i = 0; i < 4; i++)
                v[i] = from[(split + i * 8) * matrix];
#pragma unroll
            for (int i = 0; i < 4; i++)
                sum += v[i];
        }
        for (; split < plan.splits; split += 8)
            sum += from[split * matrix];
    }
    partial[group][lane_id()] = sum;
    block_barrier();
    if (group > 0 || at >= all)
        return;
#pragma unroll
    for (int i = 1; i < 8; i++)
        sum += partial[i][lane_id()];
    target[at] = from_float<T>(sum);
}

KERNEL(pack_reduce_many_f32, 256, PARAM(ReducePlan) plan) { reduce_many<float>(plan); }
KERNEL(pack_reduce_many_bf16, 256, PARAM(ReducePlan) plan) { reduce_many<bf16>(plan); }
KERNEL(pack_pad_f32, 256, PARAM(PadPlan) plan) { pad<float>(plan); }
KERNEL(pack_pad_bf16, 256, PARAM(PadPlan) plan) { pad<bf16>(plan); }
KERNEL(pack_transpose_f32, 256, PARAM(TransposePlan) plan) { transpose<float>(plan); }
KERNEL(pack_transpose_bf16, 256, PARAM(TransposePlan) plan) { transpose<bf16>(plan); }
KERNEL(pack_reduce_f32, 256, PARAM(ReducePlan) plan) { reduce<float>(plan); }
KERNEL(pack_reduce_bf16, 256, PARAM(ReducePlan) plan) { reduce<bf16>(plan); }

// c [m, n] = a [m, k] b [n, k]^T, f32 sums: the plainest product of tiles. A block computes 64 x 64 or 128 x 128 elements of c; both operands come by rows
// along k, in 16-byte chunks. Other forms (transposed operands, k that is no multiple of a chunk) are brought into this one by pack.cu first.
//
// Operations: 2 m n k. Bytes: (m k + n k + m n) elements where the L2 cache holds the rows that blocks share. Sums go along k in order.
#include "tiles.h"

struct GemmPlan
{
    const void *a, *b; // rows of k elements, k a multiple of a chunk, padded with zeros
    void* c;
    int m, n, k;
    int column_tiles; // blocks along n, fastest in grid x
};

template <class Tile, int stages> DEVICE void gemm(const GemmPlan& plan)
{
    typedef typename Tile::element T;
    constexpr int BM = Tile::rows, BN = Tile::columns, threads = Tile::threads, chunk = chunk_of<T>, lines_a_pass = threads / chunks_in_line;
    SHARED_MEMORY(shared);
    const int m0 = blockIdx.x / plan.column_tiles * BM, n0 = blockIdx.x % plan.column_tiles * BN;
    const int column = threadIdx.x % chunks_in_line, line0 = threadIdx.x / chunks_in_line;
    const T* a = (const T*)plan.a;
    const T* b = (const T*)plan.b;
    int k = column * chunk;

    Tile tile;
    multiply_steps<stages>(tile, shared, (plan.k + step_of<T> - 1) / step_of<T>, [&](int, unsigned char* to_a, unsigned char* to_b) {
        const shared_address a_start = shared_address_of(to_a), b_start = shared_address_of(to_b);
#pragma unroll
        for (int pass = 0; pass < BM / lines_a_pass; pass++)
        {
            int line = line0 + pass * lines_a_pass;
            bool present = k < plan.k && m0 + line < plan.m;
            copy_async16(a_start + chunk_place(line, column), a + (present ? (long long)(m0 + line) * plan.k + k : 0), present);
        }
#pragma unroll
        for (int pass = 0; pass < BN / lines_a_pass; pass++)
        {
            int line = line0 + pass * lines_a_pass;
            bool present = k < plan.k && n0 + line < plan.n;
            copy_async16(b_start + chunk_place(line, column), b + (present ? (long long)(n0 + line) * plan.k + k : 0), present);
        }
        k += step_of<T>;
    });

    constexpr int pitch = BN + chunk;
    T* result = (T*)shared;
    write_tile(tile, result, pitch);
    block_barrier();
    T* c = (T*)plan.c;
    for (int at = threadIdx.x; at < BM * BN; at += threads)
    {
        int m = m0 + at / BN, n = n0 + at % BN;
        if (m < plan.m && n < plan.n)
            c[(long long)m * plan.n + n] = result[at / BN * pitch + at % BN];
    }
}

KERNEL(gemm_128x128_bf16, 128, PARAM(GemmPlan) plan) { gemm<TensorTile<true, true, 128, 128, 64, 64>, 3>(plan); }
KERNEL(gemm_64x64_bf16, 128, PARAM(GemmPlan) plan) { gemm<TensorTile<true, true, 64, 64, 32, 32>, 4>(plan); }
KERNEL(gemm_128x128_f32, 256, PARAM(GemmPlan) plan) { gemm<ScalarTile<true, true, 128, 128>, 3>(plan); }
KERNEL(gemm_64x64_f32, 256, PARAM(GemmPlan) plan) { gemm<ScalarTile<true, true, 64, 64>, 4>(plan); }

// The GPU half of device.h: CUDA's keywords for clang without a CUDA SDK, and one function for every PTX instruction. host/emulator.h has the
// same functions for the host's processor.
#pragma once

typedef unsigned long long u64;

#define __host__ __attribute__((host))
#define __device__ __attribute__((device))
#define __global__ __attribute__((global))
#define __shared__ __attribute__((shared))
#define __constant__ __attribute__((constant))
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))
#define __forceinline__ __inline__ __attribute__((always_inline))
#define __grid_constant__ __attribute__((grid_constant))

struct uint3
{
    unsigned x, y, z;
};
struct dim3
{
    unsigned x, y, z;
    __host__ __device__ constexpr dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c) {}
};
#include <__clang_cuda_builtin_vars.h>

#define GPU static __device__ __forceinline__

// Dynamic shared memory of the launch.
#define SHARED_MEMORY(name) extern __shared__ __attribute__((aligned(128))) unsigned char name[]

// ---- Bits and roundings ---------------------------------------------------------------------------------------------------------------------

GPU float bits_to_float(unsigned bits) { return __builtin_bit_cast(float, bits); }
GPU unsigned float_to_bits(float v) { return __builtin_bit_cast(unsigned, v); }

GPU unsigned short round_to_bf16(float v)
{
    unsigned short bits;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(v));
    return bits;
}

// Two rounded numbers in one register, `low` in the lower half.
GPU unsigned round_to_bf16x2(float low, float high)
{
    unsigned bits;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
    return bits;
}

GPU float maximum(float a, float b) { return __builtin_fmaxf(a, b); } // the other one where one is NaN
GPU float minimum(float a, float b) { return __builtin_fminf(a, b); }
GPU float absolute(float v) { return __builtin_fabsf(v); }
GPU float floor_of(float v) { return __builtin_floorf(v); }
GPU float fused_multiply_add(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
GPU float square_root(float v) { return __builtin_sqrtf(v); }       // correctly rounded
GPU float inverse_square_root_approximate(float v) { return __nvvm_rsqrt_approx_f(v); } // 2^-22.9 relative
GPU float exp2_approximate(float v) { return __nvvm_ex2_approx_f(v); } // 2 ulp
GPU float log2_approximate(float v) { return __nvvm_lg2_approx_f(v); } // about 2^-22 absolute near 1
GPU unsigned multiply_high(unsigned a, unsigned b) { return (unsigned)(((u64)a * b) >> 32); }

// ---- Threads --------------------------------------------------------------------------------------------------------------------------------

GPU void block_barrier() { __syncthreads(); }
GPU void warp_barrier() { __nvvm_bar_warp_sync(0xFFFFFFFF); }
GPU float shuffle_xor(float v, int mask) { return __nvvm_shfl_sync_bfly_f32(0xFFFFFFFF, v, mask, 31); }
GPU int shuffle_xor(int v, int mask) { return __nvvm_shfl_sync_bfly_i32(0xFFFFFFFF, v, mask, 31); }
GPU float shuffle(float v, int lane) { return __nvvm_shfl_sync_idx_f32(0xFFFFFFFF, v, lane, 31); }

// Adds 1 to a counter, or sets it back to 0 where it was `last`, and gives what it was. Who counts sees what those before it had written; for a
// block: all of its threads write, block_barrier, one thread counts, block_barrier.
GPU unsigned count_arrival(unsigned* counter, unsigned last)
{
    unsigned before;
    asm volatile("atom.acq_rel.gpu.inc.u32 %0, [%1], %2;" : "=r"(before) : "l"(counter), "r"(last) : "memory");
    return before;
}

// ---- Asynchronous copies into shared memory (sm_80) -----------------------------------------------------------------------------------------

// Address in the shared window, as the instructions below want it.
typedef unsigned shared_address;
GPU shared_address shared_address_of(const void* p)
{
    u64 address;
    asm("cvta.to.shared.u64 %0, %1;" : "=l"(address) : "l"(p));
    return (unsigned)address;
}

// 16 bytes past the registers, or 16 zero bytes where `present` is false; both addresses aligned to 16.
GPU void copy_async16(shared_address target, const void* source, bool present)
{
    int bytes = present ? 16 : 0;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(target), "l"(source), "r"(bytes) : "memory");
}
GPU void copy_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }

// Waits until at most N groups of this thread are under way.
template <int N> GPU void copy_async_wait() { asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory"); }

// ---- Tensor cores (sm_80) -------------------------------------------------------------------------------------------------------------------

// Four 8x8 matrices of 2-byte elements: lane i gives the address of row i % 8 of matrix i / 8 and gets two elements of each matrix: of row
// lane / 4 columns 2 (lane % 4) and the next; transposed, of column lane / 4 the rows.
GPU void load_matrices(unsigned (&r)[4], shared_address row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(row) : "memory");
}
GPU void load_matrices_transposed(unsigned (&r)[4], shared_address row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(row) : "memory");
}

// c [16, 8] += a [16, 16] b [16, 8]: bf16 products, f32 sums. Lane l holds of c the rows l / 4 and l / 4 + 8 at columns 2 (l % 4) and the next.
GPU void multiply_accumulate(float (&c)[4], const unsigned (&a)[4], unsigned b0, unsigned b1)
{
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

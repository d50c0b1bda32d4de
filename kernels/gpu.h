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

// Dynamic shared memory of the launch. Tiles that wgmma reads begin at multiples of 1024 bytes.
#define SHARED_MEMORY(name) extern __shared__ __attribute__((aligned(1024))) unsigned char name[]

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
GPU float rounded_product(float a, float b) { return __nvvm_mul_rn_f(a, b); } // never a part of a fused_multiply_add, unlike a * b
GPU float square_root(float v) { return __builtin_sqrtf(v); }       // correctly rounded
GPU float inverse_square_root_approximate(float v) { return __nvvm_rsqrt_approx_f(v); } // 2^-22.9 relative
GPU float exp2_approximate(float v) { return __nvvm_ex2_approx_f(v); } // 2 ulp
GPU float log2_approximate(float v) { return __nvvm_lg2_approx_f(v); } // about 2^-22 absolute near 1
GPU unsigned multiply_high(unsigned a, unsigned b) { return (unsigned)(((u64)a * b) >> 32); }

// To the nearest integer, ties to the even one.
GPU int round_to_integer(float v)
{
    int result;
    asm("cvt.rni.s32.f32 %0, %1;" : "=r"(result) : "f"(v));
    return result;
}

// The larger and the smaller number; NaN where one of them is (sm_80).
GPU float maximum_or_nan(float a, float b)
{
    float result;
    asm("max.NaN.f32 %0, %1, %2;" : "=f"(result) : "f"(a), "f"(b));
    return result;
}
GPU float minimum_or_nan(float a, float b)
{
    float result;
    asm("min.NaN.f32 %0, %1, %2;" : "=f"(result) : "f"(a), "f"(b));
    return result;
}

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

// Adds to a counter in shared memory; the sum of integers does not depend on who comes first.
GPU void add_to_shared(unsigned* counter, unsigned v)
{
    asm volatile("red.shared.add.u32 [%0], %1;" ::"r"(shared_address_of(counter)), "r"(v) : "memory");
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

// ---- Tensor cores by warpgroups (sm_90a) ----------------------------------------------------------------------------------------------------
//
// A warpgroup is four warps, the first of which has a number divisible by 4. Its product runs on while the threads do; the sums may not be touched before
// warpgroup_wait.

// Orders what this thread wrote into shared memory, cp.async that it has waited for included, before the warpgroup products that come after the next barrier.
GPU void fence_for_warpgroup_operands() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }
GPU void warpgroup_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
GPU void warpgroup_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
template <int N> GPU void warpgroup_wait() { asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(N) : "memory"); }

// Lines of 128 bytes, 64 bf16 along k, placed as in tiles.h, the first at a multiple of 1024 bytes; advance moves 16 along k.
GPU u64 warpgroup_operand(shared_address lines) { return ((u64)(lines & 0x3FFFF) >> 4) | ((u64)1 << 16) | ((u64)(1024 >> 4) << 32) | ((u64)1 << 62); }
GPU u64 advance(u64 operand, int k) { return operand + ((k * 32) >> 4); }

// d [64, N] += a [64, 16] b [N, 16]^T: bf16 products, f32 sums. Warp w of the group holds rows 16 w to 16 w + 15 of a and d as multiply_accumulate does: 4 sums
// for every 8 columns.
GPU void warpgroup_multiply(float (&d)[32], const unsigned (&a)[4], u64 b)
{
    asm volatile("wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 "
                 "{%0, %1, %2, %3, %4, %5, %6, %7, "
                 "%8, %9, %10, %11, %12, %13, %14, %15, "
                 "%16, %17, %18, %19, %20, %21, %22, %23, "
                 "%24, %25, %26, %27, %28, %29, %30, %31}, "
                 "{%32, %33, %34, %35}, %36, 1, 1, 1, 0;"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]), "+f"(d[4]), "+f"(d[5]), "+f"(d[6]), "+f"(d[7]),
                   "+f"(d[8]), "+f"(d[9]), "+f"(d[10]), "+f"(d[11]), "+f"(d[12]), "+f"(d[13]), "+f"(d[14]), "+f"(d[15]),
                   "+f"(d[16]), "+f"(d[17]), "+f"(d[18]), "+f"(d[19]), "+f"(d[20]), "+f"(d[21]), "+f"(d[22]), "+f"(d[23]),
                   "+f"(d[24]), "+f"(d[25]), "+f"(d[26]), "+f"(d[27]), "+f"(d[28]), "+f"(d[29]), "+f"(d[30]), "+f"(d[31])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}
GPU void warpgroup_multiply(float (&d)[64], const unsigned (&a)[4], u64 b)
{
    asm volatile("wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 "
                 "{%0, %1, %2, %3, %4, %5, %6, %7, "
                 "%8, %9, %10, %11, %12, %13, %14, %15, "
                 "%16, %17, %18, %19, %20, %21, %22, %23, "
                 "%24, %25, %26, %27, %28, %29, %30, %31, "
                 "%32, %33, %34, %35, %36, %37, %38, %39, "
                 "%40, %41, %42, %43, %44, %45, %46, %47, "
                 "%48, %49, %50, %51, %52, %53, %54, %55, "
                 "%56, %57, %58, %59, %60, %61, %62, %63}, "
                 "{%64, %65, %66, %67}, %68, 1, 1, 1, 0;"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]), "+f"(d[4]), "+f"(d[5]), "+f"(d[6]), "+f"(d[7]),
                   "+f"(d[8]), "+f"(d[9]), "+f"(d[10]), "+f"(d[11]), "+f"(d[12]), "+f"(d[13]), "+f"(d[14]), "+f"(d[15]),
                   "+f"(d[16]), "+f"(d[17]), "+f"(d[18]), "+f"(d[19]), "+f"(d[20]), "+f"(d[21]), "+f"(d[22]), "+f"(d[23]),
                   "+f"(d[24]), "+f"(d[25]), "+f"(d[26]), "+f"(d[27]), "+f"(d[28]), "+f"(d[29]), "+f"(d[30]), "+f"(d[31]),
                   "+f"(d[32]), "+f"(d[33]), "+f"(d[34]), "+f"(d[35]), "+f"(d[36]), "+f"(d[37]), "+f"(d[38]), "+f"(d[39]),
                   "+f"(d[40]), "+f"(d[41]), "+f"(d[42]), "+f"(d[43]), "+f"(d[44]), "+f"(d[45]), "+f"(d[46]), "+f"(d[47]),
                   "+f"(d[48]), "+f"(d[49]), "+f"(d[50]), "+f"(d[51]), "+f"(d[52]), "+f"(d[53]), "+f"(d[54]), "+f"(d[55]),
                   "+f"(d[56]), "+f"(d[57]), "+f"(d[58]), "+f"(d[59]), "+f"(d[60]), "+f"(d[61]), "+f"(d[62]), "+f"(d[63])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}

// The second operand across k: lines of 128 bytes are positions along k, 64 rows each; 64 lines further on the next 64 rows. advance_across moves 16 along k.
GPU u64 warpgroup_operand_across(shared_address lines)
{
    return ((u64)(lines & 0x3FFFF) >> 4) | ((u64)(64 * 128 >> 4) << 16) | ((u64)(1024 >> 4) << 32) | ((u64)1 << 62);
}
GPU u64 advance_across(u64 operand, int k) { return operand + ((k * 16 * 128) >> 4); }

// d [64, 192] += a [64, 16] b [16, 192], b across k.
GPU void warpgroup_multiply_across(float (&d)[96], const unsigned (&a)[4], u64 b)
{
    asm volatile("wgmma.mma_async.sync.aligned.m64n192k16.f32.bf16.bf16 "
                 "{%0, %1, %2, %3, %4, %5, %6, %7, "
                 "%8, %9, %10, %11, %12, %13, %14, %15, "
                 "%16, %17, %18, %19, %20, %21, %22, %23, "
                 "%24, %25, %26, %27, %28, %29, %30, %31, "
                 "%32, %33, %34, %35, %36, %37, %38, %39, "
                 "%40, %41, %42, %43, %44, %45, %46, %47, "
                 "%48, %49, %50, %51, %52, %53, %54, %55, "
                 "%56, %57, %58, %59, %60, %61, %62, %63, "
                 "%64, %65, %66, %67, %68, %69, %70, %71, "
                 "%72, %73, %74, %75, %76, %77, %78, %79, "
                 "%80, %81, %82, %83, %84, %85, %86, %87, "
                 "%88, %89, %90, %91, %92, %93, %94, %95}, "
                 "{%96, %97, %98, %99}, %100, 1, 1, 1, 1;"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]), "+f"(d[4]), "+f"(d[5]), "+f"(d[6]), "+f"(d[7]),
                   "+f"(d[8]), "+f"(d[9]), "+f"(d[10]), "+f"(d[11]), "+f"(d[12]), "+f"(d[13]), "+f"(d[14]), "+f"(d[15]),
                   "+f"(d[16]), "+f"(d[17]), "+f"(d[18]), "+f"(d[19]), "+f"(d[20]), "+f"(d[21]), "+f"(d[22]), "+f"(d[23]),
                   "+f"(d[24]), "+f"(d[25]), "+f"(d[26]), "+f"(d[27]), "+f"(d[28]), "+f"(d[29]), "+f"(d[30]), "+f"(d[31]),
                   "+f"(d[32]), "+f"(d[33]), "+f"(d[34]), "+f"(d[35]), "+f"(d[36]), "+f"(d[37]), "+f"(d[38]), "+f"(d[39]),
                   "+f"(d[40]), "+f"(d[41]), "+f"(d[42]), "+f"(d[43]), "+f"(d[44]), "+f"(d[45]), "+f"(d[46]), "+f"(d[47]),
                   "+f"(d[48]), "+f"(d[49]), "+f"(d[50]), "+f"(d[51]), "+f"(d[52]), "+f"(d[53]), "+f"(d[54]), "+f"(d[55]),
                   "+f"(d[56]), "+f"(d[57]), "+f"(d[58]), "+f"(d[59]), "+f"(d[60]), "+f"(d[61]), "+f"(d[62]), "+f"(d[63]),
                   "+f"(d[64]), "+f"(d[65]), "+f"(d[66]), "+f"(d[67]), "+f"(d[68]), "+f"(d[69]), "+f"(d[70]), "+f"(d[71]),
                   "+f"(d[72]), "+f"(d[73]), "+f"(d[74]), "+f"(d[75]), "+f"(d[76]), "+f"(d[77]), "+f"(d[78]), "+f"(d[79]),
                   "+f"(d[80]), "+f"(d[81]), "+f"(d[82]), "+f"(d[83]), "+f"(d[84]), "+f"(d[85]), "+f"(d[86]), "+f"(d[87]),
                   "+f"(d[88]), "+f"(d[89]), "+f"(d[90]), "+f"(d[91]), "+f"(d[92]), "+f"(d[93]), "+f"(d[94]), "+f"(d[95])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}

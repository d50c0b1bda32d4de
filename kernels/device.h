// The one device header: what every kernel file includes. It holds the types that cross from C# (View, RandomStream), number types, and a
// function around every PTX instruction that a kernel uses, so that no kernel holds assembly. The same .cu file is compiled twice: by clang
// for a GPU (to PTX) and, with DOM_EMULATE defined, for the host's processor, where host/emulator.h stands in for the hardware.
#pragma once
#ifdef DOM_EMULATE
#include "host/emulator.h"
#else
#include "gpu.h"
#endif

#define DEVICE static __device__ __forceinline__
#define DEVICE_MEMBER __device__ __forceinline__

// ---- Kernels ------------------------------------------------------------------------------------------------------------------------------
//
// KERNEL(name, threads, parameters) { ... } defines an entry point for blocks of `threads` threads. Its first parameter is the kernel call, the
// record struct of the same name in src/Dom.Tensors/Ops, byte for byte; a second one, where there is one, is a plan of src/Dom.Kernels/Cuda.

#ifdef DOM_EMULATE
#define KERNEL(name, threads, ...)                     \
    extern "C" void name(__VA_ARGS__);                 \
    static emulator::Registration name##_entry(#name, &name); \
    extern "C" void name(__VA_ARGS__)
#define PARAM(T) const T
#else
#define KERNEL(name, threads, ...) extern "C" __global__ void __launch_bounds__(threads) name(__VA_ARGS__)
#define PARAM(T) const __grid_constant__ T
#endif

// In the place of `threads`: the compiler leaves registers for two blocks on a multiprocessor.
#define TWO_BLOCKS(threads) threads, 2

// ---- Types that cross from C# ---------------------------------------------------------------------------------------------------------------

enum DType : short { F32 = 0, BF16 = 1, F64 = 2, I32 = 3, U8 = 4 };

// Dom.Tensors.Backend.View: 16 bytes; address 0 stands for an argument that is not there.
struct View
{
    void* address;
    int length;
    DType type;
    short access;

    template <class T> __device__ T* as() const { return (T*)address; }
    __device__ bool is_none() const { return address == nullptr; }
};

// Dom.Tensors.RandomStream: 24 bytes.
struct RandomStream
{
    unsigned long long seed;
    unsigned purpose_and_epoch, step, sample;
};

// ---- Numbers --------------------------------------------------------------------------------------------------------------------------------

// bfloat16: the upper half of an f32. Storage only; all arithmetic is in f32.
struct bf16
{
    unsigned short bits;
};

DEVICE float to_float(float v) { return v; }
DEVICE float to_float(bf16 v) { return bits_to_float((unsigned)v.bits << 16); }

// To nearest, ties to even.
template <class T> __device__ __forceinline__ T from_float(float v);
template <> __device__ __forceinline__ float from_float<float>(float v) { return v; }
template <> __device__ __forceinline__ bf16 from_float<bf16>(float v) { return bf16{round_to_bf16(v)}; }

// 16 bytes of elements: what a thread moves with one instruction.
template <class T> struct alignas(16) Pack
{
    static constexpr int count = 16 / sizeof(T);
    T v[count];
};

DEVICE bool is_aligned16(const void* p) { return ((unsigned long long)p & 15) == 0; }

template <class T> DEVICE Pack<T> load_pack(const T* p) { return *(const Pack<T>*)p; }
template <class T> DEVICE void store_pack(T* p, const Pack<T>& pack) { *(Pack<T>*)p = pack; }

DEVICE int minimum_of(int a, int b) { return a < b ? a : b; }

// ---- Threads --------------------------------------------------------------------------------------------------------------------------------

DEVICE int lane_id() { return threadIdx.x & 31; }
DEVICE int warp_id() { return threadIdx.x >> 5; }

// Number of this thread, and of all threads, in a one-dimensional grid.
DEVICE long long global_thread() { return (long long)blockIdx.x * blockDim.x + threadIdx.x; }
DEVICE long long global_threads() { return (long long)gridDim.x * blockDim.x; }

// The sum over the 32 lanes, in every lane: a butterfly, so the order of the additions is fixed.
DEVICE float warp_sum(float v)
{
    for (int mask = 16; mask > 0; mask >>= 1)
        v += shuffle_xor(v, mask);
    return v;
}

DEVICE float warp_max(float v)
{
    for (int mask = 16; mask > 0; mask >>= 1)
        v = maximum(v, shuffle_xor(v, mask));
    return v;
}

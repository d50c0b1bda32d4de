// The host half of device.h: runs a kernel on the host's processor, one block after the other, every CUDA thread of a block as a fiber. Barriers and
// warp-wide instructions switch fibers. What it finds: wrong results, missing barriers, divergent barriers, writes outside the buffers (under
// AddressSanitizer). What it cannot: races within a warp, the order of asynchronous copies, bank conflicts, speed.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

typedef unsigned long long u64;

#define __host__
#define __device__
#define __global__
#define __constant__ static
#define __shared__ static thread_local
#define __launch_bounds__(...)
#define __forceinline__ inline __attribute__((always_inline))
#define __grid_constant__

struct uint3
{
    unsigned x, y, z;
};
struct dim3
{
    unsigned x = 1, y = 1, z = 1;
};

namespace emulator
{
constexpr int max_threads = 1024;

enum class State { runnable, at_block_barrier, at_warp_barrier, done };

struct Fiber
{
    void* stack_pointer;
    uint3 thread;
    State state;
    unsigned char* stack;
};

struct Block
{
    Fiber* fibers;
    int threads, current, left;
    void* main;
    uint3 block;
    dim3 block_size, grid_size;
    void (*body)(void*);
    void* argument;
    unsigned char* shared;
    int at_block_barrier;
    int at_warp_barrier[max_threads / 32], left_of_warp[max_threads / 32];
    u64 exchange[max_threads][8]; // what the lanes of a warp show each other
};

extern thread_local Block* block;
extern thread_local uint3 thread;

void block_barrier();
void warp_barrier();
[[noreturn]] void fail(const char* what);

inline int lane() { return block->current & 31; }
inline int warp_start() { return block->current & ~31; }

template <class T> inline T from_lane(T v, int source)
{
    static_assert(sizeof(T) <= 8);
    std::memcpy(block->exchange[block->current], &v, sizeof v);
    warp_barrier();
    T result;
    std::memcpy(&result, block->exchange[warp_start() + (source & 31)], sizeof result);
    warp_barrier();
    return result;
}

// A kernel by its name, and how to call it with the launch's array of pointers to arguments.
struct Registration
{
    const char* name;
    void (*kernel)();
    void (*call)(void (*)(), void**);
    Registration* next;
    static Registration* first;

    template <class... A> Registration(const char* name, void (*k)(A...))
        : name(name), kernel((void (*)())k), call([](void (*f)(), void** arguments) { unpack((void (*)(A...))f, arguments, std::index_sequence_for<A...>{}); })
    {
        next = first;
        first = this;
    }

    template <class... A, size_t... I> static void unpack(void (*k)(A...), void** arguments, std::index_sequence<I...>)
    {
        k(*(std::remove_reference_t<A>*)arguments[I]...);
    }
};
} // namespace emulator

#define threadIdx (emulator::thread)
#define blockIdx (emulator::block->block)
#define blockDim (emulator::block->block_size)
#define gridDim (emulator::block->grid_size)
#define SHARED_MEMORY(name) unsigned char* name = emulator::block->shared
#define GPU static inline

GPU float bits_to_float(unsigned bits) { return __builtin_bit_cast(float, bits); }
GPU unsigned float_to_bits(float v) { return __builtin_bit_cast(unsigned, v); }

GPU unsigned short round_to_bf16(float v)
{
    unsigned bits = float_to_bits(v);
    if (v != v)
        return 0x7FFF; // the NaN of the hardware
    return (unsigned short)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}
GPU unsigned round_to_bf16x2(float low, float high) { return round_to_bf16(low) | (unsigned)round_to_bf16(high) << 16; }

GPU float maximum(float a, float b) { return std::fmax(a, b); }
GPU float minimum(float a, float b) { return std::fmin(a, b); }
GPU float absolute(float v) { return std::fabs(v); }
GPU float floor_of(float v) { return std::floor(v); }
GPU float fused_multiply_add(float a, float b, float c) { return std::fma(a, b, c); }
GPU float rounded_product(float a, float b) { return a * b; } // compiled for processors that have no fused multiply-add
GPU int round_to_integer(float v) { return (int)std::nearbyint(v); }
GPU float square_root(float v) { return std::sqrt(v); }
GPU float inverse_square_root_approximate(float v) { return 1 / std::sqrt(v); }
GPU float exp2_approximate(float v) { return std::exp2(v); }
GPU float log2_approximate(float v) { return std::log2(v); }
GPU unsigned multiply_high(unsigned a, unsigned b) { return (unsigned)(((u64)a * b) >> 32); }
GPU float maximum_or_nan(float a, float b) { return a != a || b != b ? bits_to_float(0x7FFFFFFF) : std::fmax(a, b); }
GPU float minimum_or_nan(float a, float b) { return a != a || b != b ? bits_to_float(0x7FFFFFFF) : std::fmin(a, b); }

GPU void block_barrier() { emulator::block_barrier(); }
GPU void warp_barrier() { emulator::warp_barrier(); }
GPU float shuffle_xor(float v, int mask) { return emulator::from_lane(v, emulator::lane() ^ mask); }
GPU int shuffle_xor(int v, int mask) { return emulator::from_lane(v, emulator::lane() ^ mask); }
GPU float shuffle(float v, int lane) { return emulator::from_lane(v, lane); }

GPU unsigned count_arrival(unsigned* counter, unsigned last)
{
    unsigned before = *counter;
    *counter = before >= last ? 0 : before + 1;
    return before;
}

typedef uintptr_t shared_address;
GPU shared_address shared_address_of(const void* p) { return (shared_address)p; }

GPU void add_to_shared(unsigned* counter, unsigned v) { *counter += v; }

GPU void copy_async16(shared_address target, const void* source, bool present)
{
    if ((target | (uintptr_t)source) & 15)
        emulator::fail("cp.async: an address is not aligned to 16 bytes");
    if (present)
        std::memcpy((void*)target, source, 16);
    else
        std::memset((void*)target, 0, 16);
}
GPU void copy_async_commit() {}
template <int N> GPU void copy_async_wait() {}

namespace emulator
{
template <bool Transposed> inline void load_matrices(unsigned (&r)[4], shared_address row)
{
    if (row & 15)
        fail("ldmatrix: a row is not aligned to 16 bytes");
    int me = block->current, l = lane();
    block->exchange[me][0] = row;
    emulator::warp_barrier();
    for (int j = 0; j < 4; j++)
    {
        unsigned short pair[2];
        for (int i = 0; i < 2; i++)
        {
            int matrix_row = Transposed ? (l & 3) * 2 + i : l >> 2, column = Transposed ? l >> 2 : (l & 3) * 2 + i;
            std::memcpy(&pair[i], (char*)block->exchange[warp_start() + j * 8 + matrix_row][0] + column * 2, 2);
        }
        std::memcpy(&r[j], pair, 4);
    }
    emulator::warp_barrier();
}

inline float half_of(u64 pair, int i) { return __builtin_bit_cast(float, (unsigned)(pair >> (i * 16)) << 16); }
} // namespace emulator

GPU void load_matrices(unsigned (&r)[4], shared_address row) { emulator::load_matrices<false>(r, row); }
GPU void load_matrices_transposed(unsigned (&r)[4], shared_address row) { emulator::load_matrices<true>(r, row); }

GPU void multiply_accumulate(float (&c)[4], const unsigned (&a)[4], unsigned b0, unsigned b1)
{
    auto* shown = emulator::block->exchange;
    int me = emulator::block->current, w = emulator::warp_start(), l = emulator::lane();
    for (int i = 0; i < 4; i++)
        shown[me][i] = a[i];
    shown[me][4] = b0;
    shown[me][5] = b1;
    emulator::warp_barrier();
    for (int q = 0; q < 4; q++)
    {
        int row = (l >> 2) + (q >> 1) * 8, column = 2 * (l & 3) + (q & 1);
        float sum = c[q];
        for (int k = 0; k < 16; k++)
        {
            int pair = (k & 7) >> 1;
            u64 av = shown[w + (row & 7) * 4 + pair][(row >> 3) + (k >> 3) * 2], bv = shown[w + column * 4 + pair][4 + (k >> 3)];
            sum += emulator::half_of(av, k & 1) * emulator::half_of(bv, k & 1);
        }
        c[q] = sum;
    }
    emulator::warp_barrier();
}

GPU void fence_for_warpgroup_operands() {}
GPU void warpgroup_fence() {}
GPU void warpgroup_commit() {}
template <int N> GPU void warpgroup_wait() {}
GPU u64 warpgroup_operand(shared_address lines)
{
    if (lines & 1023)
        emulator::fail("wgmma: an operand does not begin at a multiple of 1024 bytes");
    return lines;
}
GPU u64 advance(u64 operand, int k) { return operand + k * 32; }

template <int Sums> GPU void warpgroup_multiply(float (&d)[Sums], const unsigned (&a)[4], u64 b)
{
    auto* shown = emulator::block->exchange;
    int me = emulator::block->current, l = emulator::lane();
    for (int i = 0; i < 4; i++)
        shown[me][i] = a[i];
    emulator::warp_barrier();
    for (int h = 0; h < 2; h++) // the row lane / 4, and 8 below it
        for (int n = 0; n < Sums * 2; n++)
        {
            if ((n & 7) >> 1 != (l & 3))
                continue;
            float& sum = d[n / 8 * 4 + h * 2 + (n & 1)];
            for (int k = 0; k < 16; k++)
            {
                u64 pair = shown[emulator::warp_start() + (l & ~3) + ((k & 7) >> 1)][h + (k >> 3) * 2];
                u64 at = b + n * 128 + k * 2;
                at ^= ((at >> 7) & 7) << 4;
                unsigned short v;
                std::memcpy(&v, (void*)at, 2);
                sum += emulator::half_of(pair, k & 1) * emulator::half_of(v, 0);
            }
        }
    emulator::warp_barrier();
}

GPU u64 warpgroup_operand_across(shared_address lines) { return warpgroup_operand(lines); }
GPU u64 advance_across(u64 operand, int k) { return operand + k * 16 * 128; }

template <int Sums> GPU void warpgroup_multiply_across(float (&d)[Sums], const unsigned (&a)[4], u64 b)
{
    auto* shown = emulator::block->exchange;
    int me = emulator::block->current, l = emulator::lane();
    for (int i = 0; i < 4; i++)
        shown[me][i] = a[i];
    emulator::warp_barrier();
    for (int h = 0; h < 2; h++)
        for (int n = 0; n < Sums * 2; n++)
        {
            if ((n & 7) >> 1 != (l & 3))
                continue;
            float& sum = d[n / 8 * 4 + h * 2 + (n & 1)];
            for (int k = 0; k < 16; k++)
            {
                u64 pair = shown[emulator::warp_start() + (l & ~3) + ((k & 7) >> 1)][h + (k >> 3) * 2];
                u64 at = b + n / 64 * (64 * 128) + k * 128 + n % 64 * 2;
                at ^= ((at >> 7) & 7) << 4;
                unsigned short v;
                std::memcpy(&v, (void*)at, 2);
                sum += emulator::half_of(pair, k & 1) * emulator::half_of(v, 0);
            }
        }
    emulator::warp_barrier();
}

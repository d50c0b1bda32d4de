// What kernel authors get wrong, and the same without the mistake: each kernel reverses every block of 64 numbers through shared memory.
#include "device.h"

struct Reversal
{
    View x, y;
};

KERNEL(reverse, 64, PARAM(Reversal) call)
{
    __shared__ float kept[64];
    kept[threadIdx.x] = call.x.as<float>()[threadIdx.x];
    block_barrier();
    call.y.as<float>()[threadIdx.x] = kept[63 - threadIdx.x];
}

KERNEL(reverse_without_barrier, 64, PARAM(Reversal) call)
{
    __shared__ float kept[64];
    kept[threadIdx.x] = call.x.as<float>()[threadIdx.x];
    call.y.as<float>()[threadIdx.x] = kept[63 - threadIdx.x];
}

// Half a warp waits for the block, the other half for the warp.
KERNEL(reverse_with_divergent_barrier, 64, PARAM(Reversal) call)
{
    __shared__ float kept[64];
    kept[threadIdx.x] = call.x.as<float>()[threadIdx.x];
    if (lane_id() < 16)
        block_barrier();
    else
        warp_barrier();
    call.y.as<float>()[threadIdx.x] = kept[63 - threadIdx.x];
}

KERNEL(reverse_past_the_end, 64, PARAM(Reversal) call)
{
    __shared__ float kept[64];
    kept[threadIdx.x] = call.x.as<float>()[threadIdx.x + 1];
    block_barrier();
    call.y.as<float>()[threadIdx.x] = kept[63 - threadIdx.x];
}

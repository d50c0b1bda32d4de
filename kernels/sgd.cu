// sgd: one step over the whole arena of parameters, whatever layer they belong to, in one launch.
//   g' = g + weight_decay p;  m = momentum_factor m + g';  p -= learning_rate (nesterov ? g' + momentum_factor m : m)
//
// One thread moves 16 bytes of each array. Bytes: p and m read and written, g read: 5 passes, 20 bytes a parameter in f32 (3 passes without
// momentum); bound by memory. Elements do not meet. Where elements are bf16 the arithmetic of a step is in f32 and only its results are rounded.
//
// The guard: where health is not 0 or a loss is not finite, nothing is written but health, which becomes 1. Every block looks at all losses by itself: a batch has
// some hundred, which come from the second-level cache (512 bytes a block with 128 of them), and a second launch would cost more. The first block writes health
// while others may not have read it yet. That is harmless: it writes only where health was not 0 or a loss is not finite. In the first case a block reads what
// was there or the 1, and neither is 0; in the second it sees the loss. So every block comes to the same decision, whichever value it reads.
#include "groups.h"

struct SgdStep
{
    View parameters, gradients, momentum, losses, health;
    float learning_rate, momentum_factor, weight_decay;
    int nesterov;
};

template <class T, bool with_momentum> DEVICE void step(const SgdStep& call)
{
    T *p = call.parameters.as<T>(), *m = call.momentum.as<T>();
    const T* g = call.gradients.as<T>();
    constexpr int count = Pack<T>::count;
    for_each_group<count>(call.parameters.length, is_aligned16(p) && is_aligned16(g) && is_aligned16(m), [&]<int N>(unsigned i)
    {
        auto parameters = load_group<N>(p + i);
        auto gradients = load_group<N>(g + i);
        Group<T, N> momentum;
        if (with_momentum)
            momentum = load_group<N>(m + i);
#pragma unroll
        for (int j = 0; j < N; j++)
        {
            float parameter = to_float(parameters.v[j]);
            float gradient = fused_multiply_add(call.weight_decay, parameter, to_float(gradients.v[j])), step = gradient;
            if (with_momentum)
            {
                float sum = fused_multiply_add(call.momentum_factor, to_float(momentum.v[j]), gradient);
                momentum.v[j] = from_float<T>(sum);
                step = call.nesterov ? fused_multiply_add(call.momentum_factor, sum, gradient) : sum;
            }
            parameters.v[j] = from_float<T>(fused_multiply_add(-call.learning_rate, step, parameter));
        }
        if (with_momentum)
            store_group(m + i, momentum);
        store_group(p + i, parameters);
    });
}

DEVICE bool is_finite(float v) { return (float_to_bits(v) & 0x7F800000) != 0x7F800000; }

// Whether the step may be made; the same in every thread of the grid.
DEVICE bool is_sound(const SgdStep& call)
{
    __shared__ int unsound;
    float* health = call.health.as<float>();
    const float* losses = call.losses.as<float>();
    if (threadIdx.x == 0)
        unsound = health != nullptr && health[0] != 0;
    block_barrier();
    int count = call.losses.is_none() ? 0 : call.losses.length;
    for (int i = threadIdx.x; i < count; i += blockDim.x)
        if (!is_finite(losses[i]))
            unsound = 1; // whoever writes writes the same
    block_barrier();
    if (unsound && health != nullptr && blockIdx.x == 0 && threadIdx.x == 0)
        health[0] = 1;
    return !unsound;
}

template <class T> DEVICE void sgd_step(const SgdStep& call)
{
    if (!is_sound(call))
        return;
    if (call.momentum.is_none())
        step<T, false>(call);
    else
        step<T, true>(call);
}

KERNEL(sgd_step_f32, 256, PARAM(SgdStep) call) { sgd_step<float>(call); }
KERNEL(sgd_step_bf16, 256, PARAM(SgdStep) call) { sgd_step<bf16>(call); }

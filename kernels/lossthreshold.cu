// lossthreshold: a threshold from the losses of a batch (a factor of their mean, or a quantile), and the mask of the losses above it.
//
// One block does it all: a batch has some hundred losses, and the launch is what costs. The mean: partial sums in f64 and a fixed tree over them. The
// quantile: a loss's place in ascending order is the number of losses before it, which its thread counts, ties in row order; exactly one row has each
// place, so the two that are asked for are written once each. N^2 / 256 comparisons a thread, 64 with 128 losses, 16,384 with 2,048.
#include "device.h"

struct LossThreshold
{
    View losses, keep, threshold;
    int rows, lower;
    float factor;
    int comparison;
};

constexpr int threads = 256;

// The block's sum of one number a thread, in every thread.
DEVICE double block_total(double v)
{
    __shared__ double sums[threads];
    sums[threadIdx.x] = v;
    for (int half = threads / 2; half > 0; half >>= 1)
    {
        block_barrier();
        if ((int)threadIdx.x < half)
            sums[threadIdx.x] += sums[threadIdx.x + half];
    }
    block_barrier();
    double total = sums[0];
    block_barrier();
    return total;
}

DEVICE int place_of(const float* losses, int rows, int n)
{
    float loss = losses[n];
    int before = 0;
    for (int m = 0; m < rows; m++)
        before += losses[m] < loss || (losses[m] == loss && m < n) ? 1 : 0;
    return before;
}

KERNEL(loss_threshold_f32, threads, PARAM(LossThreshold) call)
{
    __shared__ float neighbours[2];
    const float* losses = call.losses.as<float>();
    float* keep = call.keep.as<float>();
    int rows = call.rows;
    double sum = 0, not_numbers = 0;
    for (int n = threadIdx.x; n < rows; n += threads)
    {
        sum += losses[n];
        not_numbers += losses[n] != losses[n] ? 1 : 0;
    }
    float threshold;
    if (call.lower < 0)
        threshold = (float)(call.factor * (block_total(sum) / rows));
    else
    {
        bool are_numbers = block_total(not_numbers) == 0;
        if (threadIdx.x < 2)
            neighbours[threadIdx.x] = bits_to_float(0x7FFFFFFF);
        block_barrier();
        for (int n = threadIdx.x; n < rows && are_numbers; n += threads)
        {
            int place = place_of(losses, rows, n);
            if (place == call.lower || place == call.lower + 1)
                neighbours[place - call.lower] = losses[n];
        }
        block_barrier();
        float low = neighbours[0], high = neighbours[1];
        threshold = call.factor == 0 || call.lower + 1 == rows || high == low ? low : (float)(low + call.factor * ((double)high - low));
    }
    for (int n = threadIdx.x; n < rows; n += threads)
        keep[n] = (call.comparison == 1 ? losses[n] > threshold : losses[n] >= threshold) ? 1 : 0;
    if (threadIdx.x == 0)
        call.threshold.as<float>()[0] = threshold;
}

// What conv2d.cu and conv2d_hopper.cu share.
#pragma once
#include "tiles.h"

struct WeightGradientPlan
{
    const void *x, *dy;
    float* sums; // [splits, outputs, taps x inputs]
    int batch, height, width, inputs, outputs, output_height, output_width; // inputs and outputs multiples of a chunk
    int kernel_width, taps, stride, padding;
    int pixels_per_split; // a multiple of a step
};

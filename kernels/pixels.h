// Pixels as bytes and as numbers in 0..1.
#pragma once
#include "device.h"

// v / 255, correctly rounded: one step of correction behind the product with the rounded reciprocal gives the same f32 as the division for
// every byte, at a fraction of its instructions.
DEVICE float pixel_value(unsigned char v)
{
    const float reciprocal = 1.0f / 255;
    float quotient = (float)v * reciprocal;
    return fused_multiply_add(fused_multiply_add(-quotient, 255.0f, (float)v), reciprocal, quotient);
}

// The integer below v in 0..255; 0 for NaN.
DEVICE unsigned char truncate_to_byte(float v) { return v > 0 ? (unsigned char)(int)minimum(v, 255) : 0; }

// floor(255.999 v): torchvision's byte of a number in 0..1.
DEVICE unsigned char to_byte(float v) { return truncate_to_byte(v * 255.999f); }

// exp, log and 1 / sqrt for kernels: there is no library behind them. The polynomials are minimax fits of this project; the errors are against f64,
// over all f32 arguments, subnormal results apart.
#pragma once
#include "device.h"

// e^x, within 1.1 ulp: x = n ln 2 + r with |r| <= ln 2 / 2, and a polynomial for e^r. 0 below -104, infinity above 88.8, NaN for NaN.
DEVICE float exp_of(float x)
{
    constexpr float to_integer = 12582912; // 1.5 2^23: a sum with it is rounded to an integer, which its low bits hold
    float clamped = minimum(maximum(x, -104), 89);
    float shifted = fused_multiply_add(clamped, 1.44269504f, to_integer), n = shifted - to_integer;
    float r = fused_multiply_add(n, -0.693145751953125f, clamped); // exact: this part of ln 2 has 15 bits
    r = fused_multiply_add(n, -1.42860682e-6f, r);
    float q = fused_multiply_add(r, 1.38145986e-3f, 8.36871688e-3f);
    q = fused_multiply_add(q, r, 4.16683880e-2f);
    q = fused_multiply_add(q, r, 0.166665206f);
    q = fused_multiply_add(q, r, 0.499999934f);
    float result = 1 + fused_multiply_add(r * r, q, r);
    int power = (int)(float_to_bits(shifted) - float_to_bits(to_integer)), half = power >> 1; // 2^power may be no normal number: in two steps
    result = result * bits_to_float((unsigned)(half + 127) << 23) * bits_to_float((unsigned)(power - half + 127) << 23);
    return x != x ? x : result;
}

// log(1 + x) for x >= 0, within 1 ulp also where x is tiny: what 1 + x rounds away comes back as a correction. NaN and infinity stay.
DEVICE float log1p_of(float x)
{
    float u = 1 + x, larger = maximum(x, 1), lost = minimum(x, 1) - (u - larger);
    // u = 2^n (1 + f) with 1 + f between sqrt(1/2) and sqrt(2).
    int n = (int)(float_to_bits(u) - 0x3F3504F3) >> 23;
    float f = bits_to_float(float_to_bits(u) - ((unsigned)n << 23)) - 1, power = (float)n;
    float p = fused_multiply_add(f, -7.63449997e-2f, 0.127615784f);
    p = fused_multiply_add(p, f, -0.131601817f);
    p = fused_multiply_add(p, f, 0.142017578f);
    p = fused_multiply_add(p, f, -0.166233574f);
    p = fused_multiply_add(p, f, 0.200012269f);
    p = fused_multiply_add(p, f, -0.250008210f);
    p = fused_multiply_add(p, f, 0.333333317f);
    float tail = fused_multiply_add(f * f, fused_multiply_add(f, p, -0.5f), lost / u);
    tail = fused_multiply_add(power, 1.42860682e-6f, tail);
    float result = fused_multiply_add(power, 0.693145751953125f, f + tail);
    return x - x != 0 ? x : result;
}

// 1 / sqrt(x) for x > 0, within 1 ulp: a step of Newton's method after the hardware's approximation. In place of a root and a division: every thread of
// a normalization does this for each of its channels before its first row.
DEVICE float inverse_square_root(float x)
{
    float r = inverse_square_root_approximate(x);
    return fused_multiply_add(0.5f * r, fused_multiply_add(-x * r, r, 1), r);
}

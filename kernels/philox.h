// Random numbers as src/Dom.Tensors/Philox.cs defines them: Philox4x32-10 (Salmon et al., SC 2011) with key = seed and counter = (number / 4, sample,
// step, purpose and epoch). Words, uniform numbers and integers have the same bits on every backend.
#pragma once
#include "device.h"

// Words 4 block .. 4 block + 3 of a stream.
struct RandomBlock
{
    unsigned words[4];
};

DEVICE RandomBlock random_block(const RandomStream& stream, int sample, unsigned block)
{
    const unsigned multiplier_a = 0xD2511F53, multiplier_b = 0xCD9E8D57;
    unsigned c0 = block, c1 = (unsigned)sample, c2 = stream.step, c3 = stream.purpose_and_epoch;
    unsigned k0 = (unsigned)stream.seed, k1 = (unsigned)(stream.seed >> 32);
#pragma unroll
    for (int round = 0; round < 10; round++)
    {
        unsigned high_a = multiply_high(multiplier_a, c0), low_a = multiplier_a * c0;
        unsigned high_b = multiply_high(multiplier_b, c2), low_b = multiplier_b * c2;
        c0 = high_b ^ c1 ^ k0;
        c1 = low_b;
        c2 = high_a ^ c3 ^ k1;
        c3 = low_a;
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    return {{c0, c1, c2, c3}};
}

// In [0, 1): the upper 24 bits of the word.
DEVICE float to_uniform(unsigned word) { return (float)(word >> 8) * (1.0f / 16777216.0f); }

// In 0 .. count - 1.
DEVICE int to_below(unsigned word, int count) { return (int)multiply_high(word, (unsigned)count); }

// ln v for a normal v > 0, relative error below 2^-50 (measured at 2 10^7 arguments, as the bound below):
// ln((1 + s) / (1 - s)) = 2 (s + s^3 / 3 + s^5 / 5 + ...) with |s| < 0.172.
DEVICE double logarithm(double v)
{
    const long long root_of_half = 0x3FE6A09E667F3BCD;
    long long bits = __builtin_bit_cast(long long, v), k = (bits - root_of_half) >> 52;
    double f = __builtin_bit_cast(double, bits - (k << 52)), s = (f - 1) / (f + 1), z = s * s;
    double q = 1.0 / 19;
#pragma unroll
    for (int denominator = 17; denominator >= 3; denominator -= 2)
        q = q * z + 1.0 / denominator;
    return (double)k * 0.69314718055994530942 + 2 * (s + s * z * q);
}

// cos(2 pi turn / 2^32), absolute error below 2^-50: Taylor's polynomial of the cosine or the sine within an eighth of a turn of the nearest
// quarter, which is found in integers and therefore exactly.
DEVICE double cosine_of_turn(unsigned turn)
{
    unsigned quarter = (turn + (1u << 29)) >> 30;
    double a = (double)(int)(turn - (quarter << 30)) * (6.283185307179586477 / 4294967296.0), z = a * a;
    double cosine = 1, sine = 1;
#pragma unroll
    for (int i = 16; i >= 2; i -= 2)
    {
        cosine = 1 - cosine * z * (1.0 / (i * (i - 1)));
        sine = 1 - sine * z * (1.0 / (i * (i + 1)));
    }
    double value = quarter & 1 ? a * sine : cosine;
    return quarter == 1 || quarter == 2 ? -value : value;
}

// Standard normal, Box and Muller's method in f64 like the definition: a word next to 2^32 keeps all its digits. The definition's f32 came out at
// each of 3 10^7 random pairs of words; at an exact quarter of a turn it is 0 here and 10^-16 there.
DEVICE float to_normal(unsigned first, unsigned second)
{
    double radius = __builtin_sqrt(-2 * logarithm(((double)first + 1) * (1.0 / 4294967296.0)));
    return (float)(radius * cosine_of_turn(second));
}

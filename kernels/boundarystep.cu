// boundary step: an iteration of FAB. Two projections onto a hyperplane inside a box, from x and from the clean image, and a mix of both:
//   y = clamp((1 - q)(x + overshoot d1) + q (clean + overshoot d2), low, high), see src/Dom.Tensors/Ops/BoundaryStep.cs
//
// One block a row. A projection needs the lambda with sum |w_i| min(lambda, room_i) = target: Newton's method from 0 on that concave, piecewise linear function,
// both projections in the same walk over the row. A walk reads 12 bytes an element, from the first-level cache after the first; there are three to seven, and a pass
// through the network beside them is a thousand times as long.
// Sums are in f64: a thread adds the elements that are its own in order, then a tree over the 256 threads. The order depends on the length of the row only.
#include "device.h"

struct FabStep
{
    View clean, x, gradient, differences, y, distances;
    int rows, row_length;
    float overshoot, maximum_pull, low, high;
};

constexpr int threads = 256;

// The sums of N numbers over the threads of a block, in every thread.
template <int N> DEVICE void block_sums(double (&v)[N])
{
    __shared__ double partial[N][threads];
#pragma unroll
    for (int k = 0; k < N; k++)
        partial[k][threadIdx.x] = v[k];
    block_barrier();
#pragma unroll
    for (unsigned half = threads / 2; half > 0; half /= 2)
    {
        if (threadIdx.x < half)
        {
#pragma unroll
            for (int k = 0; k < N; k++)
                partial[k][threadIdx.x] += partial[k][threadIdx.x + half];
        }
        block_barrier();
    }
#pragma unroll
    for (int k = 0; k < N; k++)
        v[k] = partial[k][0];
    block_barrier(); // before the next sums overwrite them
}

// The largest of the threads' numbers, 0 or above, in every thread.
DEVICE float block_max(float v)
{
    __shared__ float partial[threads / 32];
    v = warp_max(v);
    if (lane_id() == 0)
        partial[warp_id()] = v;
    block_barrier();
    float largest = 0;
#pragma unroll
    for (int k = 0; k < threads / 32; k++)
        largest = maximum(largest, partial[k]);
    block_barrier();
    return largest;
}

DEVICE bool is_finite(double v) { return v - v == 0; }
DEVICE double magnitude(double v) { return v < 0 ? -v : v; }

// A step from p that takes <w, p> down by `residual`, or up where that is negative.
struct Projection
{
    double residual, lambda, active; // active: how many coordinates have room beyond lambda

    // Whether a coordinate goes up; where w is 0 it goes nowhere.
    DEVICE_MEMBER bool rises(float w) const { return residual >= 0 ? w < 0 : w > 0; }
    DEVICE_MEMBER double room(float p, float w, const FabStep& call) const { return rises(w) ? (double)call.high - (double)p : (double)p - (double)call.low; }
    DEVICE_MEMBER double step(float p, float w, const FabStep& call) const
    {
        double c = room(p, w, call), length = c < lambda ? c : lambda;
        return w != 0 ? rises(w) ? length : -length : 0;
    }

    // Adds what a coordinate contributes to f at lambda: slope, value of those that have run into the box, and number of those that have not.
    DEVICE_MEMBER void add(double (&sums)[6], int first, float p, float w, const FabStep& call) const
    {
        double c = room(p, w, call), weight = magnitude((double)w);
        bool is_active = w != 0 && c > lambda;
        sums[first] += is_active ? weight : 0;
        sums[first + 1] += is_active ? 0 : weight * c;
        sums[first + 2] += is_active ? 1 : 0;
    }

    // Newton's next iterate; whether it is another one.
    DEVICE_MEMBER bool advance(const double (&sums)[6], int first)
    {
        if (sums[first + 2] == active)
            return false;
        active = sums[first + 2];
        double next = active == 0 ? (double)__builtin_inff() : (magnitude(residual) - sums[first + 1]) / sums[first];
        lambda = next > lambda ? next : lambda; // rounding may not lead it back
        return active > 0;
    }
};

DEVICE void solve(Projection& from_x, Projection& from_clean, const float* x, const float* clean, const float* w, const FabStep& call)
{
    bool goes_on = true;
    while (goes_on)
    {
        double sums[6] = {};
        for (int i = threadIdx.x; i < call.row_length; i += threads)
        {
            from_x.add(sums, 0, x[i], w[i], call);
            from_clean.add(sums, 3, clean[i], w[i], call);
        }
        block_sums(sums);
        bool x_goes_on = from_x.advance(sums, 0), clean_goes_on = from_clean.advance(sums, 3);
        goes_on = x_goes_on || clean_goes_on; // the same in every thread
    }
}

DEVICE double at_least(double v, double floor) { return v < floor ? floor : v; }

DEVICE float mixed(float c, float x, float w, const Projection& from_x, const Projection& from_clean, double pull, const FabStep& call)
{
    double overshoot = call.overshoot;
    double moved = (1 - pull) * ((double)x + overshoot * from_x.step(x, w, call)) + pull * ((double)c + overshoot * from_clean.step(c, w, call));
    return minimum(maximum((float)moved, call.low), call.high);
}

DEVICE void fab_row(const float* clean, const float* x, const float* w, float difference, float* y, float* distance, const FabStep& call)
{
    double inner[1] = {};
    for (int i = threadIdx.x; i < call.row_length; i += threads)
        inner[0] += (double)w[i] * ((double)clean[i] - (double)x[i]);
    block_sums(inner);
    Projection from_x{difference, 0, -1}, from_clean{difference + inner[0], 0, -1};
    bool moves = is_finite(from_x.residual) && is_finite(from_clean.residual);
    double pull = 0;
    if (moves)
    {
        solve(from_x, from_clean, x, clean, w, call);
        float largest = 0, largest_of_clean = 0;
        for (int i = threadIdx.x; i < call.row_length; i += threads)
        {
            largest = maximum(largest, (float)magnitude(from_x.step(x[i], w[i], call)));
            largest_of_clean = maximum(largest_of_clean, (float)magnitude(from_clean.step(clean[i], w[i], call)));
        }
        double norm = at_least(block_max(largest), 1e-8), norm_of_clean = at_least(block_max(largest_of_clean), 1e-8);
        pull = norm / (norm + norm_of_clean);
        pull = pull > call.maximum_pull ? call.maximum_pull : pull;
    }
    float farthest = 0;
    for (int i = threadIdx.x; i < call.row_length; i += threads)
    {
        float v = moves ? mixed(clean[i], x[i], w[i], from_x, from_clean, pull, call) : x[i];
        y[i] = v;
        farthest = maximum(farthest, absolute(v - clean[i]));
    }
    farthest = block_max(farthest);
    if (threadIdx.x == 0)
        *distance = farthest;
}

KERNEL(fab_step_f32, 256, PARAM(FabStep) call)
{
    for (int n = blockIdx.x; n < call.rows; n += gridDim.x)
    {
        long long at = (long long)n * call.row_length;
        fab_row(call.clean.as<float>() + at, call.x.as<float>() + at, call.gradient.as<float>() + at, call.differences.as<float>()[n], call.y.as<float>() + at,
                call.distances.as<float>() + n, call);
    }
}

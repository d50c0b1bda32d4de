// logit loss: losses of attacks that are functions of the four largest logits of a row, of the label's and of a target's; with gradient and prediction.
//
// One warp a row. The largest logits are found one after the other, each as the first behind the one before in the order "larger, then of a lower
// class": up to four walks over a row that is in the first-level cache, with a butterfly after each. Maxima of numbers depend on no order, so the bits are
// the same in every run. Bytes: logits read, dlogits written once; with ten classes the launch is what costs.
#include "device.h"

struct LogitLossStep
{
    View logits, labels, targets, losses, predictions, dlogits;
    int rows, classes, kind;
};

enum Kind { margin = 0, difference = 1, dlr = 2, targeted_dlr = 3 };

constexpr int row_threads = 128, rows_per_block = row_threads / 32;

// A class with its logit, and whether it comes before another in the order of a row.
struct Ranked
{
    float z;
    int c;

    DEVICE_MEMBER bool is_before(const Ranked& other) const { return z > other.z || (z == other.z && c < other.c); }
};

// The first class behind `last`; in every lane.
template <class T> DEVICE Ranked next_behind(const T* logits, int classes, Ranked last)
{
    Ranked best{-__builtin_inff(), classes};
    for (int c = lane_id(); c < classes; c += 32)
    {
        Ranked candidate{to_float(logits[c]), c};
        if (last.is_before(candidate) && candidate.is_before(best))
            best = candidate;
    }
    for (int mask = 16; mask > 0; mask >>= 1)
    {
        Ranked other{shuffle_xor(best.z, mask), shuffle_xor(best.c, mask)};
        if (other.is_before(best))
            best = other;
    }
    return best;
}

template <class T> DEVICE bool has_nan(const T* logits, int classes)
{
    float found = 0;
    for (int c = lane_id(); c < classes; c += 32)
    {
        float z = to_float(logits[c]);
        found += z != z ? 1 : 0;
    }
    return warp_sum(found) > 0;
}

// What goes into the gradient of class c: +-1 over the spread for label and other, and the slope for the largest, the third and the fourth.
struct LossParts
{
    float loss, of_label, of_other, slope;
    int other, first, third, fourth;

    DEVICE_MEMBER float gradient(int c, int label) const
    {
        float g = 0;
        g += c == label ? of_label : 0;
        g += c == other ? of_other : 0;
        g += c == first ? slope : 0;
        g -= c == third ? 0.5f * slope : 0;
        g -= c == fourth ? 0.5f * slope : 0;
        return g;
    }
};

template <class T> DEVICE LossParts parts_of_row(const T* z, const LogitLossStep& call, Ranked first, int label, int target)
{
    LossParts parts{0, 0, 0, 0, target, -1, -1, -1};
    Ranked second = next_behind(z, call.classes, first);
    if (call.kind == margin || call.kind == dlr)
        parts.other = first.c == label ? second.c : first.c;
    float between = to_float(z[label]) - to_float(z[parts.other]);
    if (call.kind == margin || call.kind == difference)
    {
        float sign = call.kind == margin ? 1 : -1;
        parts.loss = sign * between;
        parts.of_label = sign;
        parts.of_other = -sign;
        return parts;
    }
    Ranked third = next_behind(z, call.classes, second), fourth = call.kind == dlr ? third : next_behind(z, call.classes, third);
    // Half the sum of two differences: both are exact or nearly so, where the mean of the third and the fourth would be rounded first.
    float spread = 0.5f * ((first.z - third.z) + (first.z - fourth.z)) + 1e-12f, inverse = 1 / spread;
    parts.loss = -between / spread;
    parts.of_label = -inverse;
    parts.of_other = inverse;
    parts.slope = between * inverse * inverse;
    parts.first = first.c;
    parts.third = third.c;
    parts.fourth = fourth.c;
    return parts;
}

template <class T> DEVICE void logit_loss(const LogitLossStep& call)
{
    int n = blockIdx.x * rows_per_block + warp_id();
    if (n >= call.rows)
        return;
    long long start = (long long)n * call.classes;
    const T* z = call.logits.as<T>() + start;
    int label = call.labels.as<int>()[n], target = call.targets.is_none() ? label : call.targets.as<int>()[n], prediction = -1;
    LossParts parts{bits_to_float(0x7FFFFFFF), 0, 0, 0, -1, -1, -1, -1};
    if (!has_nan(z, call.classes))
    {
        Ranked first = next_behind(z, call.classes, Ranked{__builtin_inff(), -1});
        prediction = first.c;
        parts = parts_of_row(z, call, first, label, target);
    }
    if (lane_id() == 0)
    {
        call.losses.as<float>()[n] = parts.loss;
        if (!call.predictions.is_none())
            call.predictions.as<int>()[n] = prediction;
    }
    if (call.dlogits.is_none())
        return;
    T* dz = call.dlogits.as<T>() + start;
    for (int c = lane_id(); c < call.classes; c += 32)
        dz[c] = from_float<T>(parts.gradient(c, label));
}

KERNEL(logit_loss_f32, row_threads, PARAM(LogitLossStep) call) { logit_loss<float>(call); }
KERNEL(logit_loss_bf16, row_threads, PARAM(LogitLossStep) call) { logit_loss<bf16>(call); }

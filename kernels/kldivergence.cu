// kldivergence: KL(p || q) of the softmaxes of two rows of logits, times a scale, and its gradients with respect to both rows of logits.
//
// One warp a row, as the cross-entropy: the lanes share out the classes and butterflies add, so every sum has one order. The terms p (log p - log q) cancel
// where the rows are close, as at the start of an attack; they are formed from differences of logits, (p_c - q_c) - (log sum p - log sum q), which keeps
// the digits that two logarithms would lose.
#include "math.h"

struct KlDivergenceForward
{
    View p, q, losses;
    int rows, classes;
    float scale;
};
struct KlDivergenceBackward
{
    View p, q, dlosses, dp, dq;
    int rows, classes;
    float scale;
};

constexpr int row_threads = 128, rows_per_block = row_threads / 32;
constexpr float infinity = __builtin_inff();

// The largest logit of a row and log(sum exp(z - largest)), the same in each lane.
struct Softmax
{
    float largest, sum, log_sum;

    template <class T> DEVICE_MEMBER float shifted(const T* logits, int c) const { return to_float(logits[c]) - largest; }
    DEVICE_MEMBER float probability(float shifted_logit) const { return exp_of(shifted_logit) / sum; }
};

template <class T> DEVICE Softmax softmax_of(const T* logits, int classes)
{
    Softmax row{-infinity, 0, 0};
    for (int c = lane_id(); c < classes; c += 32)
        row.largest = maximum(row.largest, to_float(logits[c]));
    row.largest = warp_max(row.largest);
    for (int c = lane_id(); c < classes; c += 32)
        row.sum += exp_of(row.shifted(logits, c));
    row.sum = warp_sum(row.sum);
    row.log_sum = log1p_of(row.sum - 1); // the largest contributes 1
    return row;
}

// log p - log q of a class.
template <class T> DEVICE float log_ratio(const T* p, const T* q, int c, const Softmax& of_p, const Softmax& of_q)
{
    return (of_p.shifted(p, c) - of_q.shifted(q, c)) - (of_p.log_sum - of_q.log_sum);
}

template <class T> DEVICE float divergence_of(const T* p, const T* q, int classes, const Softmax& of_p, const Softmax& of_q)
{
    float sum = 0;
    for (int c = lane_id(); c < classes; c += 32)
    {
        float probability = of_p.probability(of_p.shifted(p, c));
        sum += probability == 0 ? 0 : probability * log_ratio(p, q, c, of_p, of_q);
    }
    return warp_sum(sum);
}

template <class T> DEVICE void forward(const KlDivergenceForward& call)
{
    int n = blockIdx.x * rows_per_block + warp_id();
    if (n >= call.rows)
        return;
    long long start = (long long)n * call.classes;
    const T *p = call.p.as<T>() + start, *q = call.q.as<T>() + start;
    auto of_p = softmax_of(p, call.classes), of_q = softmax_of(q, call.classes);
    float divergence = divergence_of(p, q, call.classes, of_p, of_q);
    if (lane_id() == 0)
        call.losses.as<float>()[n] = call.scale * divergence;
}

template <class T> DEVICE void backward(const KlDivergenceBackward& call)
{
    int n = blockIdx.x * rows_per_block + warp_id();
    if (n >= call.rows)
        return;
    long long start = (long long)n * call.classes;
    const T *p = call.p.as<T>() + start, *q = call.q.as<T>() + start;
    T *dp = call.dp.as<T>() + start, *dq = call.dq.as<T>() + start;
    float weight = call.scale * call.dlosses.as<float>()[n];
    auto of_p = softmax_of(p, call.classes), of_q = softmax_of(q, call.classes);
    float divergence = divergence_of(p, q, call.classes, of_p, of_q);
    for (int c = lane_id(); c < call.classes; c += 32)
    {
        float probability = of_p.probability(of_p.shifted(p, c));
        // A row without weight is zero also where it holds a NaN: a removed sample moves nothing.
        if (!call.dp.is_none())
            dp[c] = from_float<T>(weight == 0 || probability == 0 ? 0 : weight * probability * (log_ratio(p, q, c, of_p, of_q) - divergence));
        if (!call.dq.is_none())
            dq[c] = from_float<T>(weight == 0 ? 0 : weight * (of_q.probability(of_q.shifted(q, c)) - probability));
    }
}

KERNEL(kl_divergence_forward_f32, row_threads, PARAM(KlDivergenceForward) call) { forward<float>(call); }
KERNEL(kl_divergence_forward_bf16, row_threads, PARAM(KlDivergenceForward) call) { forward<bf16>(call); }
KERNEL(kl_divergence_backward_f32, row_threads, PARAM(KlDivergenceBackward) call) { backward<float>(call); }
KERNEL(kl_divergence_backward_bf16, row_threads, PARAM(KlDivergenceBackward) call) { backward<bf16>(call); }

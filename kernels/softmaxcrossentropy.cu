// Softmax cross-entropy: the losses, their gradient, and the training step that does both and writes mask and ledger.
//
// Bytes: logits are read and dlogits written once (a row is read three times, but from the first-level cache); with ten classes all of it is a few
// hundred kilobytes, and the launch is what costs. One warp a row: the lanes share out the classes, butterflies add, so every sum has one order.
// Accumulation in f32, the label's exponential apart from the others': log1p of the others keeps the digits of a loss of 1e-9.
//
// A divisor that is the sum of the kept weights needs all losses first: a second launch, of which every block takes the sum by itself.
#include "math.h"

struct SoftmaxCrossEntropyStep
{
    View logits, labels, sample_ids, weights, losses, keep, dlogits, ledger;
    int rows, classes;
    float threshold;
    int comparison;
    float divisor;
};

constexpr int row_threads = 128, rows_per_block = row_threads / 32;
constexpr float infinity = __builtin_inff();

// What the lanes of a warp know of a row, the same in each.
struct RowSums
{
    float own_logit, largest_other, largest, own, others, squares; // own, others: exp(z - largest) of the label, and added over the other classes
    int first_other;                                               // the first of the largest other classes
};

DEVICE bool is_kept(float loss, const SoftmaxCrossEntropyStep& call)
{
    return call.comparison == 1 ? loss > call.threshold : call.comparison == 2 ? loss >= call.threshold : true;
}

DEVICE float weight_of(float loss, int n, const SoftmaxCrossEntropyStep& call)
{
    return !is_kept(loss, call) ? 0 : call.weights.is_none() ? 1 : call.weights.as<float>()[n];
}

template <class T> DEVICE RowSums sums_of_row(const T* logits, int classes, int label)
{
    RowSums row{to_float(logits[label]), -infinity, 0, 0, 0, 0, classes};
    for (int c = lane_id(); c < classes; c += 32)
    {
        float z = to_float(logits[c]);
        if (c != label && z > row.largest_other)
        {
            row.largest_other = z;
            row.first_other = c;
        }
    }
    for (int mask = 16; mask > 0; mask >>= 1)
    {
        float z = shuffle_xor(row.largest_other, mask);
        int c = shuffle_xor(row.first_other, mask);
        if (z > row.largest_other || (z == row.largest_other && c < row.first_other))
        {
            row.largest_other = z;
            row.first_other = c;
        }
    }
    row.largest = maximum(row.largest_other, row.own_logit);
    for (int c = lane_id(); c < classes; c += 32)
    {
        float e = c == label ? 0 : exp_of(to_float(logits[c]) - row.largest);
        row.others += e;
        row.squares = fused_multiply_add(e, e, row.squares);
    }
    row.others = warp_sum(row.others);
    row.squares = warp_sum(row.squares);
    row.own = exp_of(row.own_logit - row.largest);
    return row;
}

// log(own + others) + largest - own_logit. One of the exponentials is 1: what is beside it goes into log1p.
DEVICE float loss_of(const RowSums& row)
{
    float beside = row.own_logit == row.largest ? row.others : (row.others - 1) + row.own;
    return log1p_of(beside) + (row.largest - row.own_logit);
}

DEVICE void write_ledger_row(float* ledger, const RowSums& row, float loss, int label)
{
    bool is_number = loss == loss;
    float sum = row.own + row.others, not_a_number = bits_to_float(0x7FFFFFFF);
    int prediction = !is_number ? -1
        : row.own_logit > row.largest_other || (row.own_logit == row.largest_other && label < row.first_other) ? label
        : row.first_other;
    ledger[0] = loss;
    ledger[1] = is_number ? row.own / sum : not_a_number;
    ledger[2] = is_number ? row.own_logit - row.largest_other : not_a_number;
    ledger[3] = is_number ? square_root(fused_multiply_add(row.others, row.others, row.squares)) / sum : not_a_number;
    ledger[4] = prediction == label ? 1 : 0;
    ledger[5] = (float)prediction;
}

// weight (softmax - onehot); softmax - 1 of the label is -others / sum, without the cancellation. All zero where the weight is, also in a row with NaN.
template <class T> DEVICE void write_gradient(T* dlogits, const T* logits, int classes, int label, const RowSums& row, float weight)
{
    float scale = weight / (row.own + row.others);
    for (int c = lane_id(); c < classes; c += 32)
    {
        float error = c == label ? -row.others : exp_of(to_float(logits[c]) - row.largest);
        dlogits[c] = from_float<T>(weight == 0 ? 0 : error * scale);
    }
}

template <class T> DEVICE void step(const SoftmaxCrossEntropyStep& call)
{
    int n = blockIdx.x * rows_per_block + warp_id();
    if (n >= call.rows)
        return;
    int label = call.labels.as<int>()[n];
    long long start = (long long)n * call.classes;
    auto row = sums_of_row(call.logits.as<T>() + start, call.classes, label);
    float loss = loss_of(row);
    if (lane_id() == 0)
    {
        if (!call.losses.is_none())
            call.losses.as<float>()[n] = loss;
        if (!call.keep.is_none())
            call.keep.as<float>()[n] = is_kept(loss, call) ? 1 : 0;
        if (!call.ledger.is_none())
            write_ledger_row(call.ledger.as<float>() + 6LL * call.sample_ids.as<int>()[n], row, loss, label);
    }
    if (!call.dlogits.is_none() && call.divisor > 0)
        write_gradient(call.dlogits.as<T>() + start, call.logits.as<T>() + start, call.classes, label, row, weight_of(loss, n, call) / call.divisor);
}

// The sum of the weights of the kept rows: 128 partial sums and a tree over them, in f64, where sums of some thousand f32 have digits to spare: rounded
// to f32 it is the sum in row order.
DEVICE float kept_weight(const SoftmaxCrossEntropyStep& call)
{
    __shared__ double sums[row_threads];
    double sum = 0;
    for (int n = threadIdx.x; n < call.rows; n += row_threads)
        sum += weight_of(call.losses.as<float>()[n], n, call);
    sums[threadIdx.x] = sum;
    for (int half = row_threads / 2; half > 0; half >>= 1)
    {
        block_barrier();
        if ((int)threadIdx.x < half)
            sums[threadIdx.x] += sums[threadIdx.x + half];
    }
    block_barrier();
    return (float)sums[0];
}

// The gradient alone, divided by the sum of the kept weights; the losses are those that `step` stored.
template <class T> DEVICE void gradient_over_kept(const SoftmaxCrossEntropyStep& call)
{
    float divisor = kept_weight(call);
    int n = blockIdx.x * rows_per_block + warp_id();
    if (n >= call.rows)
        return;
    int label = call.labels.as<int>()[n];
    long long start = (long long)n * call.classes;
    auto row = sums_of_row(call.logits.as<T>() + start, call.classes, label);
    float weight = divisor == 0 ? 0 : weight_of(call.losses.as<float>()[n], n, call) / divisor;
    write_gradient(call.dlogits.as<T>() + start, call.logits.as<T>() + start, call.classes, label, row, weight);
}

KERNEL(softmax_cross_entropy_step_f32, row_threads, PARAM(SoftmaxCrossEntropyStep) call) { step<float>(call); }
KERNEL(softmax_cross_entropy_step_bf16, row_threads, PARAM(SoftmaxCrossEntropyStep) call) { step<bf16>(call); }
KERNEL(softmax_cross_entropy_gradient_over_kept_f32, row_threads, PARAM(SoftmaxCrossEntropyStep) call) { gradient_over_kept<float>(call); }
KERNEL(softmax_cross_entropy_gradient_over_kept_bf16, row_threads, PARAM(SoftmaxCrossEntropyStep) call) { gradient_over_kept<bf16>(call); }

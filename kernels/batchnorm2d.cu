// Batch normalization over the rows of x [rows, channels]: training and inference, forward and backward, a rectifier fused into each.
//
// Bytes: a pass moves rows x channels elements once. Training forward takes 3 passes (reads x twice, writes y), backward 5 (x and dy twice, dx), inference 2,
// its dx 3, or 2 without the rectifier; parameters and sums are small beside them. Bound by memory. The second reading takes the rows
// from the last to the first, so that what the first left in the second-level cache (50 MB on an H100) is not fetched again: a tensor that
// fits costs 2 passes forward and 3 backward.
// Who does what: channels.h. The sums of x are of x - x[0]: subtracting a value of the channel keeps the digits that
// sum(x^2) - sum(x)^2 would lose at |mean| >> std. A thread adds the rows it takes, a block its threads and the last block all blocks, each in
// a fixed order, in f32; the last few of these sums are added in f64. No atomic touches a float.
#include "channels.h"
#include "math.h"

struct BatchNorm2dTrain
{
    View x, gamma, beta, y, mean, inverse_std, running_mean, running_variance;
    int rows, channels;
    float epsilon, momentum;
    int relu;
};
struct BatchNorm2dInfer
{
    View x, gamma, beta, mean, variance, y;
    int rows, channels;
    float epsilon;
    int relu;
};
struct BatchNorm2dTrainBackward
{
    View x, dy, gamma, beta, mean, inverse_std, dx, dgamma, dbeta;
    int rows, channels, relu;
};
struct BatchNorm2dInferBackward
{
    View x, dy, gamma, beta, mean, variance, dx, dgamma, dbeta;
    int rows, channels;
    float epsilon;
    int relu;
};

DEVICE float inverse_std_of(float variance, float epsilon) { return inverse_square_root(variance + epsilon); }

// y = (x - mean) scale + beta for the channels of a thread, with scale = gamma / std. Forward and backward compute it alike, bit for bit: they agree
// on where the rectifier is 0.
template <int N> struct Affine
{
    float mean[N], scale[N], beta[N];

    // Scale is gamma; normalize is to follow.
    __device__ __forceinline__ Affine(const Share<N>& share, const View& mean_view, const View& gamma, const View& beta_view)
    {
        share.parameter(mean_view, mean);
        share.parameter(gamma, scale);
        share.parameter(beta_view, beta);
    }
    __device__ __forceinline__ void normalize(const Share<N>& share, const View& inverse_std)
    {
        float factor[N];
        share.parameter(inverse_std, factor);
#pragma unroll
        for (int j = 0; j < N; j++)
            scale[j] *= factor[j];
    }
    __device__ __forceinline__ void normalize(const Share<N>& share, const View& variance, float epsilon)
    {
        float values[N];
        share.parameter(variance, values);
#pragma unroll
        for (int j = 0; j < N; j++)
            scale[j] *= inverse_std_of(values[j], epsilon);
    }
    __device__ __forceinline__ float of(float x, int j) const { return fused_multiply_add(x - mean[j], scale[j], beta[j]); }

    // Whether the rectifier gave 0.
    __device__ __forceinline__ bool is_cut(float x, int j, bool relu) const { return relu & (of(x, j) <= 0); }
};

// ---- Forward --------------------------------------------------------------------------------------------------------------------------------

template <class T, int N> DEVICE void statistics(const BatchNorm2dTrain& call, const ChannelPlan& plan)
{
    Share<N> share(plan, call.rows, call.channels);
    const T* x = call.x.as<T>();
    float shift[N], sums[N] = {}, squares[N] = {};
    widen(*(const Elements<T, N>*)(x + share.channel), shift);
    const T* operands[] = {x};
    walk<4, false>(share, operands, [&](long long, const Elements<T, N>(&elements)[1]) {
        float v[N];
        widen(elements[0], v);
#pragma unroll
        for (int j = 0; j < N; j++)
        {
            float d = v[j] - shift[j];
            sums[j] += d;
            squares[j] = fused_multiply_add(d, d, squares[j]);
        }
    });
    sum_over_rows<one_operand_threads>(plan, call.channels, sums, squares, [&](int c, double sum, double square) {
        double shifted = sum / call.rows, variance = square / call.rows - shifted * shifted;
        variance = variance < 0 ? 0 : variance;
        float mean = (float)(to_float(x[c]) + shifted);
        call.mean.as<float>()[c] = mean;
        call.inverse_std.as<float>()[c] = inverse_std_of((float)variance, call.epsilon);
        if (call.running_mean.is_none())
            return;
        float unbiased = (float)(variance * call.rows / (call.rows - 1));
        float *running_mean = call.running_mean.as<float>() + c, *running_variance = call.running_variance.as<float>() + c;
        *running_mean += call.momentum * (mean - *running_mean);
        *running_variance += call.momentum * (unbiased - *running_variance);
    });
}

template <bool Backwards, class T, int N> DEVICE void apply(const Share<N>& share, const Affine<N>& affine, const View& x, const View& y, bool relu)
{
    T* out = y.as<T>();
    const T* operands[] = {x.as<T>()};
    walk<4, Backwards>(share, operands, [&](long long index, const Elements<T, N>(&elements)[1]) {
        float v[N];
        widen(elements[0], v);
#pragma unroll
        for (int j = 0; j < N; j++)
        {
            v[j] = affine.of(v[j], j);
            v[j] = (relu & (v[j] < 0)) ? 0 : v[j]; // NaN stays; & and not &&: no branch
        }
        store_rounded(out + index, v);
    });
}

template <class T, int N> DEVICE void normalize(const BatchNorm2dTrain& call, const ChannelPlan& plan)
{
    Share<N> share(plan, call.rows, call.channels);
    Affine<N> affine(share, call.mean, call.gamma, call.beta);
    affine.normalize(share, call.inverse_std);
    apply<true, T>(share, affine, call.x, call.y, call.relu == 1);
}

template <class T, int N> DEVICE void infer(const BatchNorm2dInfer& call, const ChannelPlan& plan)
{
    Share<N> share(plan, call.rows, call.channels);
    Affine<N> affine(share, call.mean, call.gamma, call.beta);
    affine.normalize(share, call.variance, call.epsilon);
    apply<false, T>(share, affine, call.x, call.y, call.relu == 1);
}

CHANNEL_KERNELS(batchnorm2d_statistics, one_operand_threads, BatchNorm2dTrain, statistics)
CHANNEL_KERNELS(batchnorm2d_normalize, one_operand_threads, BatchNorm2dTrain, normalize)
CHANNEL_KERNELS(batchnorm2d_infer, one_operand_threads, BatchNorm2dInfer, infer)

// ---- Backward -------------------------------------------------------------------------------------------------------------------------------

// dbeta = sum dy and dgamma = inverse_std sum dy (x - mean), with dy = 0 where the rectifier gave 0.
template <class T, int N, class F>
DEVICE void parameter_gradients(const Share<N>& share, const Affine<N>& affine, const ChannelPlan& plan, const View& x_view, const View& dy_view, bool relu,
    const View& dgamma, const View& dbeta, F inverse_std)
{
    float sums[N] = {}, products[N] = {};
    const T* operands[] = {x_view.as<T>(), dy_view.as<T>()};
    walk<2, false>(share, operands, [&](long long, const Elements<T, N>(&elements)[2]) {
        float x[N], dy[N];
        widen(elements[0], x);
        widen(elements[1], dy);
#pragma unroll
        for (int j = 0; j < N; j++)
        {
            float passed = affine.is_cut(x[j], j, relu) ? 0 : dy[j];
            sums[j] += passed;
            products[j] = fused_multiply_add(passed, x[j] - affine.mean[j], products[j]);
        }
    });
    sum_over_rows<two_operand_threads>(plan, share.channels, sums, products, [&](int c, double sum, double product) {
        dgamma.as<float>()[c] = (float)(product * inverse_std(c));
        dbeta.as<float>()[c] = (float)sum;
    });
}

template <class T, int N> DEVICE void train_parameter_gradients(const BatchNorm2dTrainBackward& call, const ChannelPlan& plan)
{
    Share<N> share(plan, call.rows, call.channels);
    Affine<N> affine(share, call.mean, call.gamma, call.beta);
    affine.normalize(share, call.inverse_std);
    parameter_gradients<T>(share, affine, plan, call.x, call.dy, call.relu == 1, call.dgamma, call.dbeta,
        [&](int c) { return call.inverse_std.as<float>()[c]; });
}

template <class T, int N> DEVICE void infer_parameter_gradients(const BatchNorm2dInferBackward& call, const ChannelPlan& plan)
{
    Share<N> share(plan, call.rows, call.channels);
    Affine<N> affine(share, call.mean, call.gamma, call.beta);
    affine.normalize(share, call.variance, call.epsilon);
    parameter_gradients<T>(share, affine, plan, call.x, call.dy, call.relu == 1, call.dgamma, call.dbeta,
        [&](int c) { return inverse_std_of(call.variance.as<float>()[c], call.epsilon); });
}

// dx = scale (dy - dbeta / rows - (x - mean) inverse_std dgamma / rows) = scale dy + slope (x - mean) + offset.
template <class T, int N> DEVICE void train_input_gradient(const BatchNorm2dTrainBackward& call, const ChannelPlan& plan)
{
    Share<N> share(plan, call.rows, call.channels);
    Affine<N> affine(share, call.mean, call.gamma, call.beta);
    affine.normalize(share, call.inverse_std);
    float inverse_std[N], slope[N], offset[N];
    share.parameter(call.inverse_std, inverse_std);
    share.parameter(call.dgamma, slope);
    share.parameter(call.dbeta, offset);
    float per_row = -1.0f / call.rows;
#pragma unroll
    for (int j = 0; j < N; j++)
    {
        slope[j] *= per_row * inverse_std[j] * affine.scale[j];
        offset[j] *= per_row * affine.scale[j];
    }
    bool relu = call.relu == 1;
    T* dx = call.dx.as<T>();
    const T* operands[] = {call.x.as<T>(), call.dy.as<T>()};
    walk<2, true>(share, operands, [&](long long index, const Elements<T, N>(&elements)[2]) {
        float x[N], dy[N];
        widen(elements[0], x);
        widen(elements[1], dy);
#pragma unroll
        for (int j = 0; j < N; j++)
        {
            float passed = affine.is_cut(x[j], j, relu) ? 0 : dy[j];
            dy[j] = fused_multiply_add(affine.scale[j], passed, fused_multiply_add(slope[j], x[j] - affine.mean[j], offset[j]));
        }
        store_rounded(dx + index, dy);
    });
}

// Constant statistics: dx = scale dy, one pass.
template <class T, int N> DEVICE void infer_input_gradient(const BatchNorm2dInferBackward& call, const ChannelPlan& plan)
{
    Share<N> share(plan, call.rows, call.channels);
    Affine<N> affine(share, call.mean, call.gamma, call.beta);
    affine.normalize(share, call.variance, call.epsilon);
    bool relu = call.relu == 1;
    T* dx = call.dx.as<T>();
    const T* dy_start = call.dy.as<T>();
    const T* operands[] = {relu ? call.x.as<T>() : dy_start, dy_start}; // without the rectifier nothing depends on x: it is not fetched
    walk<2, false>(share, operands, [&](long long index, const Elements<T, N>(&elements)[2]) {
        float x[N], dy[N];
        widen(elements[0], x);
        widen(elements[1], dy);
#pragma unroll
        for (int j = 0; j < N; j++)
            dy[j] = affine.is_cut(x[j], j, relu) ? 0 : affine.scale[j] * dy[j];
        store_rounded(dx + index, dy);
    });
}

CHANNEL_KERNELS(batchnorm2d_train_parameter_gradients, two_operand_threads, BatchNorm2dTrainBackward, train_parameter_gradients)
CHANNEL_KERNELS(batchnorm2d_infer_parameter_gradients, two_operand_threads, BatchNorm2dInferBackward, infer_parameter_gradients)
CHANNEL_KERNELS(batchnorm2d_train_input_gradient, two_operand_threads, BatchNorm2dTrainBackward, train_input_gradient)
CHANNEL_KERNELS(batchnorm2d_infer_input_gradient, two_operand_threads, BatchNorm2dInferBackward, infer_input_gradient)

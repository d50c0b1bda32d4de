using System.Globalization;
using Dom.Tensors.Backend;

namespace Dom.Tensors.Ops;

/// <summary>
/// Chains of operations on images of 8 bits: row m of Y is the image m / ChainsPerImage, quantized to floor(255.999 x), after the operations m Length .. m Length + Length - 1, divided by 255.
/// </summary>
/// <remarks>
/// Images [Rows / ChainsPerImage, Height, Width, Channels], 0..1 (what lies outside is clamped), 1 or 3 channels; Operations i32 [Rows, Length] of <see cref="ImageOperation"/>; Parameters f32
/// [Rows, Length, 6] as <see cref="ImageStepParameters"/> makes them; Y [Rows, Height, Width, Channels]. All rounding is that of torchvision on the CPU in f32, in every kernel, the one of the
/// reference too: each pixel of each backend is the same.
/// </remarks>
public readonly record struct ImageChains(
    View Images, View Operations, View Parameters, View Y, int Rows, int ChainsPerImage, int Length, int Height, int Width, int Channels,
    int Sampling) : IKernelCall;

/// <summary>
/// AugMix's mixture, in bytes: y[n] = trunc(w[n, 0] x[n] + w[n, 1] chain[n, 0] + w[n, 2] chain[n, 1] + ..) / 255, added in this order in f32, of x and chains quantized to floor(255.999 x).
/// </summary>
/// <remarks>Images [Rows, RowLength]; Chains [Rows, ChainCount, RowLength]; Weights f32 [Rows, ChainCount + 1]; Y [Rows, RowLength]. The sum is clamped to 0..255 first.</remarks>
public readonly record struct MixChains(
    View Images, View Chains, View Weights, View Y, int Rows, int ChainCount, int RowLength) : IKernelCall;

/// <summary>The operations of RandAugment and AugMix on a batch of images, each image with its own; nothing is recorded on a tape: no gradient flows through bytes.</summary>
public static class ImageOperations
{
    private const int MostChains = 64, MostSteps = 64;

    /// <summary>Images after chains of operations: f32 [N * chains, H, W, C], the chains of an image side by side, of the values k / 255.</summary>
    /// <param name="images">f32 [N, H, W, C] in 0..1 with 1 or 3 channels; quantized to floor(255.999 x) first.</param>
    /// <param name="steps">The operations, [N, chains, length], the first one applied first; pad shorter chains with <see cref="ImageStep.Identity"/>.</param>
    /// <param name="chains">Chains that begin at each image, 1..64.</param>
    /// <param name="sampling">How geometry reads pixels.</param>
    /// <exception cref="ShapeException">The images are no f32 images of 1 or 3 channels, or the number of steps is no multiple of N times the chains.</exception>
    /// <exception cref="ArgumentException">A magnitude is not finite, bits not in 0..8, a threshold above 255, a blend below -1.</exception>
    public static Tensor Apply(Tensor images, ReadOnlySpan<ImageStep> steps, ImageSampling sampling, int chains = 1)
    {
        CheckImages("image operations", images);
        ArgumentOutOfRangeException.ThrowIfLessThan(chains, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(chains, MostChains);
        int count = images.Shape[0], height = images.Shape[1], width = images.Shape[2], rows = count * chains, length = rows == 0 ? 0 : steps.Length / rows;
        if (rows * length != steps.Length || length > MostSteps)
            throw new ShapeException(
                $"image operations: {count} images with {chains} chains each need {rows} chains of one length up to {MostSteps}, {steps.Length} steps came.");
        var operations = new int[steps.Length];
        var parameters = new float[steps.Length * ImageStepParameters.Count];
        for (int i = 0; i < steps.Length; i++)
        {
            Check(steps[i]);
            operations[i] = (int)steps[i].Operation;
            ImageStepParameters.Write(steps[i], height, width, parameters.AsSpan(i * ImageStepParameters.Count, ImageStepParameters.Count));
        }
        var backend = images.Backend;
        using var scope = new TensorScope();
        Tensor which = Tensor.From(operations, backend), how = Tensor.From(parameters, Shape.Of(parameters.Length), backend);
        var y = Tensor.Empty(Shape.Of(rows, height, width, images.Shape[3]), DType.F32, backend, "image operations");
        backend.Run(new ImageChains(
            images.Read, which.Read, how.Read, y.Write, rows, chains, length, height, width, images.Shape[3], (int)sampling));
        return scope.Keep(y);
    }

    /// <summary>AugMix's mixture of images with their chains: f32 [N, H, W, C], of the values k / 255.</summary>
    /// <param name="images">f32 [N, H, W, C] in 0..1.</param>
    /// <param name="chains">What <see cref="Apply"/> made of them: f32 [N * chains, H, W, C].</param>
    /// <param name="weights">[N, chains + 1]: of the image and of its chains; the sum of a row should be 1.</param>
    /// <exception cref="ShapeException">Chains or weights do not fit the images.</exception>
    public static Tensor Mix(Tensor images, Tensor chains, ReadOnlySpan<float> weights)
    {
        CheckImages("mix", images);
        int count = images.Shape[0], perImage = count == 0 ? 0 : chains.Count / Math.Max(1, images.Count);
        if (chains.Type != DType.F32 || chains.Shape != Shape.Of(count * perImage, images.Shape[1], images.Shape[2], images.Shape[3]) || perImage > MostChains)
            throw new ShapeException($"mix: the chains {chains} are no f32 images of the size of {images}, the same number for each.");
        if (weights.Length != count * (perImage + 1))
            throw new ShapeException($"mix: {count} images with {perImage} chains each need {count * (perImage + 1)} weights, {weights.Length} came.");
        using var scope = new TensorScope();
        var backend = images.Backend;
        var y = Tensor.Empty(images.Shape, DType.F32, backend, "mix");
        backend.Run(new MixChains(
            images.Read, chains.Read, Tensor.From(weights, Shape.Of(weights.Length), backend).Read, y.Write, count, perImage, count == 0 ? 0 : images.Count / count));
        return scope.Keep(y);
    }

    private static void CheckImages(string name, Tensor images)
    {
        if (images.Shape.Rank != 4 || images.Type != DType.F32)
            throw new ShapeException($"{name}: the images must be f32 [N, H, W, C], got {images}.");
        if (images.Shape[1] == 0 || images.Shape[2] == 0)
            throw new ShapeException($"{name}: images must have at least one row and one column, got {images.Shape}.");
        if (images.Shape[3] is not (1 or 3))
            throw new ShapeException($"{name}: images of 1 channel (gray) or 3 channels (red, green, blue) can be changed, got {images.Shape[3]} channels.");
    }

    private static void Check(ImageStep step)
    {
        float m = step.Magnitude;
        string? wanted = !float.IsFinite(m) ? "a finite number" : step.Operation switch
        {
            ImageOperation.Posterize => m is >= 0 and < 9 ? null : "a number of bits, 0..8",
            ImageOperation.Solarize => m <= 255 ? null : "a threshold up to 255",
            >= ImageOperation.Brightness and <= ImageOperation.Sharpness => m >= -1 ? null : "-1 or above: the blend's ratio is 1 more",
            < ImageOperation.Identity or > ImageOperation.Equalize => throw new ArgumentException($"image operations: {(int)step.Operation} is no operation.", nameof(step)),
            _ => null,
        };
        if (wanted is not null)
            throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture, $"image operations: the magnitude of {step.Operation} must be {wanted}; got {m}."), nameof(step));
    }
}

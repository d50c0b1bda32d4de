namespace Dom.Kernels.Cpu;

/// <summary>How <see cref="CpuBackend"/> computes convolutions.</summary>
public enum ConvolutionMethod
{
    /// <summary>By shape: Winograd where it was measured to be faster, else direct.</summary>
    Auto,

    /// <summary>Sums of products in the order of the definition, for any shape. Relative error against f64 about 1e-6.</summary>
    Direct,

    /// <summary>
    /// F(4x4, 3x3) for every 3x3 convolution with stride 1 and padding 0 to 2, direct for the others. A quarter of the
    /// multiplications, and about ten times the rounding error: 2e-6 to 7e-6 forward, up to 2e-5 for gradients of weights.
    /// </summary>
    Winograd,
}

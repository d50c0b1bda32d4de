namespace Dom.Kernels.Cpu;

/// <summary>How <see cref="CpuBackend"/> computes convolutions.</summary>
public enum ConvolutionMethod
{
    /// <summary>By shape: Winograd where it was measured to be faster, else direct.</summary>
    Auto,

    /// <summary>Sums of products in the order of the definition, for any shape. Errors stay within 3e-6 of the largest value of a result in the conformance cases.</summary>
    Direct,

    /// <summary>
    /// F(4x4, 3x3) for every 3x3 convolution with stride 1 and padding 0 to 2, F(4x4, 2x2) and less for those with stride 2 and padding 1, direct for the others. A quarter of the
    /// multiplications or 9/16 of them, and up to ten times the rounding error: within 2e-5 of the largest value of a result in the conformance cases.
    /// </summary>
    Winograd,
}

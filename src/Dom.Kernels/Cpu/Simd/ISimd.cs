namespace Dom.Kernels.Cpu.Simd;

/// <summary>
/// The few vector operations that kernels need, so that a kernel is written once for every vector width. Implementations are empty structs:
/// as a type argument one selects the instructions, and the just-in-time compiler makes a separate kernel of each.
/// </summary>
/// <remarks>Values are the runtime's own vector types and not wrappers of them: those stay in registers without fail.</remarks>
internal unsafe interface ISimd<TVector> where TVector : struct
{
    /// <summary>Floats in a vector.</summary>
    static abstract int Width { get; }

    /// <summary><see cref="Width"/> floats from any address.</summary>
    static abstract TVector Load(float* source);

    /// <summary>The float at <paramref name="source"/> in every lane.</summary>
    static abstract TVector Broadcast(float* source);

    /// <summary><paramref name="value"/> in every lane.</summary>
    static abstract TVector Create(float value);

    /// <summary>Writes <see cref="Width"/> floats to any address.</summary>
    static abstract void Store(TVector value, float* target);

    /// <summary>
    /// Writes <see cref="Width"/> floats to an address aligned to their size, past the caches: a line that is overwritten is not read first.
    /// Later ordinary stores of this thread may be seen before it; a barrier of the thread pool orders them.
    /// </summary>
    static abstract void StoreStreaming(TVector value, float* target);

    /// <summary>a + b.</summary>
    static abstract TVector Add(TVector a, TVector b);

    /// <summary>a - b.</summary>
    static abstract TVector Subtract(TVector a, TVector b);

    /// <summary>a b.</summary>
    static abstract TVector Multiply(TVector a, TVector b);

    /// <summary>a b + sum, rounded once where the processor can (x86 with FMA, ARM), else twice.</summary>
    static abstract TVector MultiplyAdd(TVector a, TVector b, TVector sum);

    /// <summary>value, but floor where it is less; a NaN stays a NaN.</summary>
    static abstract TVector AtLeast(TVector value, TVector floor);

    /// <summary>value where test > 0, else 0: also where test is a NaN.</summary>
    static abstract TVector WherePositive(TVector test, TVector value);
}

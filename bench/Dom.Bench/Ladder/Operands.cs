using Dom.Tensors.Ops;

namespace Dom.Bench.Ladder;

/// <summary>The operands in the form that all rungs but the first want them. Making it is part of their time.</summary>
/// <remarks>
/// Weights with the output channels innermost, in panels: [K / panel][9 C steps][panel]. An image of x with a border of
/// zeros, [H + 2, W + 2, C], so that no loop asks whether a tap is outside; the three taps of a row then read 3 C
/// floats that lie side by side: a "run".
/// </remarks>
internal sealed unsafe class Operands : IDisposable
{
    private readonly Conv2dSizes _sizes;
    private readonly float* _x;
    private readonly Buffer _panels;

    public Operands(Conv2dSizes sizes, float* x, float* weight, int panel)
    {
        _sizes = sizes;
        _x = x;
        int steps = 3 * Run;
        _panels = new Buffer(steps * sizes.Outputs);
        for (int first = 0; first < sizes.Outputs; first += panel)
            for (int step = 0; step < steps; step++)
                for (int k = 0; k < panel; k++)
                    Panels[first * steps + step * panel + k] = weight[(first + k) * steps + step];
    }

    public float* Panels => _panels.Floats;

    /// <summary>
    /// Floats that an output pixel reads from one row of x, and steps that they take through a panel: 3 C.
    /// </summary>
    public int Run => 3 * _sizes.Inputs;

    /// <summary>Floats from one row of a bordered image to the next.</summary>
    public int RowPitch => (_sizes.Width + 2) * _sizes.Inputs;

    /// <summary>Floats of y for one image.</summary>
    public int OutputImage => _sizes.Height * _sizes.Width * _sizes.Outputs;

    public Buffer NewImage() => new((_sizes.Height + 2) * RowPitch);

    /// <summary>Copies image n of x into the middle of <paramref name="target"/>; returns its first float.</summary>
    public float* AddBorder(int n, Buffer target)
    {
        int row = _sizes.Width * _sizes.Inputs;
        new Span<float>(target.Floats, (_sizes.Height + 2) * RowPitch).Clear();
        for (int h = 0; h < _sizes.Height; h++)
            new ReadOnlySpan<float>(_x + (n * _sizes.Height + h) * row, row)
                .CopyTo(new Span<float>(target.Floats + (h + 1) * RowPitch + _sizes.Inputs, row));
        return target.Floats;
    }

    public void Dispose() => _panels.Dispose();
}

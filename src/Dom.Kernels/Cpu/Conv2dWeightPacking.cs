using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>
/// Packs weights [K, R, S, C] for a <see cref="Conv2dGatherPlan"/> as [block of target channels][chunk of source channels][tap][source channel][target
/// channel of the block], target channels padded with zeros to whole vectors. One task is a block and a tap.
/// </summary>
internal readonly unsafe struct Conv2dWeightPacking(Conv2dGatherPlan plan, float* weight, float* packed, bool inputGradient) : IJob
{
    public int Tasks => plan.Taps * plan.Shape.Blocks(plan.TargetChannels);

    public void Execute(int task, int worker)
    {
        int block = task / plan.Taps, tap = task % plan.Taps;
        int channel = block * plan.Shape.Width, width = plan.Shape.WidthOf(block, plan.TargetChannels);
        int channels = Math.Min(width, plan.TargetChannels - channel);
        for (int start = 0; start < plan.SourceChannels; start += plan.Chunk)
        {
            int length = Math.Min(plan.Chunk, plan.SourceChannels - start);
            float* panel = packed + (nint)plan.Taps * ((nint)channel * plan.SourceChannels + (nint)start * width) + (nint)tap * length * width;
            if (inputGradient)
                CopyRows(start, length, tap, channel, channels, panel, width);
            else
                TurnRows(start, length, tap, channel, channels, panel, width);
        }
    }

    /// <summary>Source channels are outputs k, target channels inputs c: rows of the panel lie in memory as they are needed.</summary>
    private void CopyRows(int start, int length, int tap, int channel, int channels, float* panel, int width)
    {
        for (int k = 0; k < length; k++)
        {
            var row = new Span<float>(panel + (nint)k * width, width);
            new ReadOnlySpan<float>(weight + ((nint)(start + k) * plan.Taps + tap) * plan.TargetChannels + channel, channels).CopyTo(row);
            row[channels..].Clear();
        }
    }

    /// <summary>Source channels are inputs c, target channels outputs k: columns of the panel are rows of the weights.</summary>
    private void TurnRows(int start, int length, int tap, int channel, int channels, float* panel, int width)
    {
        nint pitch = (nint)plan.Taps * plan.SourceChannels;
        float* first = weight + channel * pitch + (nint)tap * plan.SourceChannels + start;
        float** rows = stackalloc float*[channels];
        for (int k = 0; k < channels; k++)
            rows[k] = first + k * pitch;
        Transpose.Rows(rows, channels, length, panel, width);
        for (int k = channels; k < width; k++)
            for (int c = 0; c < length; c++)
                panel[(nint)c * width + k] = 0;
    }
}

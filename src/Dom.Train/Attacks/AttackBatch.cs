using Dom.Tensors;
using Dom.Tensors.Ops;

namespace Dom.Train.Attacks;

/// <summary>Samples under attack.</summary>
/// <param name="Clean">Images [N, H, W, C] f32 in 0..1.</param>
/// <param name="Labels">Labels [N] i32 in 0 .. classes - 1.</param>
/// <param name="SampleIds">Ids [N] i32 that key the random numbers.</param>
/// <param name="HostLabels">The labels once more, on the host.</param>
public sealed record AttackBatch(Tensor Clean, Tensor Labels, Tensor SampleIds, int[] HostLabels)
{
    /// <summary>Number of samples.</summary>
    public int Count => HostLabels.Length;

    /// <summary>Some of the samples, in the given order; owned by the current scope.</summary>
    /// <param name="rows">Places in this batch, each in 0 .. Count - 1.</param>
    public AttackBatch Pick(ReadOnlySpan<int> rows)
    {
        var places = Tensor.From(rows, Clean.Backend); // [rows]
        var labels = new int[rows.Length];
        for (int i = 0; i < rows.Length; i++)
            labels[i] = HostLabels[rows[i]];
        return new AttackBatch(Rows.Gather(Clean, places), Rows.Gather(Labels, places), Rows.Gather(SampleIds, places), labels);
    }
}

using Dom.Nn;
using Dom.Tensors;
using Dom.Tensors.Ops;

namespace Dom.Train.Tests.Training;

/// <summary>A network of two classes whose logits a test makes up: it sees every image that an attack asks about.</summary>
/// <param name="margin">z_0 - z_1 of an image; called for the rows of a batch in order.</param>
internal sealed class ScriptedModel(Func<float[], float> margin) : Module
{
    public override Tensor Apply(Tensor x, Pass pass)
    {
        var logits = new List<float>();
        foreach (float[] image in x.ToFloats().Chunk(x.Count / x.Shape[0]))
            logits.AddRange([margin(image), 0]);
        return Tensor.From([.. logits], Shape.Of(x.Shape[0], 2), x.Backend);
    }
}

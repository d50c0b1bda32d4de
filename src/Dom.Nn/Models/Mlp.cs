using Dom.Nn.Layers;
using Dom.Tensors;
using Dom.Tensors.Ops;

namespace Dom.Nn.Models;

/// <summary>Multilayer perceptron with ReLU: the MNIST network of Arpit et al. 2017 has two hidden layers of 4096 units.</summary>
public sealed class Mlp : Module
{
    private readonly List<Layers.Linear> _layers = [];

    /// <summary>A perceptron with the given hidden layers.</summary>
    /// <param name="inputs">Numbers in an image: height x width x channels.</param>
    /// <param name="hidden">Units of each hidden layer.</param>
    /// <param name="classes">Number of classes.</param>
    public Mlp(int inputs, int[] hidden, int classes)
    {
        foreach (int outputs in hidden.Append(classes))
        {
            _layers.Add(Register($"layers.{_layers.Count}", new Layers.Linear(inputs, outputs)));
            inputs = outputs;
        }
    }

    /// <summary>[N, H, W, C] or [N, inputs] -> logits [N, classes].</summary>
    public override Tensor Apply(Tensor x, Pass pass)
    {
        var y = Reshape.Apply(x, Shape.Of(x.Shape[0], x.Shape[0] == 0 ? 0 : x.Count / x.Shape[0]));
        for (int i = 0; i < _layers.Count; i++)
        {
            y = _layers[i].Apply(y, pass);
            if (i < _layers.Count - 1)
                y = Relu.Apply(y);
        }
        return y;
    }
}

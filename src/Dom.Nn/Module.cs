using Dom.Tensors;

namespace Dom.Nn;

/// <summary>
/// A part of a network: it declares its parameters, buffers and sub-modules under the names that a PyTorch state dictionary gives them, and
/// computes. It has no mode and no memory of its own: the <see cref="Pass"/> says how to compute, the <see cref="Network"/> owns the memory.
/// </summary>
public abstract class Module
{
    private readonly List<(string Name, Module Module)> _modules = [];
    private readonly List<(string Name, Parameter Parameter)> _parameters = [];
    private readonly List<(string Name, StateBuffer Buffer)> _buffers = [];

    /// <summary>Applies the module.</summary>
    /// <param name="x">Its input; a layer documents the shape.</param>
    /// <param name="pass">How to compute.</param>
    public abstract Tensor Apply(Tensor x, Pass pass);

    /// <summary>All parameters, depth first in the order of declaration, as "layer1.0.conv1.weight".</summary>
    public IEnumerable<(string Name, Parameter Parameter)> NamedParameters() => Walk("", m => m._parameters);

    /// <summary>All buffers, depth first in the order of declaration, as "bn.running_mean".</summary>
    public IEnumerable<(string Name, StateBuffer Buffer)> NamedBuffers() => Walk("", m => m._buffers);

    /// <summary>
    /// Applies modules one after the other and lets go of each one's input, the first included, as soon as it has its output: what no backward pass
    /// will need is free for the next module.
    /// </summary>
    protected static Tensor Chain(Tensor x, IEnumerable<Module> modules, Pass pass)
    {
        foreach (var module in modules)
        {
            var y = module.Apply(x, pass);
            x.Dispose();
            x = y;
        }
        return x;
    }

    /// <summary>Declares a sub-module; returns it.</summary>
    protected T Register<T>(string name, T module) where T : Module
    {
        _modules.Add((name, module));
        return module;
    }

    /// <summary>Declares a parameter; returns it.</summary>
    protected Parameter Register(string name, Parameter parameter)
    {
        _parameters.Add((name, parameter));
        return parameter;
    }

    /// <summary>Declares a buffer; returns it.</summary>
    protected StateBuffer Register(string name, StateBuffer buffer)
    {
        _buffers.Add((name, buffer));
        return buffer;
    }

    private IEnumerable<(string, T)> Walk<T>(string prefix, Func<Module, List<(string Name, T Item)>> own) =>
        own(this).Select(e => (prefix + e.Name, e.Item))
            .Concat(_modules.SelectMany(m => m.Module.Walk($"{prefix}{m.Name}.", own)));
}

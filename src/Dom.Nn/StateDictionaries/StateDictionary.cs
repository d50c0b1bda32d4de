using Dom.Tensors;

namespace Dom.Nn.StateDictionaries;

/// <summary>A network's parameters and running statistics as a PyTorch state dictionary, in both directions.</summary>
public static class StateDictionary
{
    private const string BatchCount = "num_batches_tracked";

    /// <summary>The entries: parameters and buffers under their PyTorch names, convolution weights as OIHW, all f32.</summary>
    /// <remarks>Each batch norm also gets the <c>num_batches_tracked</c> that PyTorch's strict loading asks for, as 0.</remarks>
    public static IReadOnlyList<SafetensorsEntry> Save(Network network)
    {
        var entries = new List<SafetensorsEntry>();
        foreach (var (name, parameter) in network.Parameters)
            entries.Add(SafetensorsEntry.FromFloats(name, FileShape(parameter.Shape, parameter.Layout),
                Permute(parameter.Value.ToFloats(), Axes(parameter), toFile: true)));
        foreach (var (name, buffer) in network.Buffers)
        {
            entries.Add(SafetensorsEntry.FromFloats(name, FileShape(buffer.Shape, FileLayout.AsIs), buffer.Value.ToFloats()));
            if (name.EndsWith("running_var", StringComparison.Ordinal))
                entries.Add(SafetensorsEntry.FromInt64(name.Replace("running_var", BatchCount, StringComparison.Ordinal), [], [0]));
        }
        return entries;
    }

    /// <summary>Overwrites the network's parameters and running statistics.</summary>
    /// <param name="network">The network.</param>
    /// <param name="file">A file with an entry for each of them; a <c>module.</c> in front of the names (DataParallel) is ignored.</param>
    /// <exception cref="CheckpointException">An entry is missing, too many, or has another shape: the file is of another model. Nothing was changed then.</exception>
    public static void Load(Network network, SafetensorsFile file) => Load(network, file.Entries, file.Name);

    /// <summary>Overwrites the network's parameters and running statistics from entries of the file <paramref name="fileName"/>.</summary>
    /// <exception cref="CheckpointException">As for a file.</exception>
    public static void Load(Network network, IEnumerable<SafetensorsEntry> source, string fileName)
    {
        var entries = source
            .Where(e => !e.Name.EndsWith(BatchCount, StringComparison.Ordinal))
            .ToDictionary(e => e.Name.StartsWith("module.", StringComparison.Ordinal) ? e.Name["module.".Length..] : e.Name);
        var targets = network.Parameters.Select(p => (p.Name, p.Parameter.Value, p.Parameter.Shape, p.Parameter.Layout, Axes(p.Parameter)))
            .Concat(network.Buffers.Select(b => (b.Name, b.Buffer.Value, b.Buffer.Shape, FileLayout.AsIs, ((int, int, int)?)null))).ToArray();
        var values = new List<float[]>();
        foreach (var (name, _, shape, layout, axes) in targets)
        {
            var expected = FileShape(shape, layout);
            if (!entries.Remove(name, out var entry))
                throw new CheckpointException($"{fileName}: there is no entry '{name}' {Text(expected)}; the file is of another model.");
            if (!entry.Shape.SequenceEqual(expected))
                throw new CheckpointException(
                    $"{fileName}: entry '{name}' is {Text(entry.Shape)}, this model needs {Text(expected)}; the file is of another model.");
            values.Add(Permute(entry.ToFloats(), axes, toFile: false));
        }
        if (entries.Count > 0)
            throw new CheckpointException(
                $"{fileName}: {entries.Count} entries are not part of this model, the first is '{entries.Keys.Order(StringComparer.Ordinal).First()}'.");
        for (int i = 0; i < targets.Length; i++)
            targets[i].Value.CopyFrom(values[i]);
    }

    private static string Text(long[] shape) => $"[{string.Join(", ", shape)}]";

    private static long[] FileShape(Shape shape, FileLayout layout) => layout == FileLayout.ChannelsSecond
        ? [shape[0], shape[3], shape[1], shape[2]]
        : Array.ConvertAll(shape.ToArray(), size => (long)size);

    /// <summary>Outputs, pixels and channels of a parameter whose pixels and channels change places in files; null where none do.</summary>
    private static (int Outputs, int Pixels, int Channels)? Axes(Parameter parameter) => parameter.Layout switch
    {
        FileLayout.ChannelsSecond => (parameter.Shape[0], parameter.Shape[1] * parameter.Shape[2], parameter.Shape[3]),
        FileLayout.FlattenedMap => (parameter.Shape[0], parameter.Positions, parameter.Shape[1] / parameter.Positions),
        _ => null,
    };

    /// <summary>[outputs, pixels, channels] to [outputs, channels, pixels] or back.</summary>
    private static float[] Permute(float[] values, (int Outputs, int Pixels, int Channels)? axes, bool toFile)
    {
        if (axes is not var (outputs, pixels, channels))
            return values;
        var permuted = new float[values.Length];
        for (int k = 0; k < outputs; k++)
            for (int pixel = 0; pixel < pixels; pixel++)
                for (int c = 0; c < channels; c++)
                {
                    int memory = (k * pixels + pixel) * channels + c, file = (k * channels + c) * pixels + pixel;
                    if (toFile)
                        permuted[file] = values[memory];
                    else
                        permuted[memory] = values[file];
                }
        return permuted;
    }
}

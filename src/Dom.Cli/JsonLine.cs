using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Dom.Cli.Bench;
using Dom.Cli.Eval;
using Dom.Train.Training;

namespace Dom.Cli;

/// <summary>What <c>--json</c> prints: one line, written as the files of a run are.</summary>
internal static class JsonLine
{
    private static readonly JsonSerializerOptions s_options = new(RunJson.Compact) { TypeInfoResolver = JsonLineContext.Default };

    /// <summary>A value as JSON.</summary>
    public static string Of<T>(T value) => JsonSerializer.Serialize(value, (JsonTypeInfo<T>)s_options.GetTypeInfo(typeof(T)));
}

/// <summary>The generated code: the figures of the commands, and all that their dictionaries hold.</summary>
[JsonSerializable(typeof(TrainFigures))]
[JsonSerializable(typeof(EvalFigures))]
[JsonSerializable(typeof(AutoAttackFigures))]
[JsonSerializable(typeof(BenchFigures))]
[JsonSerializable(typeof(StepBenchFigures))]
[JsonSerializable(typeof(LadderFigures))]
[JsonSerializable(typeof(Reproduce.ReproduceFigures))]
[JsonSerializable(typeof(Dictionary<string, object>))]
[JsonSerializable(typeof(Dictionary<string, object>[]))]
[JsonSerializable(typeof(object[]))]
[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(float[]))]
[JsonSerializable(typeof(double[]))]
[JsonSerializable(typeof(bool))]
[JsonSerializable(typeof(int))]
[JsonSerializable(typeof(long))]
[JsonSerializable(typeof(float))]
[JsonSerializable(typeof(double))]
internal sealed partial class JsonLineContext : JsonSerializerContext;

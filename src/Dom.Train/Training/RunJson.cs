using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Dom.Nn;
using Dom.Train.Analysis;
using Dom.Train.Attacks;
using Dom.Train.Augmentations;
using Dom.Train.Memorization;
using Dom.Train.Optimizers;

namespace Dom.Train.Training;

/// <summary>How the files of a run are written as JSON: camel case, names instead of numbers for enumerations, no nulls.</summary>
/// <remarks>They know the types of a run's files only. Their code is generated: at the start of a program, reflection would take longer than the first step.</remarks>
public static class RunJson
{
    /// <summary>On one line.</summary>
    public static JsonSerializerOptions Compact { get; } = RunJsonContext.Default.Options;

    /// <summary>For people.</summary>
    public static JsonSerializerOptions Indented { get; } = new(Compact) { WriteIndented = true };

    /// <summary>How a type of a run's files is read and written.</summary>
    internal static JsonTypeInfo<T> TypeIn<T>(JsonSerializerOptions options) => (JsonTypeInfo<T>)options.GetTypeInfo(typeof(T));
}

/// <summary>An enumeration by its names: "rs-fgsm".</summary>
internal sealed class KebabCase<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.KebabCaseLower) where T : struct, Enum;

/// <summary>The generated code.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    IgnoreReadOnlyProperties = true,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    Converters =
    [
        typeof(KebabCase<ScheduleKind>), typeof(KebabCase<AttackKind>), typeof(KebabCase<AttackNorm>), typeof(KebabCase<BatchNormMode>),
        typeof(KebabCase<DomAction>), typeof(KebabCase<DomMode>), typeof(KebabCase<ReNorm>), typeof(KebabCase<Precision>),
        typeof(KebabCase<ThresholdKind>), typeof(KebabCase<AugmentationKind>), typeof(KebabCase<AugmentationDraw>), typeof(KebabCase<LossKind>), typeof(KebabCase<EvaluationAttackKind>),
        typeof(KebabCase<CollapseResponse>), typeof(KebabCase<CollapseSign>), typeof(KebabCase<LedgerPassKind>), typeof(KebabCase<RemoveSet>),
    ])]
[JsonSerializable(typeof(RunDescription))]
[JsonSerializable(typeof(TrainOptions))]
[JsonSerializable(typeof(RunState))]
[JsonSerializable(typeof(EpochMetrics))]
[JsonSerializable(typeof(StepMetrics))]
[JsonSerializable(typeof(Reproduction.AutoAttackAccuracy))]
[JsonSerializable(typeof(AutoAttackFile))]
internal sealed partial class RunJsonContext : JsonSerializerContext;

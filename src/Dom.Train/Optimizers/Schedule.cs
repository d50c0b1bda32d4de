namespace Dom.Train.Optimizers;

/// <summary>How the learning rate goes over a run.</summary>
public enum ScheduleKind
{
    /// <summary>The same all the time.</summary>
    Constant,

    /// <summary>Divided by 10 after one half and again after three quarters of the epochs.</summary>
    Piecewise,

    /// <summary>From 0 up to the given rate at one half, and down to 0 at the end.</summary>
    Triangular,

    /// <summary>Half a cosine from the given rate to 0.</summary>
    Cosine,
}

/// <summary>The learning rate as a function of time, stepped per batch as in the DOM authors' code.</summary>
/// <param name="Kind">The shape.</param>
/// <param name="LearningRate">The given rate, above 0.</param>
/// <param name="Epochs">Length of the run, E.</param>
public sealed record Schedule(ScheduleKind Kind, double LearningRate, int Epochs)
{
    /// <summary>The rate at time <paramref name="t"/>.</summary>
    /// <param name="t">
    /// epoch + (i + 1) / steps with epoch and step i counted from 0: t runs over (0, E]. Piecewise keeps the rate at t = E/2 itself and drops after it;
    /// the last step of a triangle has rate 0.
    /// </param>
    public double At(double t) => Kind switch
    {
        ScheduleKind.Constant => LearningRate,
        ScheduleKind.Piecewise => t <= Epochs / 2.0 ? LearningRate : t <= Epochs * 3 / 4.0 ? LearningRate / 10 : LearningRate / 100,
        ScheduleKind.Triangular => LearningRate * Math.Min(t, Epochs - t) / (Epochs / 2.0),
        _ => LearningRate * (1 + Math.Cos(Math.PI * t / Epochs)) / 2,
    };
}

using System.Numerics;

namespace Dom.Kernels.Cpu;

/// <summary>
/// The smallest step in the maximum norm from a point p that takes &lt;w, p&gt; down by a residual (up, where that is negative) inside a box: every coordinate
/// with w_i != 0 moves by min(lambda, room_i). See <see cref="Dom.Tensors.Ops.FabStep"/>, also for why the search for lambda ends.
/// </summary>
internal readonly unsafe struct HyperplaneStep
{
    private readonly float* _p, _w;
    private readonly int _length;
    private readonly double _down, _low, _high, _lambda; // _down: +1 where the product must fall, else -1

    /// <summary>Solves for lambda: Newton's method from 0.</summary>
    public HyperplaneStep(float* p, float* w, int length, double residual, double low, double high)
    {
        _p = p;
        _w = w;
        (_length, _down, _low, _high) = (length, residual >= 0 ? 1 : -1, low, high);
        double target = Math.Abs(residual), lambda = 0;
        long unbounded = -1;
        while (true)
        {
            var (slope, filled, count) = Sums(lambda);
            if (count == 0)
                lambda = double.PositiveInfinity;
            if (count == 0 || count == unbounded)
                break;
            unbounded = count;
            lambda = Math.Max(lambda, (target - filled) / slope); // rounding may not lead it back
        }
        _lambda = lambda;
    }

    /// <summary>The maximum norm of the step.</summary>
    public double Norm()
    {
        if (double.IsFinite(_lambda))
            return _lambda; // some coordinate has room beyond it
        double largest = 0;
        for (int i = 0; i < _length; i++)
            largest = Math.Max(largest, Math.Abs(At(i)));
        return largest;
    }

    /// <summary>The step of coordinate <paramref name="i"/>.</summary>
    public double At(int i)
    {
        double w = _down * _w[i], room = w > 0 ? _p[i] - _low : _high - _p[i], length = Math.Min(_lambda, room);
        return w > 0 ? -length : w < 0 ? length : 0;
    }

    /// <summary>The steps of the coordinates from <paramref name="i"/> on, a vector of f32 wide.</summary>
    public void At(int i, out Vector<double> first, out Vector<double> second)
    {
        Vector.Widen(Vector.Load(_w + i), out var w0, out var w1);
        Vector.Widen(Vector.Load(_p + i), out var p0, out var p1);
        first = Step(p0, w0 * _down);
        second = Step(p1, w1 * _down);
    }

    private Vector<double> Step(Vector<double> p, Vector<double> w)
    {
        var length = Vector.Min(new Vector<double>(_lambda), Room(p, w));
        var rising = Vector.ConditionalSelect(Vector.LessThan(w, Vector<double>.Zero), length, Vector<double>.Zero);
        return Vector.ConditionalSelect(Vector.GreaterThan(w, Vector<double>.Zero), -length, rising);
    }

    private Vector<double> Room(Vector<double> p, Vector<double> w) => Vector.ConditionalSelect(
        Vector.GreaterThan(w, Vector<double>.Zero), p - new Vector<double>(_low), new Vector<double>(_high) - p);

    /// <summary>Of f(lambda) = sum |w_i| min(lambda, room_i): the slope, what the coordinates that have run into the box contribute, and how many have not.</summary>
    private (double Slope, double Filled, long Count) Sums(double lambda)
    {
        Vector<double> slopes = default, filled = default;
        Vector<long> counts = default;
        int i = 0;
        for (; i <= _length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Widen(Vector.Load(_w + i), out var w0, out var w1);
            Vector.Widen(Vector.Load(_p + i), out var p0, out var p1);
            Add(p0, w0 * _down, lambda, ref slopes, ref filled, ref counts);
            Add(p1, w1 * _down, lambda, ref slopes, ref filled, ref counts);
        }
        double slope = Vector.Sum(slopes), full = Vector.Sum(filled);
        long count = Vector.Sum(counts);
        for (; i < _length; i++)
        {
            double w = _down * _w[i], room = w > 0 ? _p[i] - _low : _high - _p[i];
            if (w != 0 && room > lambda)
                (slope, count) = (slope + Math.Abs(w), count + 1);
            else
                full += Math.Abs(w) * room;
        }
        return (slope, full, count);
    }

    private void Add(
        Vector<double> p, Vector<double> w, double lambda, ref Vector<double> slopes, ref Vector<double> filled, ref Vector<long> counts)
    {
        Vector<double> room = Room(p, w), weight = Vector.Abs(w);
        var isUnbounded = Vector.GreaterThan(room, new Vector<double>(lambda)) & Vector.GreaterThan(weight, Vector<double>.Zero);
        slopes += Vector.ConditionalSelect(isUnbounded, weight, Vector<double>.Zero);
        filled += Vector.ConditionalSelect(isUnbounded, Vector<double>.Zero, weight * room);
        counts -= isUnbounded; // true is -1
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

// Memory-bound: parameters, gradients and momentum are read once and written once, whatever layer they belong to. The losses are looked at before, at once.
public sealed unsafe partial class CpuBackend : IKernel<SgdStep>
{
    void IKernel<SgdStep>.Run(in SgdStep call)
    {
        const string Name = nameof(SgdStep);
        if (!IsSound(Floats(call.Losses, Name), call.Losses.Length, Floats(call.Health, Name)))
            return;
        Elementwise(call.Parameters.Length, new SgdJob(
            Floats(call.Parameters, Name), Floats(call.Gradients, Name), Floats(call.Momentum, Name), call.Parameters.Length,
            call.LearningRate, call.MomentumFactor, call.WeightDecay, call.Nesterov == 1));
    }

    /// <summary>Whether the step may be made; notes it where it may not. A batch has some hundred losses: not worth a second thread.</summary>
    private static bool IsSound(float* losses, int count, float* health)
    {
        bool isSound = health is null || *health == 0;
        for (int i = 0; i < count; i++)
            isSound &= float.IsFinite(losses[i]);
        if (!isSound && health is not null)
            *health = 1;
        return isSound;
    }

    private readonly struct SgdJob(
        float* parameters, float* gradients, float* momentum, int count,
        float learningRate, float momentumFactor, float weightDecay, bool nesterov) : IJob
    {
        private readonly float* _parameters = parameters, _gradients = gradients, _momentum = momentum;

        public void Execute(int task, int worker)
        {
            int start = task * ElementsPerTask, end = Math.Min(count, start + ElementsPerTask), i = start;
            for (; i <= end - Vector<float>.Count; i += Vector<float>.Count)
                Vectors(i);
            for (; i < end; i++)
                Numbers(i);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Vectors(int i)
        {
            var p = Vector.Load(_parameters + i);
            var gradient = Vector.FusedMultiplyAdd(new Vector<float>(weightDecay), p, Vector.Load(_gradients + i));
            var step = gradient;
            if (_momentum is not null)
            {
                var factor = new Vector<float>(momentumFactor);
                var m = Vector.FusedMultiplyAdd(factor, Vector.Load(_momentum + i), gradient);
                m.Store(_momentum + i);
                step = nesterov ? Vector.FusedMultiplyAdd(factor, m, gradient) : m;
            }
            Vector.FusedMultiplyAdd(new Vector<float>(-learningRate), step, p).Store(_parameters + i);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Numbers(int i)
        {
            float p = _parameters[i], gradient = MathF.FusedMultiplyAdd(weightDecay, p, _gradients[i]), step = gradient;
            if (_momentum is not null)
            {
                float m = _momentum[i] = MathF.FusedMultiplyAdd(momentumFactor, _momentum[i], gradient);
                step = nesterov ? MathF.FusedMultiplyAdd(momentumFactor, m, gradient) : m;
            }
            _parameters[i] = MathF.FusedMultiplyAdd(-learningRate, step, p);
        }
    }
}

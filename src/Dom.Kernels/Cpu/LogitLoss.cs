using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

// A row is a few logits: scalar code, the four largest found by insertion. Tasks are runs of rows whose length depends on the classes only.
public sealed unsafe partial class CpuBackend : IKernel<LogitLossStep>
{
    void IKernel<LogitLossStep>.Run(in LogitLossStep call)
    {
        const string Name = nameof(LogitLossStep);
        int rowsPerTask = Math.Max(1, 8192 / call.Classes);
        _workers.Run((call.Rows + rowsPerTask - 1) / rowsPerTask, new LogitLossJob(
            Floats(call.Logits, Name), (int*)call.Labels.Address, (int*)call.Targets.Address, Floats(call.Losses, Name),
            (int*)call.Predictions.Address, Floats(call.DLogits, Name), call.Rows, call.Classes, (LogitLossKind)call.Kind, rowsPerTask));
    }

    private readonly struct LogitLossJob(
        float* logits, int* labels, int* targets, float* losses, int* predictions, float* dlogits, int rows, int classes, LogitLossKind kind, int rowsPerTask)
        : IJob
    {
        private const int Largest = 4;

        private readonly float* _logits = logits, _losses = losses, _dlogits = dlogits;
        private readonly int* _labels = labels, _targets = targets, _predictions = predictions;

        public void Execute(int task, int worker)
        {
            int end = Math.Min(rows, (task + 1) * rowsPerTask);
            for (int n = task * rowsPerTask; n < end; n++)
                Row(n);
        }

        private void Row(int n)
        {
            float* z = _logits + (long)n * classes, dz = _dlogits is null ? null : _dlogits + (long)n * classes;
            if (dz is not null)
                new Span<float>(dz, classes).Clear();
            int* order = stackalloc int[Largest];
            bool isNumber = FindLargest(z, order);
            if (_predictions is not null)
                _predictions[n] = isNumber ? order[0] : -1;
            if (!isNumber)
            {
                _losses[n] = float.NaN;
                return;
            }
            int label = _labels[n];
            int other = kind is LogitLossKind.Margin or LogitLossKind.Dlr ? order[order[0] == label ? 1 : 0] : _targets[n];
            float difference = z[label] - z[other];
            if (kind is LogitLossKind.Margin or LogitLossKind.Difference)
            {
                float sign = kind == LogitLossKind.Margin ? 1 : -1;
                _losses[n] = sign * difference;
                if (dz is not null)
                {
                    dz[label] += sign;
                    dz[other] -= sign;
                }
                return;
            }
            int first = order[0], third = order[2], fourth = kind == LogitLossKind.Dlr ? third : order[3];
            // Half the sum of two differences: both are exact or nearly so, where the mean of the third and the fourth would be rounded first.
            float spread = 0.5f * (z[first] - z[third] + (z[first] - z[fourth])) + 1e-12f;
            float inverse = 1 / spread, slope = difference * inverse * inverse;
            _losses[n] = -difference / spread;
            if (dz is null)
                return;
            dz[label] -= inverse;
            dz[other] += inverse;
            dz[first] += slope;
            dz[third] -= 0.5f * slope;
            dz[fourth] -= 0.5f * slope;
        }

        /// <summary>The classes of the four largest logits, from the largest down, a tie in the order of the classes; false where a logit is NaN.</summary>
        private bool FindLargest(float* z, int* order)
        {
            int found = 0;
            for (int c = 0; c < classes; c++)
            {
                if (float.IsNaN(z[c]))
                    return false;
                int place = found;
                while (place > 0 && z[c] > z[order[place - 1]])
                    place--;
                if (place == Largest)
                    continue;
                found = Math.Min(found + 1, Largest);
                for (int i = found - 1; i > place; i--)
                    order[i] = order[i - 1];
                order[place] = c;
            }
            return true;
        }
    }
}

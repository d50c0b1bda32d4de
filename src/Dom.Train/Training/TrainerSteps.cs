using Dom.Tensors;
using Dom.Train.Data;

namespace Dom.Train.Training;

// The steps of an epoch: each is queued, and told of when its figures are on the host.
public sealed partial class Trainer
{
    private PendingFigures? _queued; // a step of which State does not know yet

    /// <summary>
    /// Does the remaining steps of the epoch under way. A device that works behind the host is kept busy: the next step is queued before the figures of a step are
    /// read. Nothing is under way any more when the method returns, however it does.
    /// </summary>
    /// <param name="observer">Is told of each step.</param>
    /// <param name="afterStep">
    /// Called with the figures of each step behind it, when <see cref="State"/> is that behind the step. The network may be one step ahead; see
    /// <paramref name="settleEvery"/>.
    /// </param>
    /// <param name="cancel">Stops after the steps that are under way; all of them are told.</param>
    /// <param name="settleEvery">
    /// After every so many steps of the epoch nothing is queued before <paramref name="afterStep"/> has returned, so that the network, and what <see cref="Save"/>
    /// writes, is that of the step; 0 for never.
    /// </param>
    /// <returns>Images a second, or NaN where no step was left.</returns>
    /// <exception cref="DivergedException">
    /// A loss is not finite; parameters, momentum and <see cref="State"/> are those before the step. Running statistics and ledger rows are not: that step has written
    /// them, and so has one that was queued behind it. A run goes on from its last checkpoint.
    /// </exception>
    public double RunSteps(ITrainingObserver? observer, Action<StepMetrics>? afterStep, CancellationToken cancel, int settleEvery = 0)
    {
        var order = RandomStream.For(_options.Seed, RandomPurpose.Order, State.Epoch).Permutation(_train.Count);
        var reports = new StepReports(_options);
        try
        {
            while (State.Step + (_queued is null ? 0 : 1) < Steps && !cancel.IsCancellationRequested)
            {
                var before = _queued;
                PendingFigures next;
                try
                {
                    next = Queue(order, new StepPosition(State.Epoch, State.Step + (before is null ? 0 : 1), Steps), observer);
                }
                catch when (before is not null)
                {
                    ReportQueued(); // what came first is told first
                    throw;
                }
                _queued = next;
                if (before is not null)
                    Report(before);
                if (next.IsDone || (settleEvery > 0 && (next.Position.Step + 1) % settleEvery == 0))
                    ReportQueued();
            }
            ReportQueued();
        }
        catch (Exception e)
        {
            Settle(e, reports);
            throw;
        }
        return reports.ImagesPerSecond;

        void ReportQueued()
        {
            if (_queued is not { } step)
                return;
            _queued = null;
            Report(step);
        }

        void Report(PendingFigures step)
        {
            StepFigures figures;
            using (step)
            {
                if (!step.IsDone)
                    using (observer?.Begin("wait"))
                        step.Wait();
                figures = step.Read();
            }
            StepProgress progress;
            StepMetrics metrics;
            using (observer?.Begin("figures"))
            {
                State = reports.Count(State, figures);
                (metrics, progress) = reports.Of(step.Position, figures);
            }
            observer?.StepDone(progress);
            afterStep?.Invoke(metrics);
        }
    }

    /// <summary>Queues a step; where the device works at once, it is done.</summary>
    private PendingFigures Queue(int[] order, StepPosition position, ITrainingObserver? observer)
    {
        using var scope = new TensorScope();
        int start = position.Step * _options.Batch;
        Batch batch;
        using (observer?.Begin("batch"))
            batch = BatchOf(order.AsSpan(start, Math.Min(_options.Batch, order.Length - start)), position);
        return _step.Run(batch, position);
    }

    /// <summary>
    /// Leaves nothing under way behind an exception. A step that was queued already has happened all the same and is counted, unless the loss of the step before was
    /// not finite: then it has moved nothing.
    /// </summary>
    private void Settle(Exception reason, StepReports reports)
    {
        using var left = _queued;
        _queued = null;
        try
        {
            try
            {
                if (left?.Read() is { } figures && reason is not DivergedException)
                    State = reports.Count(State, figures);
            }
            catch (DivergedException)
            {
                // It has moved nothing, and will be told when the step is made again.
            }
            _step.Recover();
        }
        catch (DeviceException)
        {
            // The exception that is on its way came first and says more.
        }
    }

    /// <summary>The batch of a step: gathered, cropped, flipped and, where every image is, augmented.</summary>
    private Batch BatchOf(ReadOnlySpan<int> rows, StepPosition position)
    {
        var batch = _train.Gather(rows, _options.Augmentation, RandomStream.For(_options.Seed, RandomPurpose.Augmentation, position.Epoch));
        return _augmentation is null ? batch : batch with
        {
            Pixels = _augmentation.Apply(
                batch.Pixels, rows, _options.DrawsOf(RandomPurpose.ImageAugmentation, position), 0, _options.AugmentationDraw),
        };
    }
}

using Dom.Kernels.Cpu;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;
using Dom.Train.Training;

namespace Dom.Train.Tests.Training;

public sealed class QueuedTogetherTests
{
    private static readonly TrainOptions s_options = Runs.Small with { Model = "mlp", Batch = 16 };

    [Test]
    public void All_calls_of_a_step_may_be_handed_over_together_and_none_outside_of_one()
    {
        using var backend = new TogetherBackend(new CpuBackend(1));
        using (var trainer = new Trainer(s_options, TrainingData.Open(s_options), backend))
        {
            backend.Outside.Clear();
            trainer.RunSteps(null, null, CancellationToken.None);
        }
        Assert.That((backend.Begun, backend.Open), Is.EqualTo((5, 0)));
        Assert.That(backend.Inside, Is.SupersetOf(new[] { nameof(SoftmaxCrossEntropyStep), nameof(SgdStep) }));
        Assert.That(backend.Outside, Does.Not.Contain(nameof(SgdStep)).And.Not.Contain(nameof(SoftmaxCrossEntropyStep)));
    }

    [Test]
    public void A_step_that_fails_ends_it_too()
    {
        using var backend = new TogetherBackend(new CpuBackend(1)) { FailsAtOptimizer = true };
        using var trainer = new Trainer(s_options, TrainingData.Open(s_options), backend);
        Assert.That(() => trainer.RunSteps(null, null, CancellationToken.None), Throws.TypeOf<DeviceException>());
        Assert.That((backend.Begun, backend.Open), Is.EqualTo((1, 0)));
    }

    /// <summary>Another backend that notes which calls came while they might be handed over together.</summary>
    private sealed class TogetherBackend(IBackend inner) : DecoratingBackend(inner)
    {
        public int Begun { get; private set; }

        public int Open { get; private set; }

        public bool FailsAtOptimizer { get; init; }

        public HashSet<string> Inside { get; } = [];

        public HashSet<string> Outside { get; } = [];

        public override void Run<TCall>(in TCall call)
        {
            (Open > 0 ? Inside : Outside).Add(typeof(TCall).Name);
            if (FailsAtOptimizer && call is SgdStep)
                throw new DeviceException("the optimizer fails.");
            Inner.Run(in call);
        }

        public override IDisposable QueueTogether()
        {
            Begun++;
            Open++;
            return new End(this);
        }

        private sealed class End(TogetherBackend backend) : IDisposable
        {
            private bool _isOver;

            public void Dispose()
            {
                backend.Open -= _isOver ? 0 : 1;
                _isOver = true;
            }
        }
    }
}

using System.Text.Json;
using Dom.Kernels.Cpu;
using Dom.Kernels.Reference;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Tensors.Tests.Backend;

public sealed class DecoratorTests
{
    private static IEnumerable<Func<IBackend, DecoratingBackend>> Decorators =>
    [
        b => new RecordingBackend(b), b => new ProfilingBackend(b), b => new NanTrapBackend(b),
        b => new CheckingBackend(b, new ReferenceBackend()),
    ];

    [TestCaseSource(nameof(Decorators))]
    public void A_decorator_passes_everything_through_and_its_tensors_run_on_it(Func<IBackend, DecoratingBackend> decorate)
    {
        using var cpu = new CpuBackend(1);
        using var backend = decorate(cpu);
        using (new TensorScope())
        {
            var x = Tensor.From([1f, -2], Shape.Of(2), backend);
            var y = Relu.Apply(Add.Apply(x, x));
            Assert.Multiple(() =>
            {
                Assert.That(y.ToFloats(), Is.EqualTo(new[] { 2f, 0 }));
                using var read = y.BeginRead();
                Assert.That((read.IsDone, read.ToArray<float>()), Is.EqualTo((true, new[] { 2f, 0 })));
                Assert.That(y.Backend, Is.SameAs(backend));
                Assert.That((backend.Name, backend.CallCount), Is.EqualTo(("cpu", 2)));
                Assert.That(backend.Memory, Is.SameAs(cpu.Memory));
                Assert.That(backend.Supports(typeof(Fill), DType.F32), Is.True);
                Assert.That(backend.Supports(typeof(Fill), DType.F64), Is.False);
                using var held = backend.HoldConstant(x.Read);
                Assert.That(held, Is.Not.Null);
            });
        }
        Assert.That(cpu.Memory.LiveBytes, Is.Zero);
    }

    [TestCaseSource(nameof(Decorators))]
    public void A_decorator_lets_calls_be_queued_together_where_its_backend_does(Func<IBackend, DecoratingBackend> decorate)
    {
        using DecoratingBackend atOnce = decorate(new CpuBackend(1)), together = decorate(new Together(new CpuBackend(1)));
        Assert.That(atOnce.QueueTogether(), Is.Null, "the processor has each call at once");
        Assert.That(together.QueueTogether(), Is.SameAs(Together.End));
    }

    [Test]
    public void A_copy_to_the_host_that_was_begun_holds_the_elements_as_they_were_then()
    {
        foreach (IBackend backend in (IBackend[])[new CpuBackend(1), new ReferenceBackend(), new RecordingBackend(new ReferenceBackend())])
        {
            using (backend)
            using (new TensorScope())
            {
                var x = Tensor.From([1f, -2], Shape.Of(2), backend);
                using var read = x.BeginRead();
                backend.Run(new Fill(x.Write, 7));
                x.Dispose();
                read.Wait();
                Assert.That(read.ToArray<float>(), Is.EqualTo(new[] { 1f, -2 }), backend.Name);
            }
        }
    }

    [Test]
    public void A_recording_lists_calls_with_arguments_but_without_addresses_and_can_be_replayed()
    {
        using var backend = new RecordingBackend(new ReferenceBackend());
        using var scope = new TensorScope();
        var x = Filled.Create(Shape.Of(1, 2, 2, 1), 0.5f, backend);
        var y = Conv2d.Apply(x, Filled.Create(Shape.Of(3, 1, 1, 1), 2, backend), stride: 2);
        Assert.That(backend.Calls.Select(c => c.ToString()), Is.EqualTo(new[]
        {
            "Fill(Y=f32[4], Value=0.5)",
            "Fill(Y=f32[3], Value=2)",
            "Conv2dForward(X=f32[4], Weight=f32[3], Y=f32[3], Batch=1, Height=2, Width=2, Inputs=1, Outputs=3, KernelHeight=1, " +
            "KernelWidth=1, Stride=2, Padding=0)",
        }));
        var calls = backend.Calls;
        backend.Clear();
        x.CopyFrom([7f, 0, 0, 0]);
        calls[2].Replay(backend);
        Assert.That(y.ToFloats(), Is.EqualTo(new[] { 14f, 14, 14 }));
        Assert.That(backend.Calls, Has.Count.EqualTo(1));
    }

    [Test]
    public void The_layout_of_a_call_gives_every_argument_and_takes_other_memory()
    {
        var layout = KernelCallLayout.Of<BatchNorm2dInfer>();
        var views = Enumerable.Range(1, 6).Select(i => new View(64 * i, i, DType.F32, i == 6 ? Access.Write : Access.Read)).ToArray();
        var call = new BatchNorm2dInfer(views[0], views[1], views[2], views[3], views[4], views[5], 7, 8, 0.25f, 1);
        Assert.That(layout.Views.Select(v => v.Name), Is.EqualTo(new[] { "X", "Gamma", "Beta", "Mean", "Variance", "Y" }));
        Assert.That(layout.Views.Select(v => (int)v.Offset), Is.EqualTo(new[] { 0, 16, 32, 48, 64, 80 }));
        Assert.That(layout.Scalars.Select(s => (s.Name, (int)s.Offset)), Is.EqualTo(
            new[] { ("Rows", 96), ("Channels", 100), ("Epsilon", 104), ("Relu", 108) }));
        Assert.That(layout.ViewsOf(call), Is.EqualTo(views));
        var moved = views.Select(v => v with { Address = v.Address + 1 }).ToArray();
        Assert.That(layout.WithViews(call, moved), Is.EqualTo(new BatchNorm2dInfer(
            moved[0], moved[1], moved[2], moved[3], moved[4], moved[5], 7, 8, 0.25f, 1)));
    }

    [Test]
    public void Numbers_of_every_width_are_printed_as_they_are() =>
        Assert.That(KernelCallLayout.Of<Wide>().Describe(new Wide(View.None, ulong.MaxValue, long.MinValue, 0.1, uint.MaxValue, -1,
            RandomStream.For(ulong.MaxValue, RandomPurpose.Test, step: 3))), Is.EqualTo(
            "X=none, A=18446744073709551615, B=-9223372036854775808, C=0.1, D=4294967295, E=-1, " +
            "Seed=18446744073709551615, PurposeAndEpoch=134217728, Step=3, Sample=0"));

    [Test]
    public void Checking_names_the_first_call_that_differs_its_argument_and_its_sizes()
    {
        using var backend = new CheckingBackend(new Faulty(new ReferenceBackend()), new ReferenceBackend());
        using var scope = new TensorScope();
        var x = Tensor.From([1f, 2, 4], Shape.Of(3), backend);
        var sum = Add.Apply(x, x);
        Assert.That(() => Relu.Apply(sum), Throws.TypeOf<DeviceException>().With.Message.EqualTo(
            "reference: call 2, ReluForward(X=f32[3], Y=f32[3]): Y differs from reference: element 2 is 8.25 and should be 8; " +
            "normalized error 0.0312, allowed 0.0001."));
    }

    [Test]
    public void Checking_accepts_calls_in_place_on_overlapping_memory_and_absent_arguments()
    {
        using var cpu = new CpuBackend(1);
        using var backend = new CheckingBackend(cpu, new ReferenceBackend());
        using (new TensorScope())
        {
            var x = Tensor.From(Enumerable.Range(0, 40).Select(i => i - 20f).ToArray(), Shape.Of(40), backend);
            backend.Run(new AddForward(x.Read, x.Read, x.Write));
            backend.Run(new Accumulate(x.Read, x.ReadWrite));
            Assert.That(x.ToFloats(), Is.EqualTo(Enumerable.Range(0, 40).Select(i => 4 * (i - 20f))));
            backend.Run(new ReluForward(x.Rows(0, 30).Read, x.Rows(0, 30).Write));
            backend.Run(new AddForward(x.Rows(0, 15).Read, x.Rows(5, 15).Read, x.Rows(20, 15).Write));
            var gamma = Filled.Create(Shape.Of(4), 1, backend);
            BatchNorm2d.Train(x.As(Shape.Of(10, 4)), gamma, gamma, null);
        }
        Assert.That((cpu.Memory.LiveBytes, backend.CallCount), Is.EqualTo((0L, 6)));
    }

    [Test]
    public void Checking_gives_the_copies_back()
    {
        var reference = new ReferenceBackend();
        using var backend = new CheckingBackend(new ReferenceBackend(), reference);
        using (new TensorScope())
            Relu.Apply(Filled.Create(Shape.Of(9), 1, backend));
        Assert.That((reference.Memory.LiveBytes, reference.Memory.PeakBytes > 0), Is.EqualTo((0L, true)));
    }

    [Test]
    public void The_trap_names_the_call_that_made_the_first_NaN()
    {
        using var backend = new NanTrapBackend(new ReferenceBackend());
        using var scope = new TensorScope();
        var x = Tensor.From([1f, 3e38f, 2], Shape.Of(3), backend);
        Relu.Apply(x);
        var error = Assert.Throws<NanException>(() => Add.Apply(x, x))!;
        Assert.That((error.Call, error.Number, error.Argument, error.Element), Is.EqualTo(("AddForward", 2, "Y", 1)));
        Assert.That(error.Message, Is.EqualTo(
            "reference: call 2, AddForward(A=f32[3], B=f32[3], Y=f32[3]), wrote Infinity to Y, element 1; all its inputs were finite."));
    }

    [Test]
    public void The_trap_says_which_inputs_were_bad_already()
    {
        using var backend = new NanTrapBackend(new ReferenceBackend());
        using var scope = new TensorScope();
        var good = Tensor.From([1f, 2], Shape.Of(2), backend);
        var bad = Tensor.From([1f, float.NaN], Shape.Of(2), backend);
        Assert.Multiple(() =>
        {
            Assert.That(() => Add.Apply(good, bad), Throws.TypeOf<NanException>().With.Message.Contains("was already in B."));
            Assert.That(() => backend.Run(new Accumulate(good.Read, bad.ReadWrite)), Throws.TypeOf<NanException>().With.Message.Contains("was already in Y."));
            Assert.That(() => backend.Run(new Accumulate(bad.Read, good.ReadWrite)), Throws.TypeOf<NanException>().With.Message.Contains("was already in X."));
            Assert.That(() => backend.Run(new ReluForward(bad.Read, bad.Write)), Throws.TypeOf<NanException>().With.Message.Contains("was already in X."));
        });
    }

    [Test]
    public void A_profile_is_a_chrome_trace_with_one_complete_event_a_call()
    {
        using var backend = new ProfilingBackend(new ReferenceBackend());
        using var scope = new TensorScope();
        Relu.Apply(Relu.Apply(Filled.Create(Shape.Of(100), 1, backend)));
        using var stream = new MemoryStream();
        backend.WriteTo(stream);
        using var json = JsonDocument.Parse(stream.ToArray());
        var events = json.RootElement.GetProperty("traceEvents").EnumerateArray().ToArray();
        Assert.That(events.Select(e => e.GetProperty("name").GetString()), Is.EqualTo(new[] { "Fill", "ReluForward", "ReluForward" }));
        Assert.That(events.Select(e => e.GetProperty("ph").GetString()), Is.All.EqualTo("X"));
        Assert.That(events[0].GetProperty("args").GetProperty("call").GetString(), Is.EqualTo("Y=f32[100], Value=1"));
        for (int i = 1; i < events.Length; i++)
            Assert.That(events[i].GetProperty("ts").GetDouble(), Is.GreaterThanOrEqualTo(
                events[i - 1].GetProperty("ts").GetDouble() + events[i - 1].GetProperty("dur").GetDouble()));
        Assert.That(stream.CanRead, Is.True, "the stream belongs to the caller");
    }

    [Test]
    public void The_summary_adds_up_calls_of_one_name_and_shares_add_up_to_one()
    {
        using var backend = new ProfilingBackend(new ReferenceBackend());
        using var scope = new TensorScope();
        Relu.Apply(Relu.Apply(Filled.Create(Shape.Of(100), 1, backend)));
        Assert.That(backend.Summary.Select(r => (r.Name, r.Count)), Is.EquivalentTo(new[] { ("Fill", 1), ("ReluForward", 2) }));
        Assert.That(backend.Summary.Sum(r => r.Share), Is.EqualTo(1).Within(1e-9));
        Assert.That(backend.Table(), Does.Contain("ReluForward         2"));
    }

    [Test]
    public void Several_threads_may_be_profiled_at_once()
    {
        using var backend = new ProfilingBackend(new ReferenceBackend());
        var threads = Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            for (int i = 0; i < 100; i++)
                using (new TensorScope())
                    Filled.Create(Shape.Of(8), 1, backend);
        })).ToArray();
        Array.ForEach(threads, t => t.Start());
        Array.ForEach(threads, t => t.Join());
        Assert.That(backend.Calls, Has.Count.EqualTo(400));
        Assert.That(backend.CallCount, Is.EqualTo(400));
    }

    private readonly record struct Wide(View X, ulong A, long B, double C, uint D, int E, RandomStream Stream) : IKernelCall;

    /// <summary>A backend that has something to end where calls may be queued together.</summary>
    private sealed class Together(IBackend inner) : DecoratingBackend(inner)
    {
        public static IDisposable End { get; } = new MemoryStream();

        public override void Run<TCall>(in TCall call) => Inner.Run(in call);

        public override IDisposable QueueTogether() => End;
    }

    /// <summary>Adds 0.25 to the last result of every relu.</summary>
    private sealed class Faulty(IBackend inner) : DecoratingBackend(inner)
    {
        public override void Run<TCall>(in TCall call)
        {
            Inner.Run(in call);
            if (call is not ReluForward relu)
                return;
            var last = relu.Y with { Address = relu.Y.Address + (relu.Y.Length - 1) * sizeof(float), Length = 1 };
            var bytes = new byte[4];
            Inner.CopyToHost(last, bytes);
            Inner.CopyFromHost(BitConverter.GetBytes(BitConverter.ToSingle(bytes) + 0.25f), last);
        }
    }
}

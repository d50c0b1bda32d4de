using Dom.Kernels.Reference;
using Dom.Tensors.Autodiff;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Tensors.Tests.Autodiff;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class TapeTests
{
    private readonly RecordingBackend _backend = new(new ReferenceBackend());
    private TensorScope _scope = null!;

    [SetUp]
    public void Open()
    {
        _backend.Clear();
        _scope = new TensorScope();
    }

    [TearDown]
    public void Nothing_is_left()
    {
        _scope.Dispose();
        Assert.That(Tape.Tracks(null!), Is.False);
        Assert.That(_backend.Memory.LiveBytes, Is.Zero, _backend.Memory.Report());
    }

    [Test]
    public void Watching_the_input_runs_no_weight_gradient_and_the_other_way_round()
    {
        var x = Of([1, 2, 3, 4], 1, 2, 2, 1);
        var weight = Of([2, 3], 2, 1, 1, 1);
        GradientOf(Conv2d.Apply, x);
        Assert.That(Names(), Does.Contain("Conv2dInputGradient").And.Not.Contain("Conv2dWeightGradient"));
        GradientOf(Conv2d.Apply, weight);
        Assert.That(Names(), Does.Contain("Conv2dWeightGradient").And.Not.Contain("Conv2dInputGradient"));

        void GradientOf(Func<Tensor, Tensor, int, int, Tensor> conv, Tensor watched)
        {
            _backend.Clear();
            using var tape = new Tape(watched);
            var y = conv(x, weight, 1, 0);
            Assert.That(tape.Gradient(y, Ones(y))[watched].ToFloats(), Is.EqualTo(
                watched == x ? new[] { 5f, 5, 5, 5 } : [10f, 10]));
        }
    }

    [Test]
    public void What_does_not_lead_to_a_watched_tensor_is_not_recorded()
    {
        var x = Of([1, -2]);
        var other = Of([3, 4]);
        using var tape = new Tape(x);
        var constant = Relu.Apply(Add.Apply(other, other));
        Assert.That(tape.Count, Is.Zero);
        var y = Add.Apply(constant, x);
        Assert.That((tape.Count, Tape.Tracks(constant), Tape.Tracks(y)), Is.EqualTo((1, false, true)));
    }

    [Test]
    public void A_residual_hands_one_gradient_to_two_inputs_without_mixing_them_up()
    {
        var x = Of([1, -2, 3]);
        using var tape = new Tape(x);
        var r = Relu.Apply(x);
        var y = Add.Apply(r, x);
        var z = Add.Apply(Relu.Apply(y), y);
        // z = 4x above 0 and x below.
        Assert.That(tape.Gradient(z, Ones(z))[x].ToFloats(), Is.EqualTo(new[] { 4f, 1, 4 }));
    }

    [Test]
    public void The_sum_of_both_inputs_of_x_plus_x_does_not_touch_the_seed()
    {
        var x = Of([1, 2]);
        var seed = Of([5, 7]);
        using var tape = new Tape(x);
        var y = Add.Apply(x, x);
        Assert.That(tape.Gradient(y, seed)[x].ToFloats(), Is.EqualTo(new[] { 10f, 14 }));
        Assert.That(seed.ToFloats(), Is.EqualTo(new[] { 5f, 7 }));
    }

    [Test]
    public void A_tensor_used_three_times_gets_the_sum_of_three_gradients()
    {
        var x = Of([1, -2]);
        using var tape = new Tape(x);
        var y = Add.Apply(Add.Apply(Relu.Apply(x), Relu.Apply(x)), Relu.Apply(x));
        Assert.That(tape.Gradient(y, Of([1, 10]))[x].ToFloats(), Is.EqualTo(new[] { 3f, 0 }));
    }

    [Test]
    public void An_intermediate_result_can_be_watched_beside_the_input()
    {
        var x = Of([1, -2, 3]);
        using var tape = new Tape(x);
        var h = Relu.Apply(x);
        tape.Watch(h);
        var y = Add.Apply(h, Add.Apply(h, x));
        var gradients = tape.Gradient(y, Of([1, 1, 10]));
        Assert.That(gradients[h].ToFloats(), Is.EqualTo(new[] { 2f, 2, 20 }));
        Assert.That(gradients[x].ToFloats(), Is.EqualTo(new[] { 3f, 1, 30 }));
    }

    [Test]
    public void The_output_may_be_the_watched_tensor_itself()
    {
        var x = Of([1, 2]);
        using var tape = new Tape(x);
        Assert.That(tape.Gradient(x, Of([3, 4]))[x].ToFloats(), Is.EqualTo(new[] { 3f, 4 }));
    }

    [Test]
    public void Gradients_land_in_the_slots_of_an_arena_and_an_unused_parameters_slot_becomes_zero()
    {
        var arena = Filled.Create(Shape.Of(8), float.NaN, _backend);
        Tensor once = Of([1, 2]), thrice = Of([3, -4]), shared = Of([5, 6]), unused = Of([7, 8]);
        var slots = new Dictionary<Tensor, Tensor>
        {
            [once] = arena.Rows(0, 2), [thrice] = arena.Rows(2, 2), [shared] = arena.Rows(4, 2), [unused] = arena.Rows(6, 2),
        };
        using var tape = new Tape(once, thrice, shared, unused);
        // 'shared' gets its gradients as handles on buffers of others, the rest in memory of their own.
        var sum = Add.Apply(Relu.Apply(once), Add.Apply(Relu.Apply(thrice), Add.Apply(Relu.Apply(thrice), Relu.Apply(thrice))));
        var y = Add.Apply(sum, Add.Apply(shared, shared));
        var gradients = tape.Gradient(y, Of([1, 10]), slots);
        Assert.That(arena.ToFloats(), Is.EqualTo(new[] { 1f, 10, 3, 0, 2, 20, 0, 0 }));
        Assert.That(gradients[thrice].Read.Address, Is.EqualTo(slots[thrice].Read.Address));
        Assert.That(gradients.Contains(unused), Is.False);
    }

    [Test]
    public void A_kernel_writes_straight_into_the_slot()
    {
        var x = Of([1, 2, 3, 4], 1, 2, 2, 1);
        var weight = Of([2], 1, 1, 1, 1);
        var slot = Tensor.Empty(weight.Shape, DType.F32, _backend);
        using var tape = new Tape(weight);
        var y = Conv2d.Apply(x, weight);
        tape.Gradient(y, Ones(y), new Dictionary<Tensor, Tensor> { [weight] = slot });
        Assert.That(slot.ToFloats(), Is.EqualTo(new[] { 10f }));
        Assert.That(Names(), Does.Not.Contain("Copy").And.Not.Contain("Accumulate"));
    }

    [Test]
    public void A_watched_intermediate_with_a_slot_keeps_its_gradient_apart_from_its_inputs()
    {
        var x = Of([1, -2]);
        var slot = Tensor.Empty(x.Shape, DType.F32, _backend);
        using var tape = new Tape(x);
        var h = Add.Apply(x, x);
        tape.Watch(h);
        var y = Relu.Apply(h);
        var gradients = tape.Gradient(y, Of([1, 1]), new Dictionary<Tensor, Tensor> { [h] = slot });
        Assert.That(slot.ToFloats(), Is.EqualTo(new[] { 1f, 0 }));
        Assert.That(gradients[x].ToFloats(), Is.EqualTo(new[] { 2f, 0 }));
    }

    [Test]
    public void A_slot_of_another_size_or_type_is_refused()
    {
        var x = Of([1, 2]);
        using var tape = new Tape(x);
        var y = Relu.Apply(x);
        var slots = new Dictionary<Tensor, Tensor> { [x] = Of([1, 2, 3]) };
        Assert.That(() => tape.Gradient(y, Ones(y), slots), Throws.TypeOf<ShapeException>().With.Message.Contains("slot of f32 [2]"));
    }

    [Test]
    public void An_inner_tape_does_not_record_on_the_outer_one()
    {
        var x = Of([1, -2]);
        using var outer = new Tape(x);
        var h = Add.Apply(x, x);
        using (var inner = new Tape(h))
        {
            var z = Relu.Apply(h);
            Assert.That(inner.Gradient(z, Ones(z))[h].ToFloats(), Is.EqualTo(new[] { 1f, 0 }));
        }
        Assert.That(outer.Count, Is.EqualTo(1));
        var y = Relu.Apply(h);
        Assert.That(outer.Gradient(y, Ones(y))[x].ToFloats(), Is.EqualTo(new[] { 2f, 0 }));
    }

    [Test]
    public void A_tape_that_is_closed_before_those_inside_it_says_so()
    {
        var outer = new Tape();
        var inner = new Tape();
        Assert.That(outer.Dispose, Throws.InvalidOperationException);
        inner.Dispose();
        outer.Dispose();
        outer.Dispose();
    }

    [Test]
    public void Gradients_can_be_had_once_and_nothing_is_recorded_afterwards()
    {
        var x = Of([1, 2]);
        using var tape = new Tape(x);
        var y = Relu.Apply(x);
        tape.Gradient(y, Ones(y));
        Relu.Apply(x);
        Assert.That(tape.Count, Is.Zero);
        Assert.That(() => tape.Gradient(y, Ones(y)), Throws.InvalidOperationException.With.Message.Contains("once"));
    }

    [Test]
    public void A_seed_of_another_shape_is_refused_and_the_right_one_still_works()
    {
        var x = Of([1, 2]);
        using var tape = new Tape(x);
        var y = Relu.Apply(x);
        Assert.That(() => tape.Gradient(y, Of([1])), Throws.TypeOf<ShapeException>().With.Message.Contains("[1]").And.Message.Contains("[2]"));
        Assert.That(tape.Gradient(y, Ones(y))[x].ToFloats(), Is.EqualTo(new[] { 1f, 1 }));
    }

    [Test]
    public void A_tensor_that_the_output_does_not_depend_on_has_no_gradient()
    {
        Tensor x = Of([1, 2]), other = Of([3, 4]);
        using var tape = new Tape(x, other);
        var y = Relu.Apply(x);
        var gradients = tape.Gradient(y, Ones(y));
        Assert.That(gradients.Contains(other), Is.False);
        Assert.That(() => gradients[other], Throws.TypeOf<KeyNotFoundException>().With.Message.Contains("does not depend"));
    }

    [Test]
    public void Saved_tensors_live_on_after_their_scope_and_go_as_soon_as_their_operators_backward_ran()
    {
        var x = Of([1, -2]);
        using var tape = new Tape(x);
        Tensor y;
        using (var scope = new TensorScope())
        {
            var later = new Probe(Relu.Apply(new Probe(Relu.Apply(x)).Output)).Output;
            y = scope.Keep(Add.Apply(later, later));
        }
        var seed = Ones(y);
        Probe.LiveBlocks.Clear();
        tape.Gradient(y, seed);
        // The walk meets the later probe first: live are x, y, the seed, a gradient and what both relus saved. At the other probe the later
        // relu has let go. In the end x, y, the seed and the gradient of x are left.
        Assert.That(Probe.LiveBlocks, Is.EqualTo(new[] { 6, 5 }));
        Assert.That(_backend.Memory.LiveBlocks, Is.EqualTo(4));
    }

    [Test]
    public void A_backward_pass_that_fails_leaks_nothing_and_leaves_the_tape_open_to_be_closed()
    {
        var x = Of([1, -2]);
        var slot = Of([9, 9]);
        long before = _backend.Memory.LiveBytes;
        using (new TensorScope())
        using (var tape = new Tape(x))
        {
            var y = Add.Apply(Relu.Apply(new Failing(Relu.Apply(x)).Output), Relu.Apply(x));
            Assert.That(() => tape.Gradient(y, Ones(y), new Dictionary<Tensor, Tensor> { [x] = slot }), Throws.TypeOf<DeviceException>());
            Assert.That(tape.Count, Is.Zero);
        }
        Assert.That(_backend.Memory.LiveBytes, Is.EqualTo(before), _backend.Memory.Report());
    }

    [Test]
    public void A_forward_pass_that_fails_leaks_nothing()
    {
        var x = Of([1, -2]);
        long before = _backend.Memory.LiveBytes;
        Assert.That(() =>
        {
            using var scope = new TensorScope();
            using var tape = new Tape(x);
            Add.Apply(Relu.Apply(x), Of([1, 2, 3]));
        }, Throws.TypeOf<ShapeException>());
        Assert.That(_backend.Memory.LiveBytes, Is.EqualTo(before));
    }

    [Test]
    public void A_step_that_repeats_makes_the_same_calls_at_the_same_addresses()
    {
        Tensor x = Of([1, 2, 3, 4], 1, 2, 2, 1), weight = Of([2], 1, 1, 1, 1), gamma = Of([1]), beta = Of([0]);
        string[] Step()
        {
            _backend.Clear();
            using var scope = new TensorScope();
            using var tape = new Tape(weight, gamma, beta);
            var h = BatchNorm2d.Train(Conv2d.Apply(x, weight), gamma, beta, null, relu: true);
            var y = Add.Apply(h, x);
            tape.Gradient(y, Ones(y));
            return _backend.Calls.Select(c => $"{c} at {string.Join(" ", c.Views.Select(v => v.Address))}").ToArray();
        }
        Step();
        var second = Step();
        long live = _backend.Memory.LiveBytes;
        for (int step = 0; step < 5; step++)
            Assert.That(Step(), Is.EqualTo(second));
        Assert.That(_backend.Memory.LiveBytes, Is.EqualTo(live));
    }

    private Tensor Of(float[] values, params int[] sizes) => Tensor.From(values, sizes.Length == 0 ? Shape.Of(values.Length) : Shape.Of(sizes), _backend);

    private Tensor Ones(Tensor like) => Filled.Create(like.Shape, 1, _backend);

    private string[] Names() => _backend.Calls.Select(c => c.Name).ToArray();

    /// <summary>The identity; notes how many blocks are live when its backward runs.</summary>
    private sealed class Probe : Op
    {
        public static readonly List<int> LiveBlocks = [];

        public Probe(Tensor x) : base("probe", x.As(x.Shape), x) => Tape.Record(this);

        public new Tensor Output => base.Output;

        protected internal override void Backward(Tensor dy, Gradients gradients)
        {
            LiveBlocks.Add(Backend.Memory.LiveBlocks);
            gradients.Add(Input(0), dy);
        }
    }

    /// <summary>The identity; its backward fails after it asked for memory.</summary>
    private sealed class Failing : Op
    {
        public Failing(Tensor x) : base("failing", x.As(x.Shape), x)
        {
            Save(x);
            Tape.Record(this);
        }

        public new Tensor Output => base.Output;

        protected internal override void Backward(Tensor dy, Gradients gradients)
        {
            gradients.Allocate(Input(0));
            throw new DeviceException("no such kernel");
        }
    }
}

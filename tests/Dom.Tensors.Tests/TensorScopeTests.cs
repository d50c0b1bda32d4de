using Dom.Kernels.Reference;

namespace Dom.Tensors.Tests;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class TensorScopeTests
{
    private readonly ReferenceBackend _backend = new();

    [TearDown]
    public void Nothing_is_left()
    {
        Assert.That(TensorScope.Current, Is.Null);
        Assert.That(_backend.Memory.LiveBytes, Is.Zero, _backend.Memory.Report());
    }

    [Test]
    public void A_scope_releases_the_tensors_that_were_made_in_it_and_no_others()
    {
        using var outside = New();
        Tensor inside;
        using (new TensorScope())
            inside = New();
        Assert.That((outside.IsDisposed, inside.IsDisposed), Is.EqualTo((false, true)));
    }

    [Test]
    public void A_kept_tensor_belongs_to_the_outer_scope_or_to_the_caller()
    {
        Tensor twice, once;
        using (var outer = new TensorScope())
        {
            using (var inner = new TensorScope())
            {
                twice = inner.Keep(New());
                once = inner.Keep(New());
            }
            Assert.That((twice.IsDisposed, once.IsDisposed), Is.EqualTo((false, false)));
            outer.Keep(twice);
        }
        Assert.That((twice.IsDisposed, once.IsDisposed), Is.EqualTo((false, true)));
        twice.Dispose();
    }

    [Test]
    public void Keeping_a_tensor_of_another_scope_changes_nothing()
    {
        using var persistent = Tensor.Persistent(Shape.Of(1), DType.F32, _backend, "test");
        using (var scope = new TensorScope())
            Assert.That(scope.Keep(persistent), Is.SameAs(persistent));
        Assert.That(persistent.IsDisposed, Is.False);
    }

    [Test]
    public void Persistent_tensors_and_shared_handles_outlive_the_scope()
    {
        Tensor persistent, shared;
        using (new TensorScope())
        {
            persistent = Tensor.Persistent(Shape.Of(2), DType.F32, _backend, "test");
            shared = New().Share();
        }
        Assert.That(shared.ToFloats(), Is.EqualTo(new[] { 1f, 2f }));
        persistent.Dispose();
        shared.Dispose();
    }

    [Test]
    public void A_scope_that_is_closed_before_those_inside_it_says_so()
    {
        var outer = new TensorScope();
        var inner = new TensorScope();
        var tensor = New();
        Assert.That(outer.Dispose, Throws.InvalidOperationException.With.Message.Contains("scopes inside it"));
        Assert.That(tensor.IsDisposed, Is.False);
        inner.Dispose();
        outer.Dispose();
        outer.Dispose();
    }

    [Test]
    public void A_scope_does_not_reach_into_other_threads()
    {
        using var scope = new TensorScope();
        TensorScope? seen = scope;
        var thread = new Thread(() => seen = TensorScope.Current);
        thread.Start();
        thread.Join();
        Assert.That(seen, Is.Null);
    }

    private Tensor New() => Tensor.From([1f, 2f], Shape.Of(2), _backend);
}

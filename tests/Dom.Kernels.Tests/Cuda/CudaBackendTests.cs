using Dom.Kernels.Cuda;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Tests.Cuda;

/// <summary>What the backend does around its kernels, on a driver that computes nothing.</summary>
public sealed class CudaBackendTests
{
    private PtxDriver _driver = null!;
    private CudaBackend _backend = null!;
    private View? _operands;

    [SetUp]
    public void Open()
    {
        _backend = new CudaBackend("cuda:0", _driver = new PtxDriver());
        _operands = null;
    }

    [TearDown]
    public void Close() => _backend.Dispose();

    [Test]
    public void A_kernel_is_looked_up_once()
    {
        var y = Floats(100);
        for (int i = 0; i < 3; i++)
            _backend.Run(new Fill(y, i));
        Assert.That(_driver.Events, Is.EqualTo(new[] { "allocate 512", "kernel fill_f32", "launch fill_f32", "launch fill_f32", "launch fill_f32" }));
    }

    [Test]
    public void Nothing_is_read_without_asking_the_driver()
    {
        using var read = _backend.BeginCopyToHost(Floats(0));
        Assert.That((read.IsDone, read.ToArray<float>()), Is.EqualTo((true, Array.Empty<float>())));
    }

    [Test]
    public void A_type_without_a_kernel_is_named_with_those_that_there_are()
    {
        var integers = new View(_backend.Memory.Allocate(64, "test"), 16, DType.I32, Access.Write);
        Assert.That(() => _backend.Run(new Fill(integers, 1)), Throws.TypeOf<DeviceException>()
            .With.Message.EqualTo("cuda:0: no kernel for fill(i32). f32 and bf16 are supported; cast the tensor."));
    }

    [Test]
    public void A_call_on_no_elements_launches_nothing()
    {
        _backend.Run(new Gemm(Floats(0), Floats(0), Floats(0), 0, 0, 0, 1, 0));
        Assert.That(_driver.Launched, Is.Empty);
    }

    [Test]
    public void Room_for_partial_sums_grows_and_then_stays_where_it_is()
    {
        Product(64);
        Product(256);
        Product(256);
        Product(64);
        var rooms = _driver.Events.Where(e => e.StartsWith("allocate", StringComparison.Ordinal)).Skip(1).ToArray();
        Assert.That(rooms, Has.Length.EqualTo(2), string.Join(", ", _driver.Events));
        int grows = _driver.Events.IndexOf(rooms[1]);
        Assert.That(_driver.Events[grows - 2], Is.EqualTo("synchronize"), "a kernel may still be at work in the old room");
        Assert.That(_driver.Events[grows - 1], Does.StartWith("free"));
    }

    [Test]
    public void Memory_that_is_kept_for_reuse_gives_way_to_partial_sums_and_to_tensors()
    {
        var operands = Floats(3 * 256 * 256);
        for (int i = 0; i < 4; i++)
            Release(Floats(1 << 18));
        nint[] kept = [.. Enumerable.Range(0, 4).Select(_ => _backend.Memory.Allocate(1 << 20, "kept"))];
        foreach (nint block in kept)
            _backend.Memory.Free(block);
        _driver.Limit = _driver.Used + (100 << 10);
        Product(256, operands);
        Assert.That(_backend.Memory.CachedBytes, Is.LessThan(4 << 20));
        Assert.That(_driver.Launched, Does.Contain("gemm_64x64_f32"));
    }

    [Test]
    public void Without_room_for_partial_sums_the_message_says_how_much_and_who_has_the_memory()
    {
        var operands = Floats(3 * 256 * 256, "activations");
        _driver.Limit = _driver.Used + 1000;
        Assert.That(() => Product(256, operands), Throws.TypeOf<DeviceMemoryException>().With.Message
            .EqualTo("cuda:0: out of memory: a kernel needs 0.5 MiB for partial sums, 0.8 MiB are in use (activations 0.8 MiB in 1). Use a smaller batch."));
        _driver.Limit = long.MaxValue;
        Assert.That(() => Product(256, operands), Throws.Nothing, "and nothing is broken by it");
    }

    [Test]
    public void Without_room_for_a_tensor_the_message_says_who_asked_and_who_has_the_memory()
    {
        Floats(1000, "activations");
        _driver.Limit = _driver.Used;
        Assert.That(() => Floats(100, "gradients"), Throws.TypeOf<DeviceMemoryException>().With.Message.StartWith("cuda:0: out of memory: gradients asked for")
            .And.Message.Contain("(activations 0.0 MiB in 1)"));
    }

    [Test]
    public void Everything_is_given_back_before_the_driver_is_closed_and_closing_twice_does_no_harm()
    {
        Product(256);
        Floats(10);
        _backend.Dispose();
        _backend.Dispose();
        Assert.That(_driver.Used, Is.Zero);
        Assert.That(_driver.Events.Count(e => e == "close"), Is.GreaterThanOrEqualTo(1));
        Assert.That(_driver.Events.SkipWhile(e => e != "close"), Is.All.EqualTo("close"), "nothing after it");
    }

    /// <summary>c [n, n] = a transposed, times b: both operands are turned in scratch memory first.</summary>
    private void Product(int n, View? given = null)
    {
        var operands = given ?? Operands(n);
        View Part(int i, Access access) => new(operands.Address + i * n * n * sizeof(float), n * n, DType.F32, access);
        _backend.Run(new Gemm(Part(0, Access.Read), Part(1, Access.Read), Part(2, Access.Write), n, n, n, 1, 0));
    }

    private View Operands(int n) => _operands is { } there && there.Length >= 3 * n * n ? there : (_operands = Floats(3 * 256 * 256)).Value;

    private View Floats(int count, string owner = "test") => new(_backend.Memory.Allocate(count * sizeof(float), owner), count, DType.F32, Access.ReadWrite);

    private void Release(View view) => _backend.Memory.Free(view.Address);
}

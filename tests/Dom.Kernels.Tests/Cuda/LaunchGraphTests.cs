using System.Runtime.InteropServices;
using Dom.Kernels.Cuda;

namespace Dom.Kernels.Tests.Cuda;

/// <summary>What needs no driver of the launches that become a graph; the rest is in Dom.Cli.Tests, on a stand-in for one.</summary>
public sealed unsafe class LaunchGraphTests
{
    [Test]
    public void A_sequence_keeps_the_arguments_as_they_were_and_nothing_of_what_was_there_before()
    {
        var launches = new LaunchSequence();
        Add(launches, 1, first: -1, second: -1);
        launches.Clear();
        Add(launches, 1, first: 5, second: 7);
        Add(launches, 2, first: 9, second: null);
        Assert.That(launches.Count, Is.EqualTo(2));
        // Each argument begins on a boundary of 16 bytes.
        Assert.That(MemoryMarshal.Cast<byte, int>(launches.Arguments).ToArray(), Is.EqualTo(new[] { 5, 0, 0, 0, 7, 0, 0, 0, 9, 0, 0, 0 }));
        byte* start = (byte*)4096;
        void** addresses = stackalloc void*[2];
        launches.Shapes[0].Address(start, addresses);
        Assert.That(((nint)addresses[0], (nint)addresses[1]), Is.EqualTo(((nint)4096, (nint)4112)));
    }

    [Test]
    public void A_sequence_is_known_when_it_comes_again_whatever_its_arguments_are()
    {
        using var known = new KnownSequences();
        Assert.That(known.Recall(Of(1, 2, 3)), Is.Null);
        Assert.That(known.Recall(Of(1, 2, 4)), Is.Null, "another kernel");
        Assert.That(known.Recall(Of(1, 2)), Is.Null, "fewer");
        Assert.That(known.Recall(With(8, 1, 2, 3)), Is.Not.Null.And.SameAs(known.Recall(Of(1, 2, 3))));
    }

    [TestCase(2, 1, 256, 0)]
    [TestCase(1, 2, 256, 0)]
    [TestCase(1, 1, 128, 0)]
    [TestCase(1, 1, 256, 512)]
    public void Another_grid_or_block_or_other_shared_memory_make_another_sequence(int x, int y, int threads, int sharedBytes)
    {
        using var known = new KnownSequences();
        known.Recall(Of(1));
        var other = new LaunchSequence();
        int value = 0;
        void* argument = &value;
        other.Add(new LaunchShape(1, new Dim3(x, y), threads, sharedBytes, [sizeof(int)]), &argument);
        Assert.That(known.Recall(other), Is.Null);
    }

    [Test]
    public void The_sequence_that_has_not_come_for_longest_is_forgotten()
    {
        using var known = new KnownSequences();
        for (int kernel = 1; kernel <= 8; kernel++)
            known.Recall(Of(kernel));
        known.Recall(Of(1));
        known.Recall(Of(9)); // in place of 2
        Assert.That(known.Recall(Of(1)), Is.Not.Null);
        Assert.That(known.Recall(Of(3)), Is.Not.Null);
        Assert.That(known.Recall(Of(2)), Is.Null);
    }

    /// <summary>cuda.h of CUDA 12: a function, seven numbers of 32 bits, two addresses of addresses, a kernel and a context.</summary>
    [Test]
    public void A_node_has_the_layout_of_the_drivers_header() => Assert.That(
        new[] { nameof(CudaKernelNode.GridX), nameof(CudaKernelNode.BlockX), nameof(CudaKernelNode.SharedBytes), nameof(CudaKernelNode.Arguments), nameof(CudaKernelNode.Extra), nameof(CudaKernelNode.Kernel), nameof(CudaKernelNode.Context) }
            .Select(field => (int)Marshal.OffsetOf<CudaKernelNode>(field)).Append(Marshal.SizeOf<CudaKernelNode>()),
        Is.EqualTo(new[] { 8, 20, 32, 40, 48, 56, 64, 72 }));

    private static LaunchSequence Of(params int[] kernels) => With(0, kernels);

    private static LaunchSequence With(int argument, params int[] kernels)
    {
        var launches = new LaunchSequence();
        foreach (int kernel in kernels)
            Add(launches, kernel, argument, null);
        return launches;
    }

    private static void Add(LaunchSequence launches, int kernel, int first, int? second)
    {
        int plan = second ?? 0;
        void** arguments = stackalloc void*[] { &first, &plan };
        launches.Add(new LaunchShape(kernel, new Dim3(1), 256, 0, second is null ? [sizeof(int)] : [sizeof(int), sizeof(int)]), arguments);
    }
}

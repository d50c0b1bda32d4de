using Dom.Kernels.Cpu;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Tensors.Tests.Ops;

public sealed class TrainingKernelAllocationTests
{
    [Test]
    public void The_kernels_of_a_training_step_allocate_no_managed_memory()
    {
        const int Rows = 512, Classes = 100, Length = Rows * Classes;
        using var backend = new CpuBackend(2);
        using var scope = new TensorScope();
        var a = Filled.Create(Shape.Of(Rows, Classes), 0.5f, backend);
        var b = Filled.Create(a.Shape, 0.25f, backend);
        var y = Filled.Create(a.Shape, 0, backend);
        var perRow = Filled.Create(Shape.Of(Rows), 0.5f, backend);
        var losses = Filled.Create(perRow.Shape, 0, backend);
        var health = Filled.Create(Shape.Of(1), 0, backend);
        var ids = Tensor.From([.. Enumerable.Range(0, Rows)], backend);
        var labels = Tensor.From(new int[Rows], backend);
        var ledger = Filled.Create(Shape.Of(Rows, LedgerRow.Count), 0, backend);
        var images = Tensor.Empty(Shape.Of(Rows, 10, 10, 1), DType.U8, backend);
        backend.CopyFromHost(new byte[Length], images.Write);
        var stream = RandomStream.For(1, RandomPurpose.Test);
        var operations = Tensor.From([.. Enumerable.Range(0, Rows).Select(n => n % 14)], backend);

        void Calls()
        {
            backend.Run(new SoftmaxCrossEntropyForward(a.Read, labels.Read, losses.Write, Rows, Classes));
            backend.Run(new SoftmaxCrossEntropyBackward(a.Read, labels.Read, perRow.Read, y.Write, Rows, Classes));
            backend.Run(new SoftmaxCrossEntropyStep(
                a.Read, labels.Read, ids.Read, perRow.Read, losses.Write, View.None, y.Write, ledger.ReadWrite, Rows, Classes, 1, 1, 0));
            backend.Run(new SignStep(a.Read, b.Read, a.Read, y.Write, 0.1f, 0.2f, 0, 1));
            backend.Run(new L2Step(a.Read, b.Read, a.Read, y.Write, Rows, Classes, 0.1f, 0.2f, 0, 1));
            backend.Run(new GatherRows(a.Read, ids.Read, y.Write, Rows, Classes));
            backend.Run(new ScatterRows(a.Read, ids.Read, y.ReadWrite, Rows, Classes));
            backend.Run(new BlendRows(a.Read, b.Read, perRow.Read, y.Write, Rows, Classes));
            backend.Run(new CropFlip(images.Read, ids.Read, y.Write, stream, Rows, 10, 10, 1, 2, 1));
            backend.Run(new ImageChains(a.Read, operations.Read, b.Read, y.Write, Rows, 1, 1, 10, 10, 1, 1));
            backend.Run(new MixChains(a.Read, b.Read, a.Read, y.Write, Rows, 1, Classes));
            backend.Run(new SgdStep(y.ReadWrite, a.Read, b.ReadWrite, losses.Read, health.ReadWrite, 0.1f, 0.9f, 0.1f, 1));
        }

        Calls(); // the first run compiles the kernels and makes their scratch memory
        long before = GC.GetAllocatedBytesForCurrentThread();
        Calls();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }
}

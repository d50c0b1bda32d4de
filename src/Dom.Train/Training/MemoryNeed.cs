using Dom.Tensors.Backend;
using Dom.Train.Data;

namespace Dom.Train.Training;

/// <summary>How much memory training takes, found out on a backend that computes nothing.</summary>
public static class MemoryNeed
{
    /// <summary>Scratch memory of kernels and the driver's own is not counted; this share of the capacity is left for it.</summary>
    private const double Reserve = 0.05;

    /// <summary>Bytes of a device that the first step of a run asks for at a time: data set, network, optimizer, ledger and the step itself.</summary>
    /// <exception cref="OptionException">An option makes no sense.</exception>
    public static long OfStep(TrainOptions options, DataSet data, IBackend backend)
    {
        using var sizing = new SizingBackend(backend);
        using var trainer = new Trainer(options, data, sizing);
        using var afterFirst = new CancellationTokenSource();
        trainer.RunSteps(null, _ => afterFirst.Cancel(), afterFirst.Token);
        return sizing.PeakBytes;
    }

    /// <summary>The given batch halved until its step fits; 0 where not even one sample does.</summary>
    /// <param name="options">The run.</param>
    /// <param name="data">Its data.</param>
    /// <param name="backend">The backend whose memory it is.</param>
    /// <param name="capacity">Bytes that the device has.</param>
    public static int LargestBatch(TrainOptions options, DataSet data, IBackend backend, long capacity)
    {
        for (int batch = options.Batch / 2; batch > 0; batch /= 2)
            if (OfStep(options with { Batch = batch }, data, backend) <= capacity * (1 - Reserve))
                return batch;
        return 0;
    }
}

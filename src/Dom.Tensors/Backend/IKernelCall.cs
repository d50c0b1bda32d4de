namespace Dom.Tensors.Backend;

/// <summary>
/// A kernel call as a value: a <c>readonly record struct</c> whose fields are the kernel's parameters, views of memory first, then
/// sizes and scalars. It is the parameter block of the CUDA kernel byte for byte, so it holds nothing but views, 4-byte and 8-byte numbers.
/// </summary>
public interface IKernelCall;

/// <summary>Implements one kernel call. A backend implements this interface once per call that it can run.</summary>
/// <typeparam name="TCall">The call.</typeparam>
public interface IKernel<TCall> where TCall : struct, IKernelCall
{
    /// <summary>Runs the call. Arguments were checked by the operator; a kernel neither allocates nor checks shapes again.</summary>
    void Run(in TCall call);
}

using System.Runtime.InteropServices;

namespace Dom.Kernels;

/// <summary>
/// Native memory for tensors and scratch. Large blocks lie on huge pages where the system lends them: a tensor of 32 MiB is 16 of them and
/// not 8,192 small ones, so that a walk over it neither misses the translation buffers nor stops the prefetcher every 4 KiB.
/// </summary>
internal static unsafe partial class HostMemory
{
    /// <summary>Bytes of a huge page of x86-64 and ARM64 (with small pages of 4 KiB); only blocks of at least this size ask for them.</summary>
    private const nuint HugePage = 2 << 20;

    private const nuint Alignment = 64;

    private const int AdviceHugePages = 14; // MADV_HUGEPAGE in Linux' mman-common.h

    private static bool s_lendsHugePages = OperatingSystem.IsLinux();

    /// <summary>A block of undefined contents, aligned to 64 bytes at least.</summary>
    /// <exception cref="OutOfMemoryException">There is none of that size.</exception>
    public static void* Allocate(long bytes)
    {
        nuint size = checked((nuint)bytes);
        if (!s_lendsHugePages || size < HugePage)
            return NativeMemory.AlignedAlloc(size, Alignment);
        void* block = NativeMemory.AlignedAlloc(size, HugePage);
        Advise(block, size / HugePage * HugePage);
        return block;
    }

    /// <summary>Gives a block back; null is none.</summary>
    public static void Free(void* block) => NativeMemory.AlignedFree(block);

    /// <summary>Asks for huge pages. The system may say no, by its settings or for want of them; the block is as good on small pages.</summary>
    private static void Advise(void* block, nuint bytes)
    {
        try
        {
            _ = MemoryAdvise(block, bytes, AdviceHugePages);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            s_lendsHugePages = false; // a C library by another name
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int MemoryAdvise(void* address, nuint length, int advice);
}

using System.Text;
using Dom.Tensors;
using Dom.Tensors.Backend;

namespace Dom.Kernels.Conformance;

/// <summary>Which calls have a kernel on which backend.</summary>
public static class SupportTable
{
    private static readonly DType[] s_types = [DType.F32, DType.BF16];

    /// <summary>One row for each call of the contract, one column for each backend and element type; "-" where there is no kernel.</summary>
    public static string Text(params IReadOnlyList<IBackend> backends)
    {
        ArgumentNullException.ThrowIfNull(backends);
        var columns = backends.SelectMany(b => s_types, (b, t) => (Backend: b, Type: t, Title: $"{b.Name} {t.ToString().ToLowerInvariant()}")).ToArray();
        int width = KernelCases.Calls.Max(c => c.Name.Length);
        var text = new StringBuilder("call".PadRight(width));
        foreach (var column in columns)
            text.Append("  ").Append(column.Title);
        text.AppendLine();
        foreach (var call in KernelCases.Calls)
        {
            text.Append(call.Name.PadRight(width));
            foreach (var column in columns)
                text.Append("  ").Append((column.Backend.Supports(call, column.Type) ? "yes" : "-").PadRight(column.Title.Length));
            text.AppendLine();
        }
        foreach (var column in columns)
            text.AppendLine($"{column.Title}: {KernelCases.Calls.Count(c => column.Backend.Supports(c, column.Type))} of {KernelCases.Calls.Count} calls");
        return text.ToString();
    }
}

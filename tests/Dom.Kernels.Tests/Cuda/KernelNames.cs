using System.Collections;
using System.Reflection;
using Dom.Kernels.Cuda;

namespace Dom.Kernels.Tests.Cuda;

/// <summary>The kernels that the backend's files name, found by reflection: static fields, also inside lists and objects of the backend's own types.</summary>
internal static class KernelNames
{
    private const BindingFlags Everything = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    public static IReadOnlyList<(string Module, string Kernel)> All { get; } = [.. Find().Distinct()];

    private static IEnumerable<(string, string)> Find()
    {
        var types = typeof(CudaBackend).Assembly.GetTypes().Where(t => t.Namespace == typeof(CudaBackend).Namespace && !t.ContainsGenericParameters);
        return types.SelectMany(t => t.GetFields(Everything & ~BindingFlags.Instance)).Where(f => !f.IsLiteral && !f.FieldType.IsPointer)
            .SelectMany(f => In(f.GetValue(null), 0));
    }

    private static IEnumerable<(string, string)> In(object? value, int depth)
    {
        if (value is null or string || depth > 4)
            return [];
        var type = value.GetType();
        if (type.Name == "KernelName")
            return [((string)type.GetProperty("Module")!.GetValue(value)!, (string)type.GetProperty("Kernel")!.GetValue(value)!)];
        if (value is IEnumerable list)
            return list.Cast<object?>().SelectMany(item => In(item, depth + 1));
        return type.Namespace == typeof(CudaBackend).Namespace || type.IsGenericType
            ? type.GetFields(Everything & ~BindingFlags.Static).Where(f => !f.FieldType.IsPointer).SelectMany(f => In(f.GetValue(value), depth + 1))
            : [];
    }
}

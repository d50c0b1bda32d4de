using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Dom.Tensors.Backend;

/// <summary>
/// What the fields of a kernel call are called and where they lie, found by reflection once per call type. It lets a decorator look at the
/// arguments of any call, print them, and run the call on other memory.
/// </summary>
public sealed class KernelCallLayout
{
    private static readonly Type[] s_scalars = [typeof(int), typeof(uint), typeof(float), typeof(long), typeof(ulong), typeof(double)];

    private readonly Field[] _views;
    private readonly Field[] _scalars;

    private KernelCallLayout(Type call)
    {
        Call = call;
        var fields = Flatten(call, 0).ToArray();
        _views = fields.Where(f => f.Type == typeof(View)).ToArray();
        _scalars = fields.Where(f => f.Type != typeof(View)).ToArray();
    }

    /// <summary>The call.</summary>
    public Type Call { get; }

    /// <summary>Views of memory, in the order of the call's parameters.</summary>
    public IReadOnlyList<Field> Views => _views;

    /// <summary>Sizes and scalars, those of nested structs one by one.</summary>
    public IReadOnlyList<Field> Scalars => _scalars;

    /// <summary>The layout of <typeparamref name="TCall"/>.</summary>
    /// <exception cref="NotSupportedException">A field is neither a view nor a 4- or 8-byte number.</exception>
    public static KernelCallLayout Of<TCall>() where TCall : struct, IKernelCall => Cache<TCall>.Layout;

    /// <summary>The argument in view field <paramref name="index"/>.</summary>
    public View ViewOf<TCall>(in TCall call, int index) where TCall : struct, IKernelCall => At<TCall, View>(in call, _views[index].Offset);

    /// <summary>All view arguments, in order; an absent one is <see cref="View.None"/>.</summary>
    public View[] ViewsOf<TCall>(in TCall call) where TCall : struct, IKernelCall
    {
        var views = new View[_views.Length];
        for (int i = 0; i < views.Length; i++)
            views[i] = ViewOf(in call, i);
        return views;
    }

    /// <summary>The same call with other views.</summary>
    /// <param name="call">The call to copy.</param>
    /// <param name="views">One view for each of <see cref="Views"/>.</param>
    public TCall WithViews<TCall>(in TCall call, ReadOnlySpan<View> views) where TCall : struct, IKernelCall
    {
        var copy = call;
        for (int i = 0; i < views.Length; i++)
            Unsafe.As<byte, View>(ref Unsafe.AddByteOffset(ref Unsafe.As<TCall, byte>(ref copy), _views[i].Offset)) = views[i];
        return copy;
    }

    /// <summary>The arguments without addresses, equal for equal work: "X=f32[128], Y=f32[128], Rows=64, Epsilon=1E-05".</summary>
    public string Describe<TCall>(in TCall call) where TCall : struct, IKernelCall
    {
        var parts = new string[_views.Length + _scalars.Length];
        for (int i = 0; i < _views.Length; i++)
            parts[i] = $"{_views[i].Name}={ViewOf(in call, i)}";
        for (int i = 0; i < _scalars.Length; i++)
            parts[_views.Length + i] = $"{_scalars[i].Name}={Scalar(in call, _scalars[i])}";
        return string.Join(", ", parts);
    }

    /// <summary>The sizes and switches of a call, its numbers of type int, by name: ("Rows", 64), ("Relu", 1). Seeds and rates are of other types.</summary>
    public (string Name, int Value)[] WholeNumbersOf<TCall>(in TCall call) where TCall : struct, IKernelCall
    {
        var fields = Array.FindAll(_scalars, field => field.Type == typeof(int));
        var numbers = new (string Name, int Value)[fields.Length];
        for (int i = 0; i < fields.Length; i++)
            numbers[i] = (fields[i].Name, At<TCall, int>(in call, fields[i].Offset));
        return numbers;
    }

    private static string Scalar<TCall>(in TCall call, Field field) where TCall : struct, IKernelCall =>
        Type.GetTypeCode(field.Type) switch
        {
            TypeCode.Int32 => $"{At<TCall, int>(in call, field.Offset)}",
            TypeCode.UInt32 => $"{At<TCall, uint>(in call, field.Offset)}",
            TypeCode.Single => $"{At<TCall, float>(in call, field.Offset)}",
            TypeCode.Int64 => $"{At<TCall, long>(in call, field.Offset)}",
            TypeCode.UInt64 => $"{At<TCall, ulong>(in call, field.Offset)}",
            _ => $"{At<TCall, double>(in call, field.Offset)}",
        };

    private static TValue At<TCall, TValue>(in TCall call, nint offset) where TCall : struct, IKernelCall =>
        Unsafe.ReadUnaligned<TValue>(in Unsafe.AddByteOffset(ref Unsafe.As<TCall, byte>(ref Unsafe.AsRef(in call)), offset));

    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = "Trimming removes no field of a struct: calls are read as bytes, field by field.")]
    private static IEnumerable<Field> Flatten(Type type, nint start)
    {
        // Declaration order; for a record struct the backing fields of its parameters.
        foreach (var field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).OrderBy(f => f.MetadataToken))
        {
            nint offset = start + Marshal.OffsetOf(type, field.Name);
            string name = field.Name.StartsWith('<') ? field.Name[1..field.Name.IndexOf('>', StringComparison.Ordinal)] : field.Name;
            if (field.FieldType == typeof(View) || s_scalars.Contains(field.FieldType))
                yield return new Field(name, field.FieldType, offset);
            else if (field.FieldType is { IsValueType: true, IsPrimitive: false, IsEnum: false })
                foreach (var inner in Flatten(field.FieldType, offset))
                    yield return inner;
            else
                throw new NotSupportedException(
                    $"{type.Name}.{name}: a kernel call holds views and 4- or 8-byte numbers, not {field.FieldType.Name}.");
        }
    }

    /// <summary>A parameter of a call.</summary>
    /// <param name="Name">Its name in the record struct.</param>
    /// <param name="Type"><see cref="View"/> or a number.</param>
    /// <param name="Offset">Bytes from the start of the call.</param>
    public sealed record Field(string Name, Type Type, nint Offset);

    private static class Cache<TCall> where TCall : struct, IKernelCall
    {
        public static readonly KernelCallLayout Layout = new(typeof(TCall));
    }
}

using System.Globalization;
using System.Text.RegularExpressions;

namespace Dom.Train.Data;

/// <summary>The Python dictionary at the head of a .npy file: <c>{'descr': '|u1', 'fortran_order': False, 'shape': (2,
/// 3), }</c>.</summary>
internal static partial class NpyHeader
{
    /// <summary>Element type ("u1", "i4", "i8", "f4") and sizes.</summary>
    /// <exception cref="DataException">The dictionary is damaged, or names a type or an order that is not read.</exception>
    public static (string Type, int[] Shape) Parse(string header, string path)
    {
        var descr = Descr().Match(header);
        var order = Order().Match(header);
        var shape = Shape().Match(header);
        if (!order.Success || !shape.Success || !header.Contains("'descr'", StringComparison.Ordinal))
            throw new DataException($"{path}: the .npy header is damaged: {Shorten(header)}. "
                + "Write it again with numpy.save.");
        if (!descr.Success || descr.Groups["order"].Value == ">" && descr.Groups["type"].Value != "u1")
            throw new DataException($"{path}: the type in {Shorten(header)} is not read; uint8, int32, "
                + "int64 and float32 (little-endian) are. Convert with array.astype(...).");
        if (order.Groups[1].Value == "True")
            throw new DataException($"{path}: the array is in Fortran order. Save numpy.ascontiguousarray(array).");
        var sizes = shape.Groups[1].Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return (descr.Groups["type"].Value, Array.ConvertAll(sizes, size =>
            int.TryParse(size.TrimEnd('L'), NumberStyles.None, CultureInfo.InvariantCulture, out int value)
                ? value
                : throw new DataException($"{path}: '{size}' in the shape of the .npy header is not a size below 2^31.")));
    }

    private static string Shorten(string header) => header.Trim() is { Length: > 120 } text ? text[..120] + "..." : header.Trim();

    [GeneratedRegex(@"'descr'\s*:\s*'(?<order>[<>|=]?)(?<type>u1|i4|i8|f4)'")]
    private static partial Regex Descr();

    [GeneratedRegex(@"'fortran_order'\s*:\s*(True|False)")]
    private static partial Regex Order();

    [GeneratedRegex(@"'shape'\s*:\s*\(([0-9L,\s]*)\)")]
    private static partial Regex Shape();
}

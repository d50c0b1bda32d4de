using System.Text.RegularExpressions;

namespace Dom.Kernels.Tests.Cuda;

/// <summary>A kernel as a .cu file declares it: its entry point and the C++ types of its parameters.</summary>
internal sealed record KernelDeclaration(string Name, IReadOnlyList<string> Parameters);

/// <summary>A .cu file. Reads what it declares without a compiler: KERNEL(name, threads, PARAM(Type) parameter, ...), also out of a macro of its own.</summary>
internal sealed partial class KernelSource
{
    private readonly Dictionary<string, (string[] Parameters, string Body)> _macros = [];

    private KernelSource(string path)
    {
        Path = path;
        string headers = string.Join('\n', Headers.Select(file => Plain(File.ReadAllText(file))));
        string own = Plain(File.ReadAllText(path));
        foreach (Match macro in FunctionMacro().Matches(headers + '\n' + own))
            if (macro.Groups["name"].Value is not ("KERNEL" or "PARAM"))
                _macros[macro.Groups["name"].Value] = ([.. macro.Groups["parameters"].Value.Split(',').Select(p => p.Trim())], macro.Groups["body"].Value);
        // Only macros that make kernels matter, directly or through another one.
        var makers = new HashSet<string> { "KERNEL" };
        while (_macros.Where(m => !makers.Contains(m.Key) && makers.Any(maker => Uses(m.Value.Body, maker))).Select(m => m.Key).ToArray() is { Length: > 0 } more)
            makers.UnionWith(more);
        foreach (string other in _macros.Keys.Except(makers).ToArray())
            _macros.Remove(other);
        Kernels = [.. Declarations(Directive().Replace(own, ""))];
    }

    /// <summary>All of them.</summary>
    public static IEnumerable<string> Modules => Folders.SelectMany(folder => Directory.EnumerateFiles(folder, "*.cu")).Select(f => System.IO.Path.GetFileNameWithoutExtension(f))
        .Order(StringComparer.Ordinal);

    /// <summary>The headers that every source may include, in the order in which kernels/build.sh hashes them.</summary>
    public static IEnumerable<string> Headers => Directory.EnumerateFiles(Emulator.Kernels, "*.h").OrderBy(f => System.IO.Path.GetFileName(f), StringComparer.Ordinal);

    public string Path { get; }

    public IReadOnlyList<KernelDeclaration> Kernels { get; }

    /// <summary>Where kernels/build.sh looks for sources.</summary>
    private static string[] Folders => [Emulator.Kernels, System.IO.Path.Combine(Emulator.Kernels, "ladder")];

    /// <summary>Reads the file of a module.</summary>
    public static KernelSource Of(string module) => new(PathOf(module));

    /// <summary>The file of a module; where there is none, the place where it would be.</summary>
    public static string PathOf(string module)
    {
        var places = Folders.Select(folder => System.IO.Path.Combine(folder, module + ".cu")).ToArray();
        return places.FirstOrDefault(File.Exists, places[0]);
    }

    private IEnumerable<KernelDeclaration> Declarations(string text)
    {
        for (var use = Call().Match(text); use.Success; use = use.NextMatch())
        {
            string name = use.Groups["name"].Value;
            if (name != "KERNEL" && !_macros.ContainsKey(name))
                continue;
            string[] arguments = ArgumentsAt(text, use.Index + use.Length);
            if (name == "KERNEL")
                yield return new KernelDeclaration(arguments[0], [.. Parameter().Matches(string.Join(',', arguments[1..])).Select(p => p.Groups["type"].Value)]);
            else
                foreach (var declaration in Declarations(Expand(_macros[name], arguments)))
                    yield return declaration;
        }
    }

    private static string Expand((string[] Parameters, string Body) macro, string[] arguments)
    {
        string expanded = macro.Body;
        for (int i = 0; i < macro.Parameters.Length; i++)
            expanded = Regex.Replace(expanded, $@"\b{macro.Parameters[i]}\b", arguments[i].Replace("$", "$$", StringComparison.Ordinal));
        return Paste().Replace(expanded, "");
    }

    /// <summary>What stands between parentheses from <paramref name="start"/> on, cut at the commas outside inner ones.</summary>
    private static string[] ArgumentsAt(string text, int start)
    {
        var arguments = new List<string>();
        int depth = 0, from = start;
        for (int i = start; ; i++)
        {
            if (text[i] is '(')
                depth++;
            bool isEnd = text[i] is ')' && depth == 0;
            if (isEnd || (text[i] is ',' && depth == 0))
            {
                arguments.Add(text[from..i].Trim());
                from = i + 1;
            }
            if (isEnd)
                return [.. arguments];
            if (text[i] is ')')
                depth--;
        }
    }

    private static bool Uses(string body, string macro) => Regex.IsMatch(body, $@"\b{macro}\s*\(");

    /// <summary>Without comments, every directive on one line.</summary>
    private static string Plain(string text) => Comment().Replace(text, " ").Replace("\\\r\n", " ", StringComparison.Ordinal).Replace("\\\n", " ", StringComparison.Ordinal);

    [GeneratedRegex(@"//[^\n]*|/\*.*?\*/", RegexOptions.Singleline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"^[ \t]*#[ \t]*define[ \t]+(?<name>\w+)\((?<parameters>[^)]*)\)(?<body>[^\n]*)", RegexOptions.Multiline)]
    private static partial Regex FunctionMacro();

    [GeneratedRegex(@"^[ \t]*#[^\n]*", RegexOptions.Multiline)]
    private static partial Regex Directive();

    [GeneratedRegex(@"\b(?<name>[A-Z][A-Z0-9_]*)\s*\(")]
    private static partial Regex Call();

    [GeneratedRegex(@"\bPARAM\(\s*(?<type>\w+)\s*\)")]
    private static partial Regex Parameter();

    [GeneratedRegex(@"\s*##\s*")]
    private static partial Regex Paste();
}

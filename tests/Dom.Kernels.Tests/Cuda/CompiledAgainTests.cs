using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Dom.Kernels.Tests.Cuda;

/// <summary>What of the compiled kernels can be proven with the compiler and with NVIDIA's assembler.</summary>
public sealed partial class CompiledAgainTests
{
    private string _folder = "";

    [OneTimeSetUp]
    public void Open() => _folder = Directory.CreateTempSubdirectory("dom-ptx-").FullName;

    [OneTimeTearDown]
    public void Close() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void The_sources_compile_to_the_PTX_that_is_kept_byte_for_byte()
    {
        Emulator.RequireCompiler();
        string folder = Path.Combine(_folder, "again");
        Assert.That(Emulator.RunBuild("", "ptx", folder), Is.Null);
        var kept = PtxFile.All.ToDictionary(f => f.ToString());
        Assert.That(Directory.GetFiles(folder).Select(Path.GetFileName), Is.EquivalentTo(kept.Keys), "the files of kernels/ptx");
        foreach (string made in Directory.GetFiles(folder))
        {
            string name = Path.GetFileName(made);
            if (kept[name].Compiler != PtxFile.Read(made).Compiler)
                Assert.Ignore($"{name} was made by {kept[name].Compiler}; here is {PtxFile.Read(made).Compiler}, which may word it otherwise.");
            Assert.That(File.ReadAllBytes(made).AsSpan().SequenceEqual(File.ReadAllBytes(kept[name].Path)), Is.True, $"{name} differs; run kernels/build.sh ptx");
        }
    }

    [Test]
    public void Every_kernel_is_assembled_without_spilling_a_register()
    {
        if (Emulator.Find("ptxas", "DOM_CUDA_TOOLS") is not { } assembler)
        {
            Assert.Ignore("ptxas is neither on the PATH nor in the folder that DOM_CUDA_TOOLS names; kernels/tools.sh FOLDER unpacks it.");
            return;
        }
        var jobs = PtxFile.All.SelectMany(f => f.Architecture == "sm_80" ? new[] { (f, "sm_80"), (f, "sm_90a") } : [(f, f.Architecture)])
            .Select(job => (File: job.Item1, For: job.Item2)).ToArray();
        var reports = jobs.AsParallel().AsOrdered().Select(job => Assemble(assembler, job.File, job.For)).ToArray();
        var table = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"{"kernel",-52} {"for",-7} registers  shared  stack  spilled\n"));
        foreach (var usage in reports.SelectMany(r => r).OrderBy(u => u.Kernel, StringComparer.Ordinal))
            table.Append(CultureInfo.InvariantCulture, $"{usage.Kernel,-52} {usage.Architecture,-7} {usage.Registers,9}  {usage.Shared,6}  {usage.Stack,5}  {usage.Spilled,7}\n");
        TestContext.Out.WriteLine(table);
        File.WriteAllText(Path.Combine(AppContext.BaseDirectory, "registers.txt"), table.ToString()); // for a run whose tests print nothing
        var expected = jobs.SelectMany(job => job.File.Entries.Select(entry => (entry.Name, job.For)));
        Assert.That(reports.SelectMany(r => r).Select(u => (u.Kernel, u.Architecture)), Is.EquivalentTo(expected), "every kernel is in the table");
        Assert.That(reports.SelectMany(r => r).Where(u => u.Spilled > 0).Select(u => $"{u.Kernel} for {u.Architecture}"), Is.Empty, "these spill; give a thread less to hold");
    }

    private static Usage[] Assemble(string assembler, PtxFile file, string architecture)
    {
        var (code, output) = Emulator.Run(assembler, ["-v", "--gpu-name", architecture, "-o", "/dev/null", file.Path]);
        Assert.That(code, Is.Zero, $"ptxas {file} for {architecture}: {output}");
        return [.. Report().Matches(output).Select(m => new Usage(
            m.Groups["kernel"].Value, architecture, Number(m, "registers"), SharedBytes().Match(m.Groups["rest"].Value) is { Success: true } shared ? Number(shared, "bytes") : 0,
            Number(m, "stack"), Number(m, "stores") + Number(m, "loads")))];
    }

    private static int Number(Match match, string group) => int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"Compiling entry function '(?<kernel>\w+)' for '\w+'\s+ptxas info\s*: Function properties for \w+\s+(?<stack>\d+) bytes stack frame, "
        + @"(?<stores>\d+) bytes spill stores, (?<loads>\d+) bytes spill loads\s+ptxas info\s*: Used (?<registers>\d+) registers(?<rest>[^\n]*)")]
    private static partial Regex Report();

    [GeneratedRegex(@"(?<bytes>\d+)(?:\+\d+)? bytes smem")]
    private static partial Regex SharedBytes();

    private sealed record Usage(string Kernel, string Architecture, int Registers, int Shared, int Stack, int Spilled);
}

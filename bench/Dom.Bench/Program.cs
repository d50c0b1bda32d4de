using BenchmarkDotNet.Running;
using Dom.Bench;

// dotnet run -c Release --project bench/Dom.Bench -- conv --quick [--threads N] [--rounds N] [--only "64->64"]     a table in half a minute
// dotnet run -c Release --project bench/Dom.Bench -- conv --peer [--threads N] [--rounds N] [--only "PreActResNet-18 64->"]    beside PyTorch
// dotnet run -c Release --project bench/Dom.Bench -- ladder [--threads N] [--rounds N] [--batch N] [--figure FILE.svg]    docs/cpu-ladder.md
// dotnet run -c Release --project bench/Dom.Bench -- step --quick [--threads N] [--rounds N] [--batch N] [--work train,infer,pgd16] [--peer]
// dotnet run -c Release --project bench/Dom.Bench -- step --calls [--threads N] [--rounds N] [--batch N] [--work train|infer|pgd]    every kernel call beside its floor
// dotnet run -c Release --project bench/Dom.Bench -- elementwise --quick [--threads N] [--rounds N] [--batch N]
// dotnet run -c Release --project bench/Dom.Bench -- startup [--rounds N] [--dom PATH] [--publish]
// dotnet run -c Release --project bench/Dom.Bench -- conv|step|elementwise [options of BenchmarkDotNet]
bool quick = args.Contains("--quick");
string[] options = [.. args.Skip(1)];
if (Number("--threads", 0) is not { } threads || Number("--batch", args.FirstOrDefault() == "ladder" ? 32 : 128) is not (> 0 and var batch) || Number("--rounds", 0) is not { } rounds)
    return Usage();
if (threads == 0)
    threads = Environment.ProcessorCount;
switch (args.FirstOrDefault())
{
    case "conv" when args.Contains("--peer"):
        return Conv2dPeerTable.Print(threads, rounds == 0 ? 5 : rounds, Text("--only"));
    case "conv" when quick:
        Conv2dTable.Print(threads, rounds == 0 ? 7 : rounds, Text("--only"));
        return 0;
    case "conv":
        BenchmarkRunner.Run<Conv2dBenchmark>(args: options);
        return 0;
    case "ladder":
        if (Number("--channels", 128) is not (> 0 and var channels) || Number("--size", 16) is not (> 0 and var size)
            || channels % 64 > 0 || size % 8 > 0)
            return Usage();
        return LadderTable.Print(channels, size, batch, threads, rounds == 0 ? 7 : rounds, Text("--figure"));
    case "step" when quick:
        string[] works = Text("--work") is { Length: > 0 } named ? named.Split(',') : ["train", "infer", "pgd16"];
        if (works.Except(StepTable.Works).Any())
            return Usage();
        StepTable.Print(threads, batch, rounds == 0 ? 5 : rounds, args.Contains("--peer"), works);
        return 0;
    case "step" when args.Contains("--calls"):
        string work = Text("--work") is { Length: > 0 } text ? text : "train";
        if (work is not ("train" or "infer" or "pgd"))
            return Usage();
        StepCallsTable.Print(work, threads, batch, rounds == 0 ? 7 : rounds);
        return 0;
    case "step":
        BenchmarkRunner.Run<StepBenchmark>(args: options);
        return 0;
    case "elementwise" when quick:
        ElementwiseTable.Print(threads, batch, rounds == 0 ? 15 : rounds);
        return 0;
    case "elementwise":
        BenchmarkRunner.Run<ElementwiseBenchmark>(args: options);
        return 0;
    case "startup":
        StartupTable.Print(Text("--dom") is { Length: > 0 } dom ? dom : null, rounds == 0 ? 12 : rounds, args.Contains("--publish"));
        return 0;
    default:
        return Usage();
}

static int Usage()
{
    Console.Error.WriteLine("""
        usage: Dom.Bench conv --quick [--threads N] [--rounds N] [--only NAME]
               Dom.Bench conv --peer [--threads N] [--rounds N] [--only NAME]
               Dom.Bench ladder [--threads N] [--rounds N] [--channels N] [--size N] [--batch N] [--figure FILE.svg]
               Dom.Bench step --quick [--threads N] [--rounds N] [--batch N] [--work train,infer,pgd16,pgd128] [--peer]
               Dom.Bench step --calls [--threads N] [--rounds N] [--batch N] [--work train|infer|pgd]
               Dom.Bench elementwise --quick [--threads N] [--rounds N] [--batch N]
               Dom.Bench startup [--rounds N] [--dom PATH] [--publish]
               Dom.Bench conv|step|elementwise [options of BenchmarkDotNet]
        """);
    return 2;
}

string Text(string option) => Array.IndexOf(args, option) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : "";

int? Number(string option, int otherwise)
{
    int at = Array.IndexOf(args, option);
    if (at < 0)
        return otherwise;
    return at + 1 < args.Length && int.TryParse(args[at + 1], out int value) && value >= 0 ? value : null;
}

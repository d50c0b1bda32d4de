using BenchmarkDotNet.Running;
using Dom.Bench;

// dotnet run -c Release --project bench/Dom.Bench -- conv --quick [--threads N] [--rounds N] [--only "64->64"]     a table in half a minute
// dotnet run -c Release --project bench/Dom.Bench -- conv [options of BenchmarkDotNet]
if (args is ["conv", .. var options])
{
    if (!options.Contains("--quick"))
    {
        BenchmarkRunner.Run<Conv2dBenchmark>(args: options);
        return 0;
    }
    if (Number("--threads", 0) is { } threads && Number("--rounds", 7) is { } rounds && rounds > 0)
    {
        Conv2dTable.Print(threads == 0 ? Environment.ProcessorCount : threads, rounds, Text("--only"));
        return 0;
    }
}
Console.Error.WriteLine("usage: Dom.Bench conv [options of BenchmarkDotNet] | conv --quick [--threads N] [--rounds N] [--only NAME]");
return 2;

string Text(string option) => Array.IndexOf(args, option) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : "";

int? Number(string option, int otherwise)
{
    int at = Array.IndexOf(args, option);
    if (at < 0)
        return otherwise;
    return at + 1 < args.Length && int.TryParse(args[at + 1], out int value) && value >= 0 ? value : null;
}

using System.Runtime.InteropServices;
using System.Text;
using Dom.Cli;

using var interruption = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
if (!Console.IsOutputRedirected)
    Console.OutputEncoding = Encoding.UTF8;
return CommandLine.Run(args, Console.Out, Console.Error, interruption.Token);

// The first signal asks the command to save and stop; the second is left to the system, which ends the process at once.
void Stop(PosixSignalContext signal)
{
    if (interruption.IsCancellationRequested)
        return;
    signal.Cancel = true;
    interruption.Cancel();
}

using System.Text.Json;
using Dom.Nn.StateDictionaries;

namespace Dom.Train.Training;

/// <summary>Writes <c>steps.jsonl</c>, a line a step. A line is with the system before the checkpoint that counts its step, so a kill leaves lines too many, never too few.</summary>
internal sealed class StepLog : IDisposable
{
    private readonly FileStream _file;

    private StepLog(FileStream file) => _file = file;

    /// <summary>Opens the file; lines behind the first <paramref name="steps"/> are forgotten, for those steps are made again.</summary>
    /// <exception cref="CheckpointException">There are fewer lines.</exception>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public static StepLog Open(string path, long steps)
    {
        var file = OpenFile(path);
        try
        {
            file.SetLength(EndOfLines(file, steps));
            file.Seek(0, SeekOrigin.End);
            return new StepLog(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Adds a line.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Append(StepMetrics step)
    {
        try
        {
            JsonSerializer.Serialize(_file, step, RunJsonContext.Default.StepMetrics);
            _file.WriteByte((byte)'\n');
            _file.Flush();
        }
        catch (IOException e)
        {
            throw new IOException($"{_file.Name}: the figures of epoch {step.Epoch}, step {step.Step} cannot be written: {DiskError.Describe(e)}", e) { HResult = e.HResult };
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static FileStream OpenFile(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{path}: the figures of the steps cannot be written: {e.Message}", e);
        }
    }

    private static long EndOfLines(FileStream file, long lines)
    {
        var buffer = new byte[1 << 16];
        long position = 0, found = 0;
        while (found < lines)
        {
            int read = file.Read(buffer);
            if (read == 0)
                throw new CheckpointException($"{file.Name}: there are {found} steps, the checkpoint has {lines}; the file was cut.");
            int used = 0;
            while (found < lines && used < read)
                found += buffer[used++] == (byte)'\n' ? 1 : 0;
            position += used;
        }
        return position;
    }
}

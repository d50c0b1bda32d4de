using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Dom.Kernels.Cpu;

/// <summary>A piece of work that is cut into numbered tasks. Tasks must not depend on which thread runs them, nor on their number's order.</summary>
internal interface IJob
{
    /// <summary>Runs task <paramref name="task"/> on thread <paramref name="worker"/> (0 .. threads - 1, for scratch memory).</summary>
    void Execute(int task, int worker);
}

/// <summary>
/// The threads of the CPU backend. <see cref="Run{TJob}"/> hands out the tasks of a job to the caller and the helpers and returns when all are done.
/// </summary>
/// <remarks>
/// What is cut into which tasks is the kernel's business and never depends on the number of threads: that, and tasks that write disjoint
/// results, makes one thread and many give the same bits. Helpers spin for some microseconds between jobs, then sleep. A helper joins a job while there is
/// work; one that the system has not let run by then is not waited for, so a busy machine takes away its cores and no more. Nothing is allocated.
/// </remarks>
internal sealed unsafe class Workers : IDisposable
{
    private const int SpinsBeforeSleep = 200;
    private const long Open = 1L << 31, Next = 1L << 32; // _state: number of the job, whether helpers may join it, helpers that have

    private readonly Thread[] _helpers;
    private readonly Lock _callers = new();
    private readonly object _sleep = new();
    private delegate*<void*, int, int, void> _execute;
    private void* _job;
    private int _tasks, _next, _sleepers;
    private long _state;
    private volatile bool _stop;
    private volatile Exception? _failure;

    public Workers(int threads)
    {
        Count = threads;
        _helpers = new Thread[threads - 1];
        for (int i = 0; i < _helpers.Length; i++)
        {
            int worker = i + 1;
            _helpers[i] = new Thread(() => Help(worker)) { IsBackground = true, Name = $"cpu kernel {worker}" };
            _helpers[i].Start();
        }
    }

    /// <summary>Threads that work on a job, the caller included.</summary>
    public int Count { get; }

    /// <summary>Runs tasks 0 .. <paramref name="tasks"/> - 1 of the job. A task must not run a job itself.</summary>
    /// <exception cref="ObjectDisposedException">The threads were stopped.</exception>
    /// <remarks>The exception of a task that failed reaches the caller as it is; some of the other tasks may then not have run.</remarks>
    public void Run<TJob>(int tasks, in TJob job) where TJob : struct, IJob
    {
        ObjectDisposedException.ThrowIf(_stop, this);
        if (tasks <= 1 || Count == 1)
        {
            for (int task = 0; task < tasks; task++)
                Unsafe.AsRef(in job).Execute(task, 0);
            return;
        }
        lock (_callers)
        {
            ObjectDisposedException.ThrowIf(_stop, this);
            var copy = job; // on this stack until all helpers that joined are done with it
            _job = Unsafe.AsPointer(ref copy);
            _execute = &Execute<TJob>;
            _tasks = tasks;
            _next = 0;
            _failure = null;
            Interlocked.Exchange(ref _state, NumberOf(_state) + Next + Open); // no helper is in the job before: the state was closed and empty
            if (Volatile.Read(ref _sleepers) > 0)
                lock (_sleep)
                    Monitor.PulseAll(_sleep);
            Work(0);
            Interlocked.And(ref _state, ~Open);
            var spinner = default(SpinWait);
            while (HelpersIn(Volatile.Read(ref _state)) > 0)
                spinner.SpinOnce(sleep1Threshold: -1);
            if (_failure is { } failure)
                ExceptionDispatchInfo.Throw(failure);
        }
    }

    public void Dispose()
    {
        lock (_callers) // a job that is under way is finished first
            lock (_sleep)
            {
                _stop = true;
                Monitor.PulseAll(_sleep);
            }
        foreach (var helper in _helpers)
            helper.Join();
    }

    private static void Execute<TJob>(void* job, int task, int worker) where TJob : struct, IJob =>
        Unsafe.AsRef<TJob>(job).Execute(task, worker);

    private static long NumberOf(long state) => state & ~(Next - 1);

    private static int HelpersIn(long state) => (int)(state & (Open - 1));

    private void Work(int worker)
    {
        try
        {
            int task;
            while ((task = Interlocked.Increment(ref _next) - 1) < _tasks)
                _execute(_job, task, worker);
        }
        catch (Exception e)
        {
            _failure = e;
        }
    }

    private void Help(int worker)
    {
        long seen = 0;
        while (true)
        {
            for (int spin = 0; spin < SpinsBeforeSleep && NumberOf(Volatile.Read(ref _state)) == seen && !_stop; spin++)
                Thread.SpinWait(20);
            if (NumberOf(Volatile.Read(ref _state)) == seen)
                Sleep(seen);
            if (_stop)
                return;
            if (!Join(ref seen))
                continue;
            Work(worker);
            Interlocked.Decrement(ref _state);
        }
    }

    /// <summary>Sleeps until there is another job, or the end.</summary>
    private void Sleep(long seen)
    {
        lock (_sleep)
        {
            Interlocked.Increment(ref _sleepers); // before the state is read: who starts a job writes the state, then reads this
            while (NumberOf(Volatile.Read(ref _state)) == seen && !_stop)
                Monitor.Wait(_sleep);
            Interlocked.Decrement(ref _sleepers);
        }
    }

    /// <summary>Enters the current job, unless it is closed already. From then on the caller waits for this helper.</summary>
    private bool Join(ref long seen)
    {
        while (true)
        {
            long state = Volatile.Read(ref _state);
            seen = NumberOf(state);
            if ((state & Open) == 0)
                return false;
            if (Interlocked.CompareExchange(ref _state, state + 1, state) == state)
                return true;
        }
    }
}

using Dom.Kernels.Cpu;

namespace Dom.Kernels.Tests.Cpu;

public sealed unsafe class WorkersTests
{
    [Test]
    public void Every_task_runs_exactly_once_on_a_worker_that_exists(
        [Values(1, 2, 3, 8)] int threads, [Values(0, 1, 2, 3, 7, 8, 64, 1000)] int tasks)
    {
        using var workers = new Workers(threads);
        var runs = new int[tasks + 1];
        int strangers = 0;
        fixed (int* p = runs)
            workers.Run(tasks, new CountJob(p, threads, &strangers));
        Assert.That(runs.Take(tasks), Is.All.EqualTo(1));
        Assert.That(runs[tasks], Is.Zero, "there is no such task");
        Assert.That(strangers, Is.Zero);
    }

    [Test]
    public void Ten_thousand_tiny_jobs_all_end_with_their_work_done([Values(1, 2, 4)] int threads)
    {
        using var workers = new Workers(threads);
        long sum = 0;
        for (int job = 0; job < 10_000; job++)
            workers.Run(3, new SumJob(&sum));
        Assert.That(sum, Is.EqualTo(10_000 * (1 + 2 + 3)));
    }

    [Test]
    public void Jobs_that_come_while_helpers_fall_asleep_or_wake_up_lose_no_task([Values(2, 3, 16)] int threads)
    {
        using var workers = new Workers(threads);
        long sum = 0;
        for (int job = 0; job < 400; job++)
        {
            workers.Run(20, new SumJob(&sum));
            Thread.SpinWait(job % 8 * 4000); // from nothing to far longer than a helper spins
        }
        Assert.That(sum, Is.EqualTo(400 * 210));
    }

    [Test]
    public void An_exception_in_a_task_reaches_the_caller_and_the_threads_survive(
        [Values(1, 2, 4)] int threads, [Values(0, 5, 15)] int failing)
    {
        using var workers = new Workers(threads);
        for (int round = 0; round < 20; round++)
        {
            Assert.That(() => workers.Run(16, new FailingJob(failing)), Throws.TypeOf<NotSupportedException>().With.Message.Contains($"task {failing}"));
            long sum = 0;
            workers.Run(3, new SumJob(&sum));
            Assert.That(sum, Is.EqualTo(6));
        }
    }

    [Test]
    public void Callers_on_several_threads_take_turns()
    {
        using var workers = new Workers(3);
        long sum = 0;
        nint address = (nint)(&sum);
        var callers = Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            for (int job = 0; job < 500; job++)
                workers.Run(3, new SumJob((long*)address));
        })).ToArray();
        foreach (var caller in callers)
            caller.Start();
        foreach (var caller in callers)
            caller.Join();
        Assert.That(sum, Is.EqualTo(4 * 500 * 6));
    }

    [Test]
    public void Disposing_twice_does_no_harm_and_a_job_afterwards_is_refused([Values(1, 2, 4)] int threads)
    {
        var workers = new Workers(threads);
        workers.Dispose();
        workers.Dispose();
        long sum = 0;
        nint address = (nint)(&sum);
        Assert.That(() => workers.Run(3, new SumJob((long*)address)), Throws.TypeOf<ObjectDisposedException>());
    }

    private readonly struct CountJob(int* runs, int threads, int* strangers) : IJob
    {
        public void Execute(int task, int worker)
        {
            Interlocked.Increment(ref runs[task]);
            if (worker < 0 || worker >= threads)
                Interlocked.Increment(ref *strangers);
        }
    }

    private readonly struct SumJob(long* sum) : IJob
    {
        public void Execute(int task, int worker) => Interlocked.Add(ref *sum, task + 1);
    }

    private readonly struct FailingJob(int failing) : IJob
    {
        public void Execute(int task, int worker)
        {
            if (task == failing)
                throw new NotSupportedException($"task {task} cannot run");
        }
    }
}

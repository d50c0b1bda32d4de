using Dom.Bench.Ladder;
using Dom.Kernels.Tests.Cpu;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Tests;

/// <summary>
/// The rungs of docs/cpu-ladder.md. Their sources are compiled into this project: what is taught must be right.
/// </summary>
public sealed unsafe class LadderTests
{
    private static readonly Conv2dSizes[] s_sizes =
    [
        new(2, 8, 8, 64, 64, 3, 3, 1, 1), // one block of everything
        new(1, 16, 8, 16, 128, 3, 3, 1, 1), // taller than wide, few inputs, two panels
        new(3, 8, 24, 48, 64, 3, 3, 1, 1), // steps that do not fill their last block
    ];

    private static IEnumerable<TestCaseData> Cases =>
        from rung in Rung.All from sizes in s_sizes select new TestCaseData(rung.Name, sizes);

    [TestCaseSource(nameof(Cases))]
    public void Every_rung_computes_the_convolution_of_the_reference(string name, Conv2dSizes sizes)
    {
        var rung = Rung.All.Single(r => r.Name == name);
        var problem = new Conv2dProblem(sizes);
        float[] expected = problem.Expected()[0], actual = problem.RunForward(rung.Run, threads: 2);
        double largest = expected.Max(Math.Abs), error = expected.Zip(actual, (e, a) => Math.Abs(e - (double)a)).Max();
        Assert.That(error / largest, Is.LessThan(rung.Tolerance));
    }

    [TestCase("threads")]
    [TestCase("Winograd F(4x4, 3x3)")]
    public void Rungs_that_use_threads_give_the_same_bits_on_any_number_of_them(string name)
    {
        var rung = Rung.All.Single(r => r.Name == name);
        var problem = new Conv2dProblem(s_sizes[2]);
        Assert.That(problem.RunForward(rung.Run, threads: 3), Is.EqualTo(problem.RunForward(rung.Run, threads: 1)));
    }

    [Test]
    public void Every_rung_but_the_first_stands_on_one_below_it()
    {
        for (int i = 1; i < Rung.All.Count; i++)
            Assert.That(Rung.All.Take(i).Select(below => below.Name), Does.Contain(Rung.All[i].Before));
    }
}

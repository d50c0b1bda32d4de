using Dom.Nn.StateDictionaries;
using Dom.Train.Attacks;
using Dom.Train.Tests.Data;
using Dom.Train.Training;

namespace Dom.Train.Tests.Attacks;

public sealed class AutoAttackFileTests
{
    private static readonly AutoAttackFile s_file = new()
    {
        Subject = new Dictionary<string, string> { ["--epsilon"] = "8", ["--seed"] = "1" },
        Clean = new EvaluationResult(0.5, 0.75, 4),
        State = new AutoAttackState
        {
            Verdicts = "x.1.", Tallies = [new AttackTally(EvaluationAttackKind.ApgdCe, 3, 1, 0, 0.25)], SamplesDone = 3, LargestChange = 8 / 255.0,
        },
    };

    private readonly ScratchFolder _scratch = new();

    private string Path => _scratch["evaluation.json"];

    [OneTimeTearDown]
    public void Delete() => _scratch.Dispose();

    [Test]
    public void A_file_comes_back_as_it_was()
    {
        s_file.Save(Path);
        var loaded = AutoAttackFile.Load(Path, s_file.Subject);
        Assert.Multiple(() =>
        {
            Assert.That(loaded.Subject, Is.EqualTo(s_file.Subject));
            Assert.That((loaded.Clean, loaded.Pgd20), Is.EqualTo((s_file.Clean, (EvaluationResult?)null)));
            Assert.That(loaded.State!.Tallies, Is.EqualTo(s_file.State!.Tallies));
            Assert.That(loaded.State with { Tallies = [] }, Is.EqualTo(s_file.State with { Tallies = [] }));
        });
    }

    [Test]
    public void A_file_of_another_evaluation_is_refused_with_what_differs()
    {
        s_file.Save(Path);
        var other = new Dictionary<string, string> { ["--epsilon"] = "4", ["--seed"] = "1", ["--conv"] = "direct" };
        Assert.That(() => AutoAttackFile.Load(Path, other), Throws.TypeOf<CheckpointException>()
            .With.Message.Contains("--epsilon was 8, now it is 4").And.Message.Contains("--conv was not there, now it is direct").And.Message.Not.Contains("--seed"));
    }

    [TestCase("")]
    [TestCase("{")]
    [TestCase("[1, 2]")]
    [TestCase("null")]
    [TestCase("{\"format\": \"something else\"}")]
    public void A_file_that_is_none_is_refused(string text)
    {
        File.WriteAllText(Path, text);
        Assert.That(() => AutoAttackFile.Load(Path, s_file.Subject), Throws.TypeOf<CheckpointException>().With.Message.Contains("evaluation.json"));
    }

    [Test]
    public void A_file_that_is_absent_is_named() =>
        Assert.That(() => AutoAttackFile.Load(_scratch["absent.json"], s_file.Subject), Throws.TypeOf<CheckpointException>().With.Message.Contains("absent.json"));
}

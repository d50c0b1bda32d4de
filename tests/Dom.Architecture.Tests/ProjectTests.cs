namespace Dom.Architecture.Tests;

public sealed class ProjectTests
{
    /// <summary>The arrows as they are drawn: who may use whom. Dom.Tensors owns the contract, so no layer and no trainer can reach a kernel.</summary>
    private static readonly Dictionary<string, string[]> s_arrows = new()
    {
        ["Dom.Tensors"] = [],
        ["Dom.Kernels"] = ["Dom.Tensors"],
        ["Dom.Nn"] = ["Dom.Tensors"],
        ["Dom.Train"] = ["Dom.Nn", "Dom.Tensors"],
        ["Dom.Cli"] = ["Dom.Train", "Dom.Kernels"],
    };

    private const string OptionalLabel = "Only with CardPackages=true", OptionalCondition = "'$(CardPackages)' == 'true'";

    private static IEnumerable<string> Projects => Repository.Projects.Select(Repository.NameOf);

    [TestCaseSource(nameof(Projects))]
    public void A_project_references_only_those_to_which_an_arrow_is_drawn(string project)
    {
        Assert.That(s_arrows, Does.ContainKey(project), "draw the arrows of the new project in this test first");
        var references = Repository.Includes(PathOf(project), "ProjectReference").Select(Repository.NameOf);
        Assert.That(references.Except(s_arrows[project]), Is.Empty, $"{project} must not use these");
    }

    [TestCaseSource(nameof(Projects))]
    public void Only_the_command_line_references_packages(string project)
    {
        if (project != "Dom.Cli")
            Assert.That(Repository.Includes(PathOf(project), "PackageReference"), Is.Empty);
    }

    /// <summary>A build of the solution must not need a feed that carries them.</summary>
    [Test]
    public void Packages_that_not_every_feed_carries_are_referenced_under_their_switch_only()
    {
        var optional = Repository.Includes(Path.Combine(Repository.Root, "Directory.Packages.props"), "PackageVersion", labelled: OptionalLabel).ToArray();
        Assert.That(optional, Does.Contain("TorchSharp-cpu"));
        foreach (string project in Repository.AllProjects)
        {
            var unconditional = Repository.Includes(project, "PackageReference", withoutCondition: OptionalCondition);
            Assert.That(unconditional.Intersect(optional), Is.Empty, project);
        }
    }

    [Test]
    public void The_peer_in_TorchSharp_references_none_of_our_projects() => Assert.That(
        Repository.Includes(Repository.AllProjects.Single(p => Repository.NameOf(p) == "Dom.Bench.TorchSharp"), "ProjectReference"), Is.Empty);

    [Test]
    public void No_source_file_is_longer_than_500_lines() =>
        Assert.That(Repository.Sources("src").Where(f => File.ReadLines(f).Count() > 500), Is.Empty, "look for the seam");

    private static string PathOf(string project) => Repository.Projects.Single(p => Repository.NameOf(p) == project);
}

using Dom.Kernels.Cpu;
using Dom.Nn.Models;
using Dom.Tensors;

namespace Dom.Nn.Tests.Models;

public sealed class ModelTests
{
    // Published sizes; the small one counted by hand.
    [TestCase("preact-resnet18", 10, 11_172_170)]
    [TestCase("preact-resnet18", 100, 11_218_340)]
    [TestCase("wide-resnet34-10", 10, 46_160_474)]
    [TestCase("wide-resnet34-10", 100, 46_218_164)]
    [TestCase("preact-resnet8", 10, 77_850)]
    public void A_model_has_the_published_number_of_parameters(string name, int classes, int expected) => Assert.That(
        ModelCatalog.Create(name, 32, 32, 3, classes).NamedParameters().Sum(p => p.Parameter.Shape.Count), Is.EqualTo(expected));

    [TestCaseSource(typeof(ModelCatalog), nameof(ModelCatalog.Names))]
    public void Every_model_of_the_catalog_turns_images_into_logits_and_leaks_nothing(string name)
    {
        if (name == "wide-resnet34-10")
            Assert.Ignore("46 million parameters are too many for a unit test; wide-resnet16-2 is the same code.");
        using var backend = new CpuBackend(2);
        using (var network = new Network(ModelCatalog.Create(name, 16, 12, 3, 7), backend, seed: 1, ([.5f, .5f, .5f], [.2f, .2f, .2f])))
        using (new TensorScope())
        {
            var pixels = Tensor.From(Enumerable.Range(0, 3 * 16 * 12 * 3).Select(i => i % 17 / 17f).ToArray(), Shape.Of(3, 16, 12, 3), backend);
            var logits = network.Apply(pixels, Pass.Train);
            Assert.Multiple(() =>
            {
                Assert.That(logits.Shape, Is.EqualTo(Shape.Of(3, 7)));
                Assert.That(logits.ToFloats(), Has.All.Matches<float>(float.IsFinite));
            });
        }
        Assert.That(backend.Memory.LiveBytes, Is.Zero, backend.Memory.Report());
    }

    [Test]
    public void An_unknown_model_is_refused_with_the_names_there_are() => Assert.That(
        () => ModelCatalog.Create("resnet", 32, 32, 3, 10), Throws.ArgumentException.With.Message.Contains("preact-resnet18"));
}

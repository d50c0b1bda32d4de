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

    // 11,167,040 without the linear layer, which has 2048 inputs: four windows of 4x4 in a last map of 8x8. Smaller images have one such window or a part of it.
    [TestCase(64, 64, 200, 11_167_040 + 2048 * 200 + 200)]
    [TestCase(64, 32, 200, 11_167_040 + 1024 * 200 + 200)]
    [TestCase(28, 28, 10, 11_172_170)]
    [TestCase(16, 16, 10, 11_172_170)]
    public void PreActResNet_18_averages_windows_of_4x4(int height, int width, int classes, int expected) => Assert.That(
        ModelCatalog.Create("preact-resnet18", height, width, 3, classes).NamedParameters().Sum(p => p.Parameter.Shape.Count), Is.EqualTo(expected));

    [TestCase(48, 48, "6x6")]
    [TestCase(64, 40, "8x5")]
    public void PreActResNet_18_refuses_images_whose_last_map_cannot_be_divided(int height, int width, string map) => Assert.That(
        () => ModelCatalog.Create("preact-resnet18", height, width, 3, 10), Throws.ArgumentException.With.Message.Contains(map).And.Message.Contains("64"));

    [Test]
    public void PreActResNet_18_computes_images_of_64x64()
    {
        using var backend = new CpuBackend(2);
        using (var network = new Network(ModelCatalog.Create("preact-resnet18", 64, 64, 3, 200), backend, seed: 1, ([.5f, .5f, .5f], [.2f, .2f, .2f])))
        using (new TensorScope())
        {
            var pixels = Tensor.From(Enumerable.Range(0, 2 * 64 * 64 * 3).Select(i => i % 17 / 17f).ToArray(), Shape.Of(2, 64, 64, 3), backend);
            Assert.That(network.Apply(pixels, Pass.Evaluate).Shape, Is.EqualTo(Shape.Of(2, 200)));
        }
        Assert.That(backend.Memory.LiveBytes, Is.Zero, backend.Memory.Report());
    }

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

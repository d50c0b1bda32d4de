namespace Dom.Tensors.Tests;

public sealed class PhiloxTests
{
    // Known answers of the authors' reference implementation (Random123, kat_vectors, philox4x32 with 10 rounds).
    [TestCase(0u, 0u, 0u, 0u, 0ul, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [TestCase(0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0xfffffffffffffffful,
        0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [TestCase(0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0x299f31d0a4093822ul,
        0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void A_block_equals_the_published_known_answer(
        uint c0, uint c1, uint c2, uint c3, ulong key, uint a, uint b, uint c, uint d) =>
        Assert.That(Philox.Block(c0, c1, c2, c3, key), Is.EqualTo((a, b, c, d)));

    [Test]
    public void Uniform_numbers_stay_in_the_half_open_interval_and_average_one_half()
    {
        var stream = RandomStream.For(7, RandomPurpose.Test);
        var numbers = Enumerable.Range(0, 100_000).Select(i => stream.Uniform(i)).ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(numbers, Has.All.InRange(0f, 0.99999997f));
            Assert.That(numbers.Average(), Is.EqualTo(0.5).Within(5 * Math.Sqrt(1.0 / 12 / 100_000)));
        });
    }

    [Test]
    public void Normal_numbers_have_mean_zero_and_variance_one()
    {
        var stream = RandomStream.For(7, RandomPurpose.Test, step: 1);
        var numbers = Enumerable.Range(0, 100_000).Select(i => (double)stream.Normal(i)).ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(numbers.Average(), Is.EqualTo(0).Within(5 / Math.Sqrt(100_000)));
            Assert.That(numbers.Select(x => x * x).Average(), Is.EqualTo(1).Within(5 * Math.Sqrt(2.0 / 100_000)));
        });
    }

    [Test]
    public void A_permutation_holds_every_index_once()
    {
        var order = RandomStream.For(3, RandomPurpose.Order, epoch: 5).Permutation(1001);
        Assert.That(order.Order(), Is.EqualTo(Enumerable.Range(0, 1001)));
    }

    [Test]
    public void Streams_of_another_seed_purpose_epoch_step_or_sample_differ()
    {
        var streams = new[]
        {
            RandomStream.For(1, RandomPurpose.Test), RandomStream.For(2, RandomPurpose.Test),
            RandomStream.For(1, RandomPurpose.Order), RandomStream.For(1, RandomPurpose.Test, epoch: 1),
            RandomStream.For(1, RandomPurpose.Test, step: 1), RandomStream.For(1, RandomPurpose.Test, sample: 1),
        };
        Assert.That(streams.Select(s => s.Word(0)).Distinct().Count(), Is.EqualTo(streams.Length));
    }
}

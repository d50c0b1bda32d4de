namespace Dom.Tensors.Tests;

public sealed class DTypeTests
{
    [TestCase(DType.F32, 4, true, DType.F32)]
    [TestCase(DType.BF16, 2, true, DType.F32)]
    [TestCase(DType.F64, 8, true, DType.F64)]
    [TestCase(DType.I32, 4, false, DType.F32)]
    [TestCase(DType.U8, 1, false, DType.F32)]
    public void A_type_has_a_size_and_an_accumulator(DType type, int size, bool isFloat, DType accumulator) =>
        Assert.That((type.Size(), type.IsFloat(), type.Accumulator()), Is.EqualTo((size, isFloat, accumulator)));

    [Test]
    public void A_number_that_is_no_type_is_refused() =>
        Assert.That(() => ((DType)99).Size(), Throws.TypeOf<ArgumentOutOfRangeException>());

    [Test]
    public void Every_bfloat16_survives_the_way_to_f32_and_back()
    {
        for (int bits = 0; bits <= ushort.MaxValue; bits++)
        {
            var value = new BFloat16((ushort)bits);
            var back = BFloat16.FromSingle(value.ToSingle());
            if (float.IsNaN(value.ToSingle()))
                Assert.That(float.IsNaN(back.ToSingle()), Is.True, $"{bits:x4} is no NaN any more");
            else if (back != value)
                Assert.Fail($"{bits:x4} came back as {back.Bits:x4}");
        }
    }

    [Test]
    public void The_value_of_every_finite_bfloat16_is_sign_times_fraction_times_power_of_two()
    {
        for (int bits = 0; bits <= ushort.MaxValue; bits++)
        {
            int exponent = (bits >> 7) & 0xFF, fraction = bits & 0x7F;
            if (exponent == 0xFF)
                continue;
            double magnitude = exponent == 0 ? Math.ScaleB(fraction, -133) : Math.ScaleB(128 + fraction, exponent - 134);
            if ((bits & 0x8000) != 0)
                magnitude = -magnitude;
            if (new BFloat16((ushort)bits).ToSingle() != magnitude)
                Assert.Fail($"{bits:x4} is {new BFloat16((ushort)bits)}, should be {magnitude}");
        }
    }

    [Test]
    public void Rounding_takes_the_nearest_and_the_even_one_of_two_that_are_as_near()
    {
        // Between every two finite neighbors: the midpoint is exact in f32, and so are the f32 numbers on either side of it.
        for (int bits = 0; bits < 0x7F7F; bits++)
            foreach (int sign in (int[])[0, 0x8000])
            {
                float low = new BFloat16((ushort)(bits | sign)).ToSingle(), high = new BFloat16((ushort)((bits + 1) | sign)).ToSingle();
                float middle = (float)(((double)low + high) / 2);
                int even = (bits & 1) == 0 ? bits : bits + 1;
                bool isRight = BFloat16.FromSingle(middle).Bits == (even | sign)
                    && BFloat16.FromSingle(Toward(middle, low)).Bits == (bits | sign)
                    && BFloat16.FromSingle(Toward(middle, high)).Bits == ((bits + 1) | sign)
                    && BFloat16.FromSingle(Toward(low, high)).Bits == (bits | sign)
                    && BFloat16.FromSingle(Toward(high, low)).Bits == ((bits + 1) | sign);
                if (!isRight)
                    Assert.Fail($"between {low:G9} and {high:G9}");
            }

        static float Toward(float from, float to) => to > from ? MathF.BitIncrement(from) : MathF.BitDecrement(from);
    }

    [Test]
    public void Infinities_and_zeros_keep_their_sign_and_too_large_numbers_become_infinite()
    {
        float largest = new BFloat16(0x7F7F).ToSingle();
        float halfway = (float)((largest + 340282366920938463463374607431768211456.0) / 2); // to 2^128, which is not there
        Assert.Multiple(() =>
        {
            Assert.That(BFloat16.FromSingle(float.PositiveInfinity).Bits, Is.EqualTo(0x7F80));
            Assert.That(BFloat16.FromSingle(float.NegativeInfinity).Bits, Is.EqualTo(0xFF80));
            Assert.That(BFloat16.FromSingle(0f).Bits, Is.Zero);
            Assert.That(BFloat16.FromSingle(-0f).Bits, Is.EqualTo(0x8000));
            Assert.That(BFloat16.FromSingle(float.MaxValue).Bits, Is.EqualTo(0x7F80));
            Assert.That(BFloat16.FromSingle(float.MinValue).Bits, Is.EqualTo(0xFF80));
            Assert.That(BFloat16.FromSingle(halfway).Bits, Is.EqualTo(0x7F80));
            Assert.That(BFloat16.FromSingle(MathF.BitDecrement(halfway)).Bits, Is.EqualTo(0x7F7F));
            Assert.That(BFloat16.FromSingle(float.Epsilon).Bits, Is.Zero);
        });
    }

    [TestCase(0x7FC00000u)]
    [TestCase(0xFFC00000u)]
    [TestCase(0x7F800001u)]
    [TestCase(0xFFFFFFFFu)]
    [TestCase(0x7FFFFFFFu)]
    [TestCase(0xFF800001u)]
    public void A_NaN_of_any_bits_stays_a_NaN_of_its_sign(uint bits)
    {
        var value = BFloat16.FromSingle(BitConverter.UInt32BitsToSingle(bits));
        Assert.That(float.IsNaN(value.ToSingle()), Is.True);
        Assert.That(value.Bits >> 15, Is.EqualTo(bits >> 31));
    }
}

using PrivateHeaps.Tool.Reports;

namespace PrivateHeaps.Tool.Tests.Reports;

public class HumanTests
{
    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1, "1 B")]
    [InlineData(1023, "1,023 B")]
    [InlineData(1024, "1 KiB")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(12_897_456, "12.3 MiB")]
    [InlineData((1ul << 20) - 1, "1.0 MiB")]
    [InlineData(1ul << 40, "1 TiB")]
    [InlineData(ulong.MaxValue, "16 EiB")]
    public void Bytes_have_the_largest_unit_that_leaves_a_whole_part(ulong bytes, string expected) => Assert.Equal(expected, Human.Bytes(bytes));

    [Theory]
    [InlineData(400_000, "0.4 ms")]
    [InlineData(9_940_000, "9.9 ms")]
    [InlineData(350_000_000, "350 ms")]
    [InlineData(999_600_000, "1.0 s")]
    [InlineData(1_440_000_000, "1.4 s")]
    [InlineData(59_940_000_000, "59.9 s")]
    [InlineData(59_960_000_000, "1 min 00 s")]
    [InlineData(123_000_000_000, "2 min 03 s")]
    [InlineData(3_599_600_000_000, "1 h 00 min")]
    [InlineData(7_500_000_000_000, "2 h 05 min")]
    public void Durations_have_two_units_at_most(long nanoseconds, string expected) => Assert.Equal(expected, Human.Duration(nanoseconds));

    [Fact]
    public void Counts_are_grouped_by_thousands() => Assert.Equal("1,234,567", Human.Count(1_234_567));

    [Fact]
    public void Shares_are_percentages_with_one_decimal() => Assert.Equal("38.5 %", Human.Percent(0.38501));
}

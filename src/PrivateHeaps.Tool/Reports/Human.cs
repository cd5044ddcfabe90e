using System.Globalization;

namespace PrivateHeaps.Tool.Reports;

/// <summary>Numbers for people: 1,234,567; 12.3 MiB; 1.4 s.</summary>
internal static class Human
{
    private static readonly string[] s_byteUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    public static string Count(ulong count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>"1 line", "2 lines".</summary>
    public static string Numbered(ulong count, string noun) => $"{Count(count)} {noun}{(count == 1 ? "" : "s")}";

    /// <summary>Whole bytes below 1,024; else one decimal, which a round number does without.</summary>
    public static string Bytes(ulong bytes)
    {
        double value = bytes;
        int unit = 0;

        // 1,023.95 would be printed as 1,024.0.
        while (value >= (unit == 0 ? 1024 : 1023.95) && unit < s_byteUnits.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        string number = value.ToString(value == Math.Floor(value) ? "N0" : "N1", CultureInfo.InvariantCulture);
        return $"{number} {s_byteUnits[unit]}";
    }

    public static string Duration(long nanoseconds)
    {
        double seconds = nanoseconds / 1e9;
        long whole = (long)Math.Round(seconds);
        return seconds switch
        {
            < 0.00995 => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1000:0.0} ms"),
            < 0.9995 => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1000:0} ms"),
            < 59.95 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s"),
            < 3599.5 => $"{whole / 60} min {whole % 60:00} s",
            _ => $"{whole / 3600} h {whole / 60 % 60:00} min",
        };
    }

    public static string Percent(double share) => share.ToString("0.0 %", CultureInfo.InvariantCulture);
}

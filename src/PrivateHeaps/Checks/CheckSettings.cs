using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Checks;

/// <summary>
/// What the environment variable PRIVATEHEAPS_CHECK asks for: words with commas between them. They hold for the process heap and are added to
/// what other heaps are created with. Written once, before there are threads that could read them.
/// </summary>
internal static unsafe class CheckSettings
{
    /// <summary>Of the quarantine that a check needs when no size is given.</summary>
    public const nuint SmallQuarantineBytes = 1 * Units.MiB;

    /// <summary>Of the quarantine that "1" and "all" have.</summary>
    public const nuint UsualQuarantineBytes = 16 * Units.MiB;

    /// <summary>One allocation in so many is sampled when no number is given.</summary>
    public const uint UsualSampleRate = 50_000;

    private const HeapChecks UsualChecks = HeapChecks.TailChecking | HeapChecks.FreeChecking | HeapChecks.ParameterChecking | HeapChecks.StackTraces;

    private const int ComplaintBytes = 512;

    private static byte* s_next;

    public static HeapChecks Checks { get; private set; }

    /// <summary>0 for none, or for what the checks need.</summary>
    public static nuint QuarantineBytes { get; private set; }

    /// <summary>0 for no sampling.</summary>
    public static uint SampleRate { get; private set; }

    /// <summary>Whether anything is asked for.</summary>
    public static bool AreSet { get; private set; }

    private static ReadOnlySpan<byte> Variable => "PRIVATEHEAPS_CHECK\0"u8;

    /// <summary>Reads the environment. A word that means nothing is named on standard error, and the others are in force.</summary>
    public static void Read()
    {
        byte* words = Host.Variable(Findings.AddressOf(Variable));
        if (words != null && !AreSet)
        {
            Parse(words);
        }
    }

    /// <summary>Takes the words into force; for tests also without an environment.</summary>
    public static void Parse(byte* words)
    {
        Checks = HeapChecks.None;
        QuarantineBytes = 0;
        SampleRate = 0;
        for (s_next = words; *s_next != 0;)
        {
            byte* word = s_next;
            if (!TakeWord() || (*s_next != 0 && *s_next != ','))
            {
                Complain(word);
            }

            s_next = *s_next == ',' ? s_next + 1 : s_next;
        }

        AreSet = Checks != HeapChecks.None || QuarantineBytes != 0 || SampleRate != 0;
    }

    // Leaves s_next behind what it understood.
    private static bool TakeWord()
    {
        if (*s_next == 0 || *s_next == ',')
        {
            return true;
        }

        if (Takes("htc"u8))
        {
            return Add(HeapChecks.TailChecking);
        }

        if (Takes("hfc"u8))
        {
            return Add(HeapChecks.FreeChecking);
        }

        if (Takes("hpc"u8))
        {
            return Add(HeapChecks.ParameterChecking);
        }

        if (Takes("hvc"u8))
        {
            return Add(HeapChecks.ValidateOnCall);
        }

        if (Takes("hpa=before"u8))
        {
            return Add(HeapChecks.PageHeap | HeapChecks.PageHeapBefore);
        }

        if (Takes("hpa=behind"u8) || Takes("hpa"u8))
        {
            return Add(HeapChecks.PageHeap);
        }

        if (Takes("ust"u8))
        {
            return Add(HeapChecks.StackTraces);
        }

        if (Takes("leaks"u8))
        {
            return Add(HeapChecks.Leaks);
        }

        if (Takes("continue"u8))
        {
            return Add(HeapChecks.Continue);
        }

        if (Takes("1"u8))
        {
            QuarantineBytes = UsualQuarantineBytes;
            return Add(UsualChecks);
        }

        if (Takes("all"u8))
        {
            QuarantineBytes = UsualQuarantineBytes;
            return Add(UsualChecks | HeapChecks.ValidateOnCall | HeapChecks.PageHeap | HeapChecks.Leaks);
        }

        if (Takes("quarantine="u8) && TakeNumber(out nuint bytes))
        {
            QuarantineBytes = bytes;
            return true;
        }

        nuint rate = UsualSampleRate;
        if ((Takes("sample="u8) && TakeNumber(out rate) && rate is > 0 and <= int.MaxValue) || (rate == UsualSampleRate && Takes("sample"u8)))
        {
            SampleRate = (uint)rate;
            return true;
        }

        return Takes("0"u8);
    }

    private static bool Add(HeapChecks checks)
    {
        Checks |= checks;
        return true;
    }

    // Whole words only: what follows is a comma or the end, or the text itself ends with '='.
    private static bool Takes(ReadOnlySpan<byte> text)
    {
        byte* end = s_next;
        byte last = 0;
        foreach (byte letter in text)
        {
            if (*end != letter)
            {
                return false;
            }

            last = letter;
            end++;
        }

        if (last != '=' && *end != 0 && *end != ',')
        {
            return false;
        }

        s_next = end;
        return true;
    }

    // Digits, and K, M or G for the powers of 1,024.
    private static bool TakeNumber(out nuint number)
    {
        number = 0;
        byte* first = s_next;
        for (; *s_next is >= (byte)'0' and <= (byte)'9' && number < nuint.MaxValue / 16; s_next++)
        {
            number = number * 10 + *s_next - '0';
        }

        bool isNumber = s_next != first;
        int shift = *s_next is (byte)'K' or (byte)'k' ? 10 : *s_next is (byte)'M' or (byte)'m' ? 20 : *s_next is (byte)'G' or (byte)'g' ? 30 : 0;
        s_next += isNumber && shift != 0 ? 1 : 0;
        number <<= shift;
        return isNumber && number >> 48 == 0;
    }

    private static void Complain(byte* word)
    {
        byte* sentence = (byte*)Storage.Metadata.Take(ComplaintBytes);
        if (sentence == null)
        {
            return;
        }

        for (s_next = word; *s_next != 0 && *s_next != ','; s_next++)
        {
        }

        TextBuffer text = new(sentence, ComplaintBytes);
        text.Add("privateheaps: PRIVATEHEAPS_CHECK has the word '"u8);
        text.Add(word, (nuint)(s_next - word) < 60 ? (nuint)(s_next - word) : 60);
        text.Add("', which is none of htc, hfc, hpc, hvc, hpa, hpa=before, ust, leaks, continue, quarantine=BYTES, sample, sample=N, all, 1 and 0; the other words are in force.\n"u8);
        Host.WriteError(sentence, text.Bytes(sentence));
        Storage.Metadata.Give(sentence, ComplaintBytes);
    }
}

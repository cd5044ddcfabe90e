using PrivateHeaps.Tests.Conformance;
using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Win32;

/// <summary>What the children of <see cref="TerminationTests"/> do: a bad free in a process that asked to be ended by it.</summary>
internal static unsafe class TerminationScenarios
{
    public static void Misuse(string faceName, string misuse)
    {
        IWin32Face face = faceName == nameof(HeapApiFace) ? new HeapApiFace() : new NativeFace();
        nint heap = face.HeapCreate(0, 0, 0), other = face.HeapCreate(0, 0, 0);
        face.HeapSetInformation(0, HEAP_INFORMATION_CLASS.HeapEnableTerminationOnCorruption, null, 0);
        byte* small = (byte*)face.HeapAlloc(heap, 0, 48);
        byte* large = (byte*)face.HeapAlloc(heap, 0, 300_000);
        byte* solo = (byte*)face.HeapAlloc(heap, 0, 3_000_000);

        // What is no misuse stays as it is: no block, and a heap that does not exist.
        bool harmless = face.HeapFree(heap, 0, null) && !face.HeapFree(1, 0, small) && face.HeapReAlloc(heap, 0, null, 1) == null;
        Console.WriteLine(harmless ? "harmless" : "harmful");
        switch (misuse)
        {
            case "freed":
                face.HeapFree(heap, 0, small);
                face.HeapFree(heap, 0, small);
                break;
            case "freed large":
                face.HeapFree(heap, 0, large);
                face.HeapFree(heap, 0, large);
                break;
            case "inside":
                face.HeapFree(heap, 0, small + 16);
                break;
            case "inside large":
                face.HeapFree(heap, 0, large + 8192);
                break;
            case "inside solo":
                face.HeapFree(heap, 0, solo + 100_000);
                break;
            case "misaligned":
                face.HeapFree(heap, 0, small + 1);
                break;
            case "other heap":
                face.HeapFree(other, 0, small);
                break;
            case "nowhere":
                face.HeapFree(heap, 0, (void*)0x12345678_9000);
                break;
            case "realloc":
                face.HeapFree(heap, 0, small);
                face.HeapReAlloc(heap, 0, small, 10);
                break;
            case "bounded":
                nint bounded = face.HeapCreate(0, 0, 1 << 20);
                byte* fitted = (byte*)face.HeapAlloc(bounded, 0, 5000);
                face.HeapFree(bounded, 0, fitted + 160);
                break;
            case "none":
                bool all = face.HeapFree(heap, 0, small) && face.HeapFree(heap, 0, large) && face.HeapFree(heap, 0, solo);
                Console.WriteLine(all ? "freed" : "refused");
                break;
        }
    }
}

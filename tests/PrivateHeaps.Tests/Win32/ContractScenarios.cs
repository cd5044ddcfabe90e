using System.Runtime.InteropServices;
using PrivateHeaps.Tests.Conformance;
using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Win32;

/// <summary>What the children of <see cref="ContractTests"/> do.</summary>
internal static unsafe class ContractScenarios
{
    private const uint Untouched = 12345;

    public static void PrintContract() => Console.WriteLine(HeapApi.Contract);

    public static void PrintSwitched(string isObserved)
    {
        AppContext.SetSwitch("PrivateHeaps.ObservedContract", bool.Parse(isObserved));
        PrintContract();
    }

    /// <summary>Chooses a contract and prints what tells the two apart.</summary>
    public static void PrintFailures(string contract)
    {
        HeapApi.Contract = Enum.Parse<HeapContract>(contract);
        HeapApiFace face = new();
        nint growable = HeapApi.HeapCreate(0, 0, 0);
        nint bounded = HeapApi.HeapCreate(0, 0, 256 << 10);
        nint large = HeapApi.HeapCreate(0, 0, 16 << 20);
        void* block = face.HeapAlloc(growable, 0, 100);
        Print(face, "alloc", () => face.HeapAlloc(growable, 0, nuint.MaxValue) == null);
        Print(face, "alloc in no heap", () => face.HeapAlloc(1, 0, 10) == null);
        Print(face, "realloc", () => face.HeapReAlloc(growable, 0, block, nuint.MaxValue) == null);
        Print(face, "realloc in place", () => face.HeapReAlloc(growable, HeapApi.HEAP_REALLOC_IN_PLACE_ONLY, block, 1 << 20) == null);
        Print(face, "size", () => face.HeapSize(growable, 0, (byte*)block + 16) == nuint.MaxValue);
        Console.WriteLine($"largest of 16 MiB: {Largest(face, large)}");
        Console.WriteLine($"largest of 256 KiB: {Largest(face, bounded)}");
        PROCESS_HEAP_ENTRY entry = default;
        nint fresh = HeapApi.HeapCreate(0, 0, 0);
        HeapApi.HeapWalk(fresh, ref entry);
        Console.WriteLine($"region: {entry.cbData}, overhead {entry.cbOverhead != 0}, committed {entry.Region.dwCommittedSize}, uncommitted {entry.Region.dwUnCommittedSize}");
    }

    /// <summary>Makes the process's first call, which starts the engine and asks for the contract, and prints the last error after it.</summary>
    public static void PrintErrorOfFirstCall(string function)
    {
        Marshal.SetLastPInvokeError((int)Untouched);
        switch (function)
        {
            case "HeapCreate":
                HeapApi.HeapCreate(0, 0, 0);
                break;
            case "HeapAlloc":
                HeapApi.HeapAlloc(HeapApi.GetProcessHeap(), 0, 100);
                break;
            case "HeapAlloc, refused":
                HeapApi.HeapAlloc(HeapApi.GetProcessHeap(), 0, nuint.MaxValue);
                break;
            case "GlobalAlloc":
                WinBase.GlobalAlloc(WinBase.GMEM_MOVEABLE, 100);
                break;
            case "VirtualAlloc":
                MemoryApi.VirtualAlloc(null, 100, MemoryApi.MEM_RESERVE | MemoryApi.MEM_COMMIT, MemoryApi.PAGE_READWRITE);
                break;
            case "GetSystemInfo":
                SYSTEM_INFO info;
                SysInfoApi.GetSystemInfo(&info);
                break;
        }

        Console.WriteLine(Marshal.GetLastPInvokeError());
    }

    public static void ChooseLate()
    {
        HeapContract before = HeapApi.Contract;
        HeapApi.HeapDestroy(HeapApi.HeapCreate(0, 0, 0));
        HeapApi.Contract = before;
        try
        {
            HeapApi.Contract = HeapContract.Observed;
        }
        catch (InvalidOperationException refusal)
        {
            Console.WriteLine(refusal.Message);
        }

        Console.WriteLine(HeapApi.Contract);
    }

    private static void Print(HeapApiFace face, string name, Func<bool> refused)
    {
        Marshal.SetLastPInvokeError((int)Untouched);
        bool wasRefused = refused();
        Console.WriteLine($"{name}: {(wasRefused ? "refused" : "served")}, {(face.LastError == Untouched ? "untouched" : face.LastError)}");
    }

    private static nuint Largest(HeapApiFace face, nint heap)
    {
        nuint served = 0, refused = 32 << 20;
        while (refused - served > 1)
        {
            nuint middle = served + (refused - served) / 2;
            void* block = face.HeapAlloc(heap, 0, middle);
            (served, refused) = block != null ? (middle, refused) : (served, middle);
            face.HeapFree(heap, 0, block);
        }

        return served;
    }
}

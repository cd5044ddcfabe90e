using PrivateHeaps.Checks;
using PrivateHeaps.Foundation;
using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Checks;

/// <summary>
/// What the children of <see cref="EnvironmentCheckTests"/> do: misuse a heap that asks for these checks itself, in one way after the other. A line is
/// printed for each that says what became of the call; findings go to standard error unless somebody listens.
/// </summary>
internal static unsafe class CheckScenarios
{
    public static void Run(HeapChecks checks, string[] misuses)
    {
        PrivateHeap heap = new(new() { Name = "checked", Checks = checks });
        foreach (string misuse in misuses)
        {
            try
            {
                Console.WriteLine(Misuse(heap, misuse));
            }
            catch (HeapCorruptionException thrown)
            {
                Console.WriteLine($"thrown {thrown.Finding!.Kind}");
            }
        }
    }

    private static string Misuse(PrivateHeap heap, string misuse)
    {
        byte* block = (byte*)heap.Alloc(40);
        switch (misuse)
        {
            case "listen":
                heap.Free(block);
                PrivateHeap.Finding += (_, finding) => Console.WriteLine($"told {finding.Kind}");
                return "listening";
            case "write behind":
                block[40] = 0;
                heap.Free(block);
                break;
            case "write behind in the process heap":
                block = (byte*)PrivateHeap.ProcessHeap.Alloc(40);
                block[40] = 0;
                PrivateHeap.ProcessHeap.Free(block);
                break;
            case "write behind, then allocate":
                block[40] = 0;
                heap.Alloc(1);
                break;
            case "write behind and keep":
                block[40] = 0;
                break;
            case "write behind and have it locked for ever":
                block[40] = 0;
                using (ManualResetEventSlim isLocked = new())
                {
                    new Thread(() =>
                    {
                        HeapApi.HeapLock(heap.Handle);
                        isLocked.Set();
                        Thread.Sleep(Timeout.Infinite);
                    })
                    { IsBackground = true }.Start();
                    isLocked.Wait();
                }

                break;
            case "write in front":
                block[-1] = 0;
                heap.Free(block);
                break;
            case "write after free":
                heap.Free(block);
                block[8] = 0;
                heap.Compact();
                break;
            case "read after free":
                heap.Free(block);
                return $"read {block[8]}";
            case "free twice":
                heap.Free(block);
                heap.Free(block);
                break;
            case "invent a handle":
                heap.Free(block);
                HeapApi.HeapFree(0x12340, 0, (nint)block);
                break;
            case "keep":
                break;
            case "keep in a heap that is disposed":
                heap.Free(block);
                PrivateHeap other = new(new() { Name = "other" });
                other.Alloc(8);
                other.Dispose();
                break;
            case "look":
                heap.Free(block);
                return (nuint)block % Units.PageBytes == 0 ? "behind a page" : ((nuint)block + 48) % Units.PageBytes == 0 ? "in front of a page" : "among others";
            case "look at many":
                nuint inFront = 0;
                for (int i = 0; i < 400_000; i++)
                {
                    inFront += ((nuint)heap.Alloc(3000) + 3008) % Units.PageBytes == 0 ? 1u : 0;
                }

                return inFront is >= 4 and <= 16 ? "some in front of a page" : $"{inFront} in front of a page";
            default:
                throw new ArgumentException(misuse);
        }

        return "went on";
    }
}

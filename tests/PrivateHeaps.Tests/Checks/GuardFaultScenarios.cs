using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using PrivateHeaps.Checks;

namespace PrivateHeaps.Tests.Checks;

/// <summary>What the children of <see cref="GuardFaultTests"/> do: touch pages that cannot be accessed, or nothing that is.</summary>
internal static unsafe class GuardFaultScenarios
{
    private const int Bytes = 4096;
    private static int s_sum;

    public static void Run(string scenario)
    {
        PrivateHeap heap = new(new() { Name = "guarded", Checks = HeapChecks.PageHeap | HeapChecks.StackTraces });
        byte* block = AllocateHere(heap);
        Memory.Fill(block, Bytes, 0x41);
        switch (scenario)
        {
            case "read behind, where exceptions are caught":
                try
                {
                    ReadHere(block + Bytes);
                }
                catch (Exception)
                {
                    Console.WriteLine("caught");
                }

                break;
            case "write after free, in the thread pool":
                heap.Free(block);
                ThreadPool.QueueUserWorkItem(_ => WriteHere((byte*)(nint)block + 20));
                Thread.Sleep(Timeout.Infinite);
                break;
            case "write in front, by the framework":
                new Span<byte>(block - 8, 100).Fill(1);
                break;
            case "read behind, by native code":
                Console.WriteLine(StringLength(block));
                break;
            case "read behind, on a thread of native code":
                RunOnNativeThread((nint)(delegate* unmanaged<byte*, nint>)&ReadOnNativeThread, block + Bytes);
                break;
            case "read behind, by native code on a thread of its own":
                RunOnNativeThread(NativeLibrary.GetExport(NativeLibrary.GetMainProgramHandle(), "strlen"), block);
                break;
            case "read behind, beside a thread that collects garbage":
                new Thread(Collect).Start();
                Thread.Sleep(50);
                ReadHere(block + Bytes + 3);
                break;
            case "read behind, listening":
                int own = Environment.CurrentManagedThreadId;
                PrivateHeap.Finding += (_, finding) =>
                {
                    heap.Free(heap.Alloc(1));
                    GC.Collect();
                    Console.WriteLine($"told {finding.Kind} of {finding.ByteCount} bytes at {finding.Address - (nint)block} by {(Environment.CurrentManagedThreadId == own ? "the thread" : "another")}");
                };
                ReadHere(block + Bytes);
                break;
            case "read behind, listening and reading again":
                PrivateHeap.Finding += (_, _) => ReadHere(block + Bytes + 1);
                ReadHere(block + Bytes);
                break;
            case "read behind, listening and throwing":
                PrivateHeap.Finding += (_, _) => throw new InvalidOperationException("listener");
                ReadHere(block + Bytes);
                break;
            case "read behind, eight threads at once":
                using (Barrier start = new(8))
                {
                    Threads.Run([.. Enumerable.Range(0, 8).Select<int, Action>(number => () =>
                    {
                        start.SignalAndWait();
                        ReadHere(block + Bytes + number);
                    })]);
                }

                break;
            case "read what was never mapped":
                ReadHere((byte*)0x7000_0000_0000);
                break;
            case "overflow the stack":
                OverflowStack(0);
                break;
            case "null references":
                CatchNullReferences(block);
                break;
            default:
                throw new ArgumentException(scenario);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static byte* AllocateHere(PrivateHeap heap) => (byte*)heap.Alloc(Bytes);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ReadHere(byte* address) => s_sum += *address;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void WriteHere(byte* address) => *address = 1;

    [UnmanagedCallersOnly]
    private static nint ReadOnNativeThread(byte* address)
    {
        ReadHere(address);
        return 0;
    }

    private static void RunOnNativeThread(nint code, void* argument)
    {
        nint thread;
        CreateThread(&thread, null, code, argument);
        Thread.Sleep(Timeout.Infinite);
    }

    private static void Collect()
    {
        for (; ; )
        {
            GC.Collect(0);
            Thread.Sleep(1);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void OverflowStack(int depth)
    {
        byte* room = stackalloc byte[1000];
        room[depth % 1000] = 1;
        OverflowStack(depth + 1);
        s_sum += room[0];
    }

    // While blocks come and go, so that the ranges change.
    private static void CatchNullReferences(byte* block)
    {
        const int count = 2_000;
        int[] caught = new int[3];
        Threads.Run([.. Enumerable.Range(0, caught.Length).Select<int, Action>(number => () =>
        {
            using PrivateHeap heap = new(new() { SampleRate = 1, QuarantineSize = 64 << 10 });
            for (int i = 0; i < count; i++)
            {
                try
                {
                    heap.Free(heap.Alloc(100));
                    ReadHere((byte*)(nint)(i % 100));
                }
                catch (NullReferenceException)
                {
                    caught[number]++;
                }
            }
        })]);
        Memory.AssertFilled(block, 0, Bytes, 0x41);
        Console.WriteLine(caught.All(each => each == count) ? "caught all" : $"caught {string.Join(", ", caught)}");
    }

    [DllImport("libc", EntryPoint = "strlen")]
    private static extern nint StringLength(byte* text);

    [DllImport("libc", EntryPoint = "pthread_create")]
    private static extern int CreateThread(nint* thread, void* attributes, nint code, void* argument);
}

using System.Reflection;
using System.Runtime.InteropServices;
using PrivateHeaps.Heaps;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Tests.Heaps;

/// <summary>What of the engine a fork finds in the hands of another thread. The child has no such thread, so no lock may be forgotten.</summary>
public sealed unsafe class ForkTests
{
    private const string Held = "held by the forking thread";
    private const string Inside = "free, since nobody is inside the heap";

    /// <summary>Every lock of the engine. Who adds one decides here what becomes of it, and has <see cref="Fork"/> see to it.</summary>
    private static readonly SortedDictionary<string, string> s_locks = new(StringComparer.Ordinal)
    {
        ["AddressMap.State.Lock"] = Held,
        ["Arena.State.Lock"] = Held,
        ["FaceLock.s_lock"] = Held,
        ["HandleTable.State.Lock"] = Held,
        ["HeapRegistry.State.Lock"] = Held,
        ["Metadata.State.Lock"] = Held,
        ["Threads.State.Lock"] = Held,
        ["HeapState.CacheLock"] = Held,
        ["HeapState.ExclusionLock"] = "given up in the child if another thread held it",
        ["RegionSet.Lock"] = Inside,
        ["UserValues._lock"] = Inside,
        ["Bin.Lock"] = Inside,
        ["CheckState.Lock"] = Inside,
        ["Depot._lock"] = Inside,
        ["GuardRanges.Table.Lock"] = "kept in .NET processes alone, which do not fork",
    };

    [Fact]
    public void Every_lock_of_the_engine_is_held_or_known_to_be_free_when_the_process_forks()
    {
        const BindingFlags all = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        FieldInfo[] locks =
        [
            .. typeof(OsLock).Assembly.GetTypes().SelectMany(type => type.GetFields(all))
                .Where(field => field.FieldType == typeof(OsLock) || field.FieldType == typeof(OsLock*)),
        ];
        Assert.Equal(s_locks.Keys, locks.Select(NameOf).Order(StringComparer.Ordinal));

        // The heap's own locks lie where its state does; the addresses of the others are found before everything stands still.
        using PrivateHeap heap = new();
        for (int count = 0; count < 100; count++)
        {
            heap.Free(heap.Alloc(64));
        }

        HeapState* state = HeapRegistry.Find(heap.Handle);
        Dictionary<string, nint> places = locks.Where(field => field.IsStatic || field.DeclaringType!.Name == "State").ToDictionary(NameOf, PlaceOf);
        places["HeapState.CacheLock"] = (nint)(&state->CacheLock);
        places["RegionSet.Lock"] = (nint)(&state->Regions.Lock);
        places["UserValues._lock"] = (nint)(&state->UserValues) + Marshal.OffsetOf<UserValues>("_lock");
        places["Bin.Lock"] = (nint)(&HeapState.BinOf(state, 0)->Lock);
        PrivateHeaps.Heaps.ThreadState* thread = CurrentThread.State;
        Dictionary<string, bool> held = places.ToDictionary(place => place.Key, _ => false);
        Fork.Prepare(thread);
        try
        {
            foreach ((string name, nint place) in places)
            {
                held[name] = (*(int*)place & 0xFF) != 0;
            }
        }
        finally
        {
            Fork.Parent(thread);
        }

        Assert.All(held, found => Assert.Equal(s_locks[found.Key] == Held, found.Value));
        Assert.All(places, place => Assert.Equal(0, *(int*)place.Value & 0xFF));
        heap.Free(heap.Alloc(64));
        Assert.True(heap.Validate());
    }

    private static string NameOf(FieldInfo field) =>
        (field.DeclaringType!.IsNested ? field.DeclaringType.DeclaringType!.Name + "." : "") + $"{field.DeclaringType.Name}.{field.Name}";

    // A static pointer to the lock, or to the structure that it lies in.
    private static nint PlaceOf(FieldInfo field)
    {
        if (field.IsStatic)
        {
            return (nint)Pointer.Unbox(field.GetValue(null)!);
        }

        Type structure = field.DeclaringType!;
        object start = structure.DeclaringType!.GetField("s_state", BindingFlags.NonPublic | BindingFlags.Static)!.GetValue(null)!;
        return (nint)Pointer.Unbox(start) + Marshal.OffsetOf(structure, field.Name);
    }
}

/* RtlWalkHeap, RtlQueryHeapInformation, RtlSetHeapInformation, RtlGetUserInfoHeap, RtlSetUserValueHeap and RtlSetUserFlagsHeap. */
#include "rtl.h"

void rtl_walk_heap(void)
{
    HANDLE heap = rtl_heap();
    char *small = RtlAllocateHeap(heap, 0, 123), *empty = RtlAllocateHeap(heap, 0, 0), *large = RtlAllocateHeap(heap, 0, 3 * MiB);
    RTL_HEAP_WALK_ENTRY entry;
    memset(&entry, 0xCD, sizeof entry);
    entry.DataAddress = NULL;
    int regions = 0, busy = 0, has_small = 0, has_empty = 0, has_large = 0, sizes = 1, status;
    RtlLockHeap(heap);
    while ((status = (int)RtlWalkHeap(heap, &entry)) == 0) {
        regions += (entry.Flags & 2) != 0;
        busy += (entry.Flags & 1) != 0;
        if (entry.DataAddress == small && (entry.Flags & 1) != 0)
            has_small++, sizes &= entry.DataSize == 123;
        if (entry.DataAddress == empty && (entry.Flags & 1) != 0)
            has_empty++, sizes &= entry.DataSize == 0;
        if (entry.DataAddress == large && (entry.Flags & 1) != 0)
            has_large++, sizes &= entry.DataSize == 3 * MiB;
    }
    RtlUnlockHeap(heap);
    observe("begins with a NULL address, whatever else there is; ends with", "0x%X", (unsigned)status);
    observe("has a region", "%s", yes(regions > 0));
    observe("each block comes once", "%s", yes(has_small == 1 && has_empty == 1 && has_large == 1));
    observe("sizes are exact", "%s", yes(sizes));
    observe("busy entries", "%d", busy);
    OBSERVE_STATUS("after the end", RtlWalkHeap(heap, &entry));
    OBSERVE_STATUS("no entry", RtlWalkHeap(heap, NULL));
    entry.DataAddress = NULL;
    OBSERVE_STATUS("no heap", RtlWalkHeap(NULL, &entry));
    RtlDestroyHeap(heap);
}

void rtl_query_heap_information(void)
{
    HANDLE heap = rtl_heap();
    ULONG value[2] = { 77, 77 };
    SIZE_T returned = 77;
    OBSERVE_STATUS("front end", RtlQueryHeapInformation(heap, 0, value, sizeof(ULONG), &returned));
    observe("front end, value, length", "%u, %s", (unsigned)value[0], size(returned));
    OBSERVE_STATUS("front end, longer buffer", RtlQueryHeapInformation(heap, 0, value, sizeof value, &returned));
    observe("front end, longer buffer, the rest", "%u", (unsigned)value[1]);
    OBSERVE_STATUS("front end, no returned length", RtlQueryHeapInformation(heap, 0, value, sizeof(ULONG), NULL));
    returned = 77;
    OBSERVE_STATUS("front end, short buffer", RtlQueryHeapInformation(heap, 0, value, 3, &returned));
    observe("front end, short buffer, returned length", "%s", size(returned));
    returned = 77;
    OBSERVE_STATUS("front end, no buffer", RtlQueryHeapInformation(heap, 0, NULL, 0, &returned));
    observe("front end, no buffer, returned length", "%s", size(returned));
    OBSERVE_STATUS("no heap", RtlQueryHeapInformation(NULL, 0, value, sizeof(ULONG), NULL));
    OBSERVE_STATUS("no heap, no buffer", RtlQueryHeapInformation(NULL, 0, NULL, 0, NULL));
    OBSERVE_STATUS("class 1", RtlQueryHeapInformation(heap, 1, value, sizeof(ULONG), NULL));
    OBSERVE_STATUS("class 3", RtlQueryHeapInformation(heap, 3, value, sizeof(ULONG), NULL));
    OBSERVE_STATUS("class 7", RtlQueryHeapInformation(heap, 7, value, sizeof(ULONG), NULL));
    OBSERVE_STATUS("class 1000", RtlQueryHeapInformation(heap, 1000, value, sizeof(ULONG), NULL));
    RtlDestroyHeap(heap);
}

static ULONG front_end(HANDLE heap)
{
    ULONG value = 77;
    RtlQueryHeapInformation(heap, 0, &value, sizeof value, NULL);
    return value;
}

static void set_front_end(HANDLE heap, const char *name, ULONG value, SIZE_T bytes)
{
    ULONG values[2] = { value, 0 };
    OBSERVE_STATUS(name, RtlSetHeapInformation(heap, 0, values, bytes));
    observe(named("%s, front end after it", name), "%u", (unsigned)front_end(heap));
}

void rtl_set_heap_information(void)
{
    HANDLE heap = rtl_heap(), loose = RtlCreateHeap(GROWABLE | HEAP_NO_SERIALIZE, NULL, 0, 0, NULL, NULL);
    ULONG request[2] = { 1, 0 }; /* version and flags */
    set_front_end(heap, "front end 0", 0, 4);
    set_front_end(heap, "front end 1", 1, 4);
    set_front_end(heap, "front end 3", 3, 4);
    set_front_end(heap, "front end, short", 2, 3);
    set_front_end(heap, "front end 2, not serialized", 2, 4);
    OBSERVE_STATUS("front end 2, not serialized heap", RtlSetHeapInformation(loose, 0, &(ULONG){ 2 }, 4));
    HANDLE fresh = rtl_heap();
    set_front_end(fresh, "front end 2, longer buffer", 2, 8);
    set_front_end(fresh, "front end 0 after 2", 0, 4);
    set_front_end(fresh, "front end 1 after 2", 1, 4);
    set_front_end(fresh, "front end 2 after 2", 2, 4);
    OBSERVE_STATUS("front end, no buffer, length 0", RtlSetHeapInformation(heap, 0, NULL, 0));
    OBSERVE_STATUS("front end, no heap", RtlSetHeapInformation(NULL, 0, &(ULONG){ 2 }, 4));
    OBSERVE_STATUS("resources", RtlSetHeapInformation(heap, 3, request, sizeof request));
    OBSERVE_STATUS("resources of all heaps", RtlSetHeapInformation(NULL, 3, request, sizeof request));
    OBSERVE_STATUS("tag", RtlSetHeapInformation(heap, 7, NULL, 0));
    OBSERVE_STATUS("class 1000", RtlSetHeapInformation(heap, 1000, NULL, 0));
    RtlDestroyHeap(fresh);
    RtlDestroyHeap(loose);
    RtlDestroyHeap(heap);
}

static void user_info(HANDLE heap, const char *name, void *block)
{
    PVOID value = (PVOID)0x77;
    ULONG flags = 0x77;
    OBSERVE_BOOL(name, RtlGetUserInfoHeap(heap, 0, block, &value, &flags));
    observe(named("%s, value, flags", name), "%s, %s", number((uintptr_t)value), number(flags));
}

void rtl_get_user_info_heap(void)
{
    HANDLE heap = rtl_heap(), other = rtl_heap();
    char *plain = RtlAllocateHeap(heap, 0, 100), *settable = RtlAllocateHeap(heap, SETTABLE_VALUE, 100);
    char *flagged = RtlAllocateHeap(heap, SETTABLE_VALUE | SETTABLE_FLAG1 | SETTABLE_FLAG3, 100), *large = RtlAllocateHeap(heap, SETTABLE_VALUE, 3 * MiB);
    char *freed = RtlAllocateHeap(heap, SETTABLE_VALUE, 333);
    RtlFreeHeap(heap, 0, freed);
    user_info(heap, "block without a value", plain);
    user_info(heap, "block with a value", settable);
    user_info(heap, "block with a value and flags", flagged);
    user_info(heap, "large block with a value", large);
    user_info(heap, "a freed block", freed);
    user_info(heap, "inside a block", settable + 16);
    user_info(other, "another heap's block", settable);
    OBSERVE_BOOL("no heap", RtlGetUserInfoHeap(NULL, 0, settable, NULL, NULL));
    OBSERVE_BOOL("nothing asked for", RtlGetUserInfoHeap(heap, 0, settable, NULL, NULL));
    RtlDestroyHeap(heap);
    RtlDestroyHeap(other);
}

static PVOID value_of(HANDLE heap, void *block)
{
    PVOID value = (PVOID)0x77;
    ULONG flags;
    RtlGetUserInfoHeap(heap, 0, block, &value, &flags);
    return value;
}

static void set_value(HANDLE heap, const char *name, void *block, PVOID value)
{
    OBSERVE_BOOL(name, RtlSetUserValueHeap(heap, 0, block, value));
    observe(named("%s, value after it", name), "%s", number((uintptr_t)value_of(heap, block)));
}

void rtl_set_user_value_heap(void)
{
    HANDLE heap = rtl_heap(), other = rtl_heap();
    char *plain = RtlAllocateHeap(heap, 0, 100), *settable = RtlAllocateHeap(heap, SETTABLE_VALUE, 100), *large = RtlAllocateHeap(heap, SETTABLE_VALUE, 3 * MiB);
    char *freed = RtlAllocateHeap(heap, SETTABLE_VALUE, 333);
    RtlFreeHeap(heap, 0, freed);
    memset(settable, 'x', 100);
    set_value(heap, "block with a value", settable, (PVOID)0x1234);
    observe("block with a value, its bytes stay", "%s", yes(all_bytes(settable, 100, 'x')));
    OBSERVE_SIZE("block with a value, its size", RtlSizeHeap(heap, 0, settable));
    set_value(heap, "block with a value, again", settable, (PVOID)0x4321);
    set_value(heap, "large block with a value", large, (PVOID)0x1234);
    set_value(heap, "block without a value", plain, (PVOID)0x1234);
    OBSERVE_BOOL("a freed block", RtlSetUserValueHeap(heap, 0, freed, NULL));
    OBSERVE_BOOL("inside a block", RtlSetUserValueHeap(heap, 0, settable + 16, NULL));
    OBSERVE_BOOL("another heap's block", RtlSetUserValueHeap(other, 0, settable, NULL));
    OBSERVE_BOOL("no heap", RtlSetUserValueHeap(NULL, 0, settable, NULL));
    settable = RtlReAllocateHeap(heap, SETTABLE_VALUE, settable, 50);
    observe("shrunk block keeps its value", "%s", yes(value_of(heap, settable) == (PVOID)0x4321));
    settable = RtlReAllocateHeap(heap, SETTABLE_VALUE, settable, 50 * KiB);
    observe("grown block keeps its value", "%s", yes(value_of(heap, settable) == (PVOID)0x4321));
    RtlDestroyHeap(heap);
    RtlDestroyHeap(other);
}

static void set_flags(HANDLE heap, const char *name, void *block, ULONG reset, ULONG set)
{
    OBSERVE_BOOL(name, RtlSetUserFlagsHeap(heap, 0, block, reset, set));
    PVOID value;
    ULONG now = 0x77;
    RtlGetUserInfoHeap(heap, 0, block, &value, &now);
    observe(named("%s, flags after it", name), "%s", number(now));
}

void rtl_set_user_flags_heap(void)
{
    HANDLE heap = rtl_heap(), other = rtl_heap();
    char *plain = RtlAllocateHeap(heap, 0, 100), *settable = RtlAllocateHeap(heap, SETTABLE_VALUE, 100);
    char *freed = RtlAllocateHeap(heap, SETTABLE_VALUE, 333);
    RtlFreeHeap(heap, 0, freed);
    set_flags(heap, "block with a value, sets all", settable, 0, SETTABLE_FLAGS);
    set_flags(heap, "block with a value, clears one", settable, SETTABLE_FLAG2, 0);
    set_flags(heap, "block with a value, clears and sets", settable, SETTABLE_FLAG1, SETTABLE_FLAG2);
    set_flags(heap, "block with a value, clears and sets the same", settable, SETTABLE_FLAG3, SETTABLE_FLAG3);
    set_flags(heap, "block with a value, bit that is no user flag", settable, 0, SETTABLE_VALUE);
    set_flags(heap, "block with a value, clears a bit that is no user flag", settable, 0x1000, 0);
    set_flags(heap, "block without a value", plain, 0, SETTABLE_FLAG1);
    OBSERVE_BOOL("a freed block", RtlSetUserFlagsHeap(heap, 0, freed, 0, SETTABLE_FLAG1));
    OBSERVE_BOOL("inside a block", RtlSetUserFlagsHeap(heap, 0, settable + 16, 0, SETTABLE_FLAG1));
    OBSERVE_BOOL("another heap's block", RtlSetUserFlagsHeap(other, 0, settable, 0, SETTABLE_FLAG1));
    OBSERVE_BOOL("no heap", RtlSetUserFlagsHeap(NULL, 0, settable, 0, SETTABLE_FLAG1));
    RtlDestroyHeap(heap);
    RtlDestroyHeap(other);
}

using PrivateHeaps.Heaps;
using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;
using ThreadState = PrivateHeaps.Heaps.ThreadState;

namespace PrivateHeaps.Tests.Heaps;

/// <summary>The layouts that the C shim (shim_thread.h, shim_thread.c) and the tool's readers rely on.</summary>
public sealed unsafe class LayoutTests
{
    [Fact]
    public void The_head_of_a_thread_state_is_what_the_shim_has()
    {
        ThreadState state = default;
        byte* start = (byte*)&state;
        Assert.Equal(0, (byte*)&state.Table - start);
        Assert.Equal(8, (byte*)&state.Process - start);
        Assert.Equal(16, (byte*)&state.TableMask - start);
        Assert.Equal(24, (byte*)&state.Failure - start);
        Assert.Equal(28, (byte*)&state.PendingStatus - start);
        Assert.True(sizeof(ThreadState) <= 512);
    }

    [Fact]
    public void The_head_of_a_thread_cache_is_what_the_shim_has()
    {
        ThreadCache cache = default;
        Assert.Equal(0, (byte*)&cache.Handle - (byte*)&cache);
        Assert.Equal(8, (byte*)&cache.Busy - (byte*)&cache);
        Assert.True(sizeof(ThreadCache) <= 256);
    }

    [Fact]
    public void What_a_call_looks_at_in_a_thread_cache_and_a_magazine_is_a_cache_line()
    {
        ThreadCache cache = default;
        Assert.Equal(32, (byte*)&cache.Offsets - (byte*)&cache);
        PageEntry entry = default;
        Assert.True(PageEntry.StateOf(&entry) == (byte*)&entry.Pages);
        Assert.True((byte*)&cache.TagBase - (byte*)&cache <= 60 && (byte*)&cache.Thread - (byte*)&cache <= 56);
        Assert.Equal(0, sizeof(ThreadCache) % 64);
        Assert.Equal(64, sizeof(Magazine));
    }

    [Fact]
    public void A_page_entry_has_sixteen_bytes() => Assert.Equal(16, sizeof(PageEntry));
}

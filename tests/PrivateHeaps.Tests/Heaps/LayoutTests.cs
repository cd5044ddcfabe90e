using PrivateHeaps.Heaps;
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
        Assert.Equal(16, (byte*)&state.TableCount - start);
        Assert.Equal(24, (byte*)&state.Failure - start);
        Assert.Equal(28, (byte*)&state.PendingStatus - start);
        Assert.True(sizeof(ThreadState) <= 512);
    }

    [Fact]
    public void The_head_of_a_thread_cache_is_what_the_shim_has()
    {
        ThreadCache cache = default;
        Assert.Equal(0, (byte*)&cache.OpenHandle - (byte*)&cache);
        Assert.Equal(8, (byte*)&cache.Busy - (byte*)&cache);
        Assert.True(sizeof(ThreadCache) <= 80);
    }

    [Fact]
    public void A_page_entry_has_sixteen_bytes() => Assert.Equal(16, sizeof(PageEntry));
}

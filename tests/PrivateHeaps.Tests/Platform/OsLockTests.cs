using System.Diagnostics;
using System.Runtime.InteropServices;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Tests.Platform;

public sealed unsafe class OsLockTests
{
    private const int Held = 1, Sleepers = 1 << 8;

    [Fact]
    public void Who_sleeps_first_gets_the_lock_however_late_it_shows_that_the_holder_left_without_seeing_him()
    {
        // Memory that stays, since the thread would touch it for as long as it waits.
        OsLock* gate = (OsLock*)NativeMemory.AllocZeroed((nuint)sizeof(OsLock));
        int* word = (int*)gate;
        OsLock.Enter(gate);
        Thread sleeper = new(() =>
        {
            OsLock.Enter(gate);
            OsLock.Leave(gate);
        })
        {
            IsBackground = true,
        };
        sleeper.Start();
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref *word) == (Held | Sleepers), TimeSpan.FromSeconds(20)));
        for (Stopwatch clock = Stopwatch.StartNew(); clock.ElapsedMilliseconds < 20;)
        {
            Os.Wake(word, 1);
        }

        // The holder's store comes to light, and nobody is woken.
        Volatile.Write(ref *(byte*)word, 0);
        Assert.True(sleeper.Join(TimeSpan.FromSeconds(20)));
        Assert.Equal(0, *word);
        NativeMemory.Free(gate);
    }

    [Fact]
    public void Every_thread_that_waits_gets_the_lock_and_is_alone_in_it()
    {
        OsLock* gate = (OsLock*)NativeMemory.AllocZeroed((nuint)sizeof(OsLock));
        long count = 0;
        Action work = () =>
        {
            for (int round = 0; round < 50_000; round++)
            {
                OsLock.Enter(gate);
                count++;
                OsLock.Leave(gate);
            }
        };
        Threads.Run(work, work, work, work);
        Assert.Equal(200_000, count);
        NativeMemory.Free(gate);
    }
}

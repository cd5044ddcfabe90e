using System.Runtime.InteropServices;

namespace PrivateHeaps.Platform;

/// <summary>
/// What the C library of Linux knows about a thread and .NET does not tell: where its stack lies, and that it ends. Before glibc 2.34 some of
/// the functions were in a library of their own, so they are looked up in the process. Where one is missing, every question gets no answer.
/// </summary>
internal static unsafe class PosixThreads
{
    // pthread_attr_t has 56 bytes, and 64 on arm64.
    private const int AttributesBytes = 256;

    private static readonly delegate* unmanaged<nint> s_self;
    private static readonly delegate* unmanaged<nint, byte*, int> s_getAttributes;
    private static readonly delegate* unmanaged<byte*, nuint*, nuint*, int> s_getStack;
    private static readonly delegate* unmanaged<byte*, int> s_dropAttributes;
    private static readonly delegate* unmanaged<uint, nuint*> s_getValue;
    private static readonly delegate* unmanaged<uint, nuint*, int> s_setValue;
    private static readonly uint s_key;
    private static readonly bool s_works;

    static PosixThreads()
    {
        s_self = (delegate* unmanaged<nint>)Find("pthread_self");
        s_getAttributes = (delegate* unmanaged<nint, byte*, int>)Find("pthread_getattr_np");
        s_getStack = (delegate* unmanaged<byte*, nuint*, nuint*, int>)Find("pthread_attr_getstack");
        s_dropAttributes = (delegate* unmanaged<byte*, int>)Find("pthread_attr_destroy");
        s_getValue = (delegate* unmanaged<uint, nuint*>)Find("pthread_getspecific");
        s_setValue = (delegate* unmanaged<uint, nuint*, int>)Find("pthread_setspecific");
        var createKey = (delegate* unmanaged<uint*, nint, int>)Find("pthread_key_create");
        nint zero = Find("sigemptyset");
        uint key = 0;
        s_works = s_self != null && s_getAttributes != null && s_getStack != null && s_dropAttributes != null && s_getValue != null && s_setValue != null
            && createKey != null && zero != 0 && createKey(&key, zero) == 0;
        s_key = key;
    }

    /// <summary>
    /// Has a word zeroed when the calling thread ends: by the thread itself, as long as its stack is its own, and before any other code of the
    /// thread can be told that it ended. Managed code cannot run then. What the C library calls at the end is its own sigemptyset, which writes
    /// zeros to its argument and does nothing else: one word in musl and newer versions of glibc, sixteen in older ones, for which there must be
    /// room. A word that was given before is zeroed now. False when there is no memory.
    /// </summary>
    public static bool TryZeroAtEnd(nuint* word)
    {
        if (!s_works)
        {
            return false;
        }

        nuint* former = s_getValue(s_key);
        if (former != null)
        {
            *former = 0;
        }

        return s_setValue(s_key, word) == 0;
    }

    /// <summary>The end of the calling thread's stack, where it began, and how many bytes below that it may take up.</summary>
    public static bool TryGetStack(out nuint end, out nuint bytes)
    {
        end = bytes = 0;
        byte* attributes = stackalloc byte[AttributesBytes];
        if (!s_works || s_getAttributes(s_self(), attributes) != 0)
        {
            return false;
        }

        nuint low = 0, size = 0;
        bool found = s_getStack(attributes, &low, &size) == 0;
        s_dropAttributes(attributes);
        end = low + size;
        bytes = size;
        return found;
    }

    private static nint Find(string function) => NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), function, out nint address) ? address : 0;
}

using System.Runtime.CompilerServices;

namespace PrivateHeaps.Platform;

/// <summary>
/// The file that a piece of code came from: its path, and where in it the code lies. Asked of the kernel, not of the dynamic linker, whose lock may be
/// held by a thread that waits for the asking one. About half a kilobyte, made for the stack.
/// </summary>
internal unsafe struct LinuxModule
{
    private const int PathCapacity = 512;

    private PathText _path;

    /// <summary>From the start of the file to the code.</summary>
    public ulong FileOffset { get; private set; }

    /// <summary>From the start of the file's first mapping to the code.</summary>
    public ulong ImageOffset { get; private set; }

    /// <summary>Finds the file that is mapped at the address; false when there is none, as for code that a just-in-time compiler made.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool TryFind(nuint address, out LinuxModule module)
    {
        Unsafe.SkipInit(out module);
        Unsafe.SkipInit(out LinuxText text);
        if (!text.Open("/proc/self/maps\0"u8))
        {
            return false;
        }

        // 7f0000001000-7f0000002000 r-xp 00001000 fd:01 1234     /usr/lib/libc.so.6
        bool isFound = false;
        ulong image = 0;
        while (!isFound)
        {
            ulong start = text.Number(16);
            text.Next();
            ulong end = text.Number(16);
            if (end == 0)
            {
                break;
            }

            SkipWord(ref text);
            ulong offset = text.Number(16);
            image = offset == 0 ? start : image;
            if (start <= address && address < end)
            {
                isFound = true;
                module.FileOffset = offset + (address - start);
                module.ImageOffset = address - image;
                SkipWord(ref text);
                SkipWord(ref text);
                module.ReadPath(ref text);
            }

            text.SkipLine();
        }

        text.Close();
        return isFound && module.HasPath();
    }

    /// <summary>The path with a zero behind it; "[vdso]" and the like for code of the kernel's. For as long as the structure stays where it is.</summary>
    public static byte* Path(LinuxModule* module) => (byte*)&module->_path;

    private bool HasPath()
    {
        fixed (PathText* path = &_path)
        {
            // The kernel names memory without a file too, "[heap]" and "[stack]"; only "[vdso]" and "[vsyscall]" are code.
            byte* first = (byte*)path;
            return *first == (byte)'/' || (*first == (byte)'[' && first[1] == (byte)'v');
        }
    }

    private static void SkipWord(ref LinuxText text)
    {
        while (text.Peek() == (byte)' ')
        {
            text.Next();
        }

        while (text.Peek() is not ((byte)' ' or (byte)'\n' or 0))
        {
            text.Next();
        }
    }

    // To the end of the line, or as far as there is room.
    private void ReadPath(ref LinuxText text)
    {
        while (text.Peek() == (byte)' ')
        {
            text.Next();
        }

        fixed (PathText* path = &_path)
        {
            byte* next = (byte*)path;
            byte* last = next + PathCapacity - 1;
            while (next < last && text.Peek() is not ((byte)'\n' or 0))
            {
                *next++ = text.Next();
            }

            *next = 0;
        }
    }

    [InlineArray(PathCapacity)]
    private struct PathText
    {
        private byte _first;
    }
}

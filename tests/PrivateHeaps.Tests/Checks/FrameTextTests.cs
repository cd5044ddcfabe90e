using System.Runtime.InteropServices;
using System.Text;
using PrivateHeaps.Checks;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Tests.Checks;

public sealed unsafe class FrameTextTests
{
    private static readonly nint s_library = NativeLibrary.Load(Repository.PathTo("out", "native", "libprivateheaps.so"));

    [Fact]
    public void A_frame_names_the_function_and_the_file_as_a_symbolizer_wants_them()
    {
        nuint function = (nuint)NativeLibrary.GetExport(s_library, "HeapSummary");
        string file = Repository.PathTo("out", "native", "libprivateheaps.so");

        string mapping = File.ReadLines("/proc/self/maps").First(line => line.EndsWith(file, StringComparison.Ordinal));
        nuint image = (nuint)Convert.ToUInt64(mapping.Split('-')[0], 16);
        Assert.Equal($"HeapSummary+0x5 ({file}+0x{function + 5 - image:X})", Describe(function + 6));
    }

    [Fact]
    public void Code_without_a_file_is_an_address() => Assert.Equal("0x10", Describe(0x11));

    [Fact]
    public void Code_in_memory_that_belongs_to_no_file_is_an_address()
    {
        void* code = NativeMemory.AlignedAlloc(1 << 20, 4096);
        Assert.Equal($"0x{(nuint)code + 4096:X}", Describe((nuint)code + 4097));
        NativeMemory.AlignedFree(code);
    }

    [Fact]
    public void Files_that_lie_about_themselves_are_harmless()
    {
        byte[] file = File.ReadAllBytes(Repository.PathTo("out", "native", "libprivateheaps.so"));
        string path = Path.GetTempFileName();
        try
        {
            Random random = new(20261);
            for (int turn = 0; turn < 60; turn++)
            {
                byte[] changed = [.. file.AsSpan(0, turn % 3 == 0 ? random.Next(file.Length) : file.Length)];
                int tables = (int)Math.Min(BitConverter.ToUInt64(file, 40), (ulong)changed.Length);
                for (int change = 0; change < 8 && changed.Length > 64; change++)
                {
                    // In the file's head, in the table of segments behind it, or in the table of sections at its end.
                    int place = change % 2 == 0 ? random.Next(8, Math.Min(changed.Length, 700)) : random.Next(Math.Min(tables, changed.Length - 1), changed.Length);
                    changed[place] = (byte)random.Next(256);
                }

                File.WriteAllBytes(path, changed);
                Look(path);
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static void Look(string path)
    {
        ElfFile file = default;
        fixed (byte* name = Encoding.UTF8.GetBytes(path + "\0"))
        {
            if (!file.Open(name))
            {
                return;
            }
        }

        for (ulong offset = 0; offset < 1 << 20; offset += 99_991)
        {
            if (file.TryAddress(offset, out ulong address) && file.TryFunction(address, out byte* function, out _))
            {
                Assert.NotNull(Marshal.PtrToStringUTF8((nint)function));
            }
        }

        file.Close();
    }

    private static string Describe(nuint returnAddress)
    {
        byte* memory = stackalloc byte[1024];
        TextBuffer text = new(memory, 1024);
        FrameText.Add(ref text, returnAddress, false);
        return Marshal.PtrToStringUTF8((nint)memory)!;
    }
}

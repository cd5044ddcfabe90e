using System.Runtime.InteropServices;
using PrivateHeaps.Foundation;

namespace PrivateHeaps.Platform;

/// <summary>
/// Brings accesses to guard pages to managed code, on Linux on x86-64. A signal handler cannot be managed code, since a signal may come while the thread
/// runs such. So a few instructions of ours stand in front of the runtime's own handler of SIGSEGV and pass on to it, unchanged, whatever lies outside of the
/// guarded ranges, such as the null references that it makes exceptions of. They take no lock, wait for nothing and allocate nothing. Of what lies inside
/// <list type="bullet">
/// <item>an access by managed code is noted in one of <see cref="FaultCount"/> places and given to the runtime as one to address 0: it throws a
/// NullReferenceException there, and who listens to first-chance exceptions is told on the same thread, where all of .NET can be used;</item>
/// <item>an access by code of a native library, which cannot have an exception, is made a call from there: to a function that may be called by such code and
/// does not return.</item>
/// </list>
/// Which of the two it was is what the C library answers that can be asked in a signal handler, from glibc 2.35 on. Elsewhere all count as the first, and an
/// access by native code ends the process as it does without us.
/// </summary>
internal static unsafe class LinuxFaults
{
    private const int PageBytes = 4096;
    private const int SegmentationFault = 11; // SIGSEGV
    private const int WithInformation = 4; // SA_SIGINFO
    private const int ActionBytes = 256;
    private const int FlagsOffset = 136;
    private const int ProtectReadExecute = 5;
    private const int FaultCount = 16;
    private const int WordsOfFault = 3;
    private const nint GetThreadNumber = 186; // SYS_gettid

    private static byte* s_code;

    /// <summary>Whether there is machine code for this system.</summary>
    public static bool AreSupported => OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64;

    private static Data* Words => (Data*)(s_code + PageBytes);

    /// <summary>
    /// The handler, as it is entered: rdi is the signal, rsi its siginfo_t, rdx the ucontext_t. The comments are its source, from which a test makes the
    /// bytes anew; data is a page behind code.
    /// </summary>
    private static ReadOnlySpan<byte> Code =>
    [
        0x83, 0x7E, 0x08, 0x00,                                      // cmp dword ptr [rsi + 8], 0 # si_code: above 0 when the processor has refused an access
        0x0F, 0x8E, 0x02, 0x01, 0x00, 0x00,                          // jle chain
        0x48, 0x8B, 0x46, 0x10,                                      // mov rax, [rsi + 16] # si_addr
        0x48, 0x3D, 0x00, 0x00, 0x01, 0x00,                          // cmp rax, 65536 # no range lies there, and null references need not wait for the search
        0x0F, 0x82, 0xF2, 0x00, 0x00, 0x00,                          // jb chain
        0x4C, 0x8B, 0x0D, 0xEF, 0x0F, 0x00, 0x00,                    // mov r9, [rip + data + 16] # the ranges
        0x49, 0x8B, 0x09,                                            // mov rcx, [r9] # how many
        // next:
        0x48, 0x83, 0xE9, 0x01,                                      // sub rcx, 1
        0x0F, 0x82, 0xDE, 0x00, 0x00, 0x00,                          // jb chain
        0x49, 0x89, 0xC8,                                            // mov r8, rcx
        0x49, 0xC1, 0xE0, 0x04,                                      // shl r8, 4
        0x49, 0x89, 0xC2,                                            // mov r10, rax
        0x4F, 0x2B, 0x54, 0x01, 0x10,                                // sub r10, [r9 + r8 + 16]
        0x4F, 0x3B, 0x54, 0x01, 0x18,                                // cmp r10, [r9 + r8 + 24]
        0x73, 0xE0,                                                  // jae next
        0x4C, 0x8B, 0x05, 0xBD, 0x0F, 0x00, 0x00,                    // mov r8, [rip + data + 8] # _dl_find_object
        0x4D, 0x85, 0xC0,                                            // test r8, r8
        0x74, 0x77,                                                  // jz managed
        0x57,                                                        // push rdi
        0x56,                                                        // push rsi
        0x52,                                                        // push rdx
        0x48, 0x81, 0xEC, 0x00, 0x01, 0x00, 0x00,                    // sub rsp, 256
        0x48, 0x8B, 0xBA, 0xA8, 0x00, 0x00, 0x00,                    // mov rdi, [rdx + 168] # the program counter
        0x48, 0x89, 0xE6,                                            // mov rsi, rsp
        0x41, 0xFF, 0xD0,                                            // call r8
        0x48, 0x81, 0xC4, 0x00, 0x01, 0x00, 0x00,                    // add rsp, 256
        0x5A,                                                        // pop rdx
        0x5E,                                                        // pop rsi
        0x5F,                                                        // pop rdi
        0x85, 0xC0,                                                  // test eax, eax
        0x75, 0x52,                                                  // jnz managed
        0x48, 0x8B, 0x46, 0x10,                                      // mov rax, [rsi + 16]
        0x48, 0x89, 0x42, 0x68,                                      // mov [rdx + 104], rax # rdi: the address
        0x48, 0x8B, 0x82, 0xC0, 0x00, 0x00, 0x00,                    // mov rax, [rdx + 192]
        0x48, 0x89, 0x42, 0x70,                                      // mov [rdx + 112], rax # rsi: the error code
        0x48, 0x8B, 0x82, 0xA0, 0x00, 0x00, 0x00,                    // mov rax, [rdx + 160] # rsp
        0x48, 0x2D, 0x88, 0x00, 0x00, 0x00,                          // sub rax, 136 # what leaf functions may use below it, and a word
        0x48, 0x83, 0xE0, 0xF0,                                      // and rax, -16
        0x48, 0x83, 0xE8, 0x08,                                      // sub rax, 8
        0x48, 0x8B, 0x8A, 0xA8, 0x00, 0x00, 0x00,                    // mov rcx, [rdx + 168]
        0x48, 0x89, 0x08,                                            // mov [rax], rcx # as if the instruction had called
        0x48, 0x89, 0x82, 0xA0, 0x00, 0x00, 0x00,                    // mov [rdx + 160], rax
        0x81, 0xA2, 0xB0, 0x00, 0x00, 0x00, 0xFF, 0xFB, 0xFF, 0xFF,  // and dword ptr [rdx + 176], 0xfffffbff # the direction flag
        0x48, 0x8B, 0x05, 0x59, 0x0F, 0x00, 0x00,                    // mov rax, [rip + data + 24] # what it calls
        0x48, 0x89, 0x82, 0xA8, 0x00, 0x00, 0x00,                    // mov [rdx + 168], rax
        0xC3,                                                        // ret
        // managed:
        0xB8, 0xBA, 0x00, 0x00, 0x00,                                // mov eax, 186 # gettid
        0x0F, 0x05,                                                  // syscall
        0x49, 0x89, 0xC0,                                            // mov r8, rax
        0x4C, 0x8D, 0x0D, 0xC8, 0x10, 0x00, 0x00,                    // lea r9, [rip + data + 416] # the end of the faults
        // free:
        0x49, 0x83, 0xE9, 0x18,                                      // sub r9, 24
        0x4C, 0x8D, 0x15, 0x3D, 0x0F, 0x00, 0x00,                    // lea r10, [rip + data + 32] # the first of them
        0x4D, 0x39, 0xD1,                                            // cmp r9, r10
        0x72, 0x24,                                                  // jb chain
        0x31, 0xC0,                                                  // xor eax, eax
        0xF0, 0x4D, 0x0F, 0xB1, 0x01,                                // lock cmpxchg [r9], r8
        0x75, 0xE7,                                                  // jnz free
        0x48, 0x8B, 0x46, 0x10,                                      // mov rax, [rsi + 16]
        0x49, 0x89, 0x41, 0x08,                                      // mov [r9 + 8], rax
        0x48, 0x8B, 0x82, 0xC0, 0x00, 0x00, 0x00,                    // mov rax, [rdx + 192]
        0x49, 0x89, 0x41, 0x10,                                      // mov [r9 + 16], rax
        0x48, 0xC7, 0x46, 0x10, 0x00, 0x00, 0x00, 0x00,              // mov qword ptr [rsi + 16], 0
        // chain:
        0xFF, 0x25, 0xEE, 0x0E, 0x00, 0x00,                          // jmp qword ptr [rip + data]
    ];

    /// <summary>
    /// Puts the instructions in front of the handler that is there, where they are supported. Ranges: a count of eight bytes, eight of something else, and from there on start and bytes of each.
    /// OnNativeFault gets address and error code as <see cref="TryTake"/> does. False where it cannot be done.
    /// </summary>
    public static bool TryListen(void* ranges, delegate* unmanaged<nuint, nuint, void> onNativeFault)
    {
        byte* action = stackalloc byte[ActionBytes];
        bool isPossible = sigaction(SegmentationFault, null, action) == 0 && (*(int*)(action + FlagsOffset) & WithInformation) != 0;
        s_code = isPossible ? (byte*)Os.Map(2 * PageBytes) : null;
        if (s_code == null)
        {
            return false;
        }

        Code.CopyTo(new Span<byte>(s_code, PageBytes));
        Words->Next = *(nint*)action;
        Words->FindObject = NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), "_dl_find_object", out nint function) ? function : 0;
        Words->Ranges = ranges;
        Words->OnNativeFault = onNativeFault;
        *(nint*)action = (nint)s_code;
        return Libc.mprotect(s_code, PageBytes, ProtectReadExecute) == 0 && sigaction(SegmentationFault, action, null) == 0;
    }

    /// <summary>The fault that the calling thread had, if the exception that is raised on it is one.</summary>
    public static bool TryTake(out nuint address, out nuint error)
    {
        nint self = 0;
        for (int i = 0; i < FaultCount; i++)
        {
            nint* fault = (nint*)(Words + 1) + i * WordsOfFault;
            nint thread = Shared.Read(fault);
            if (thread != 0 && thread == (self = self != 0 ? self : syscall(GetThreadNumber)))
            {
                address = (nuint)fault[1];
                error = (nuint)fault[2];

                // Partner: the handler in other threads.
                Shared.Write(fault, 0);
                return true;
            }
        }

        address = error = 0;
        return false;
    }

    /// <summary>Whether the error code is that of a write.</summary>
    public static bool IsWrite(nuint error) => (error & 2) != 0;

    [DllImport("libc")]
    private static extern int sigaction(int signal, byte* action, byte* former);

    [DllImport("libc")]
    private static extern nint syscall(nint number);

    // Behind it lie the faults: thread, or 0 for a free place; address; error code.
    private struct Data
    {
        public nint Next;
        public nint FindObject;
        public void* Ranges;
        public delegate* unmanaged<nuint, nuint, void> OnNativeFault;
    }
}

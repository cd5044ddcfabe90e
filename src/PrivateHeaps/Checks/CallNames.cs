namespace PrivateHeaps.Checks;

/// <summary>What a program called when something was found.</summary>
internal enum HeapCall : uint
{
    Allocate,
    Free,
    Resize,
    Size,
    Validate,
    Compact,
    Clear,
    Destroy,
    Exit,
}

/// <summary>Who called.</summary>
internal enum CallFace : uint
{
    Win32,
    Malloc,
    Library,
}

/// <summary>The functions by the names that their programs call them.</summary>
internal static unsafe class CallNames
{
    /// <summary>Constant text with a zero.</summary>
    public static byte* Of(HeapCall call, CallFace face, bool isZeroed, bool isAligned) => Findings.AddressOf(face switch
    {
        CallFace.Malloc => OfMalloc(call, isZeroed, isAligned),
        CallFace.Library => OfLibrary(call),
        _ => OfWin32(call),
    });

    private static ReadOnlySpan<byte> OfWin32(HeapCall call) => call switch
    {
        HeapCall.Allocate => "HeapAlloc\0"u8,
        HeapCall.Free => "HeapFree\0"u8,
        HeapCall.Resize => "HeapReAlloc\0"u8,
        HeapCall.Size => "HeapSize\0"u8,
        HeapCall.Validate => "HeapValidate\0"u8,
        HeapCall.Compact => "HeapCompact\0"u8,
        HeapCall.Clear => "Clear\0"u8,
        HeapCall.Destroy => "HeapDestroy\0"u8,
        _ => "the end of the process\0"u8,
    };

    private static ReadOnlySpan<byte> OfMalloc(HeapCall call, bool isZeroed, bool isAligned) => call switch
    {
        HeapCall.Allocate => isZeroed ? "calloc()\0"u8 : isAligned ? "posix_memalign()\0"u8 : "malloc()\0"u8,
        HeapCall.Free => "free()\0"u8,
        HeapCall.Resize => "realloc()\0"u8,
        HeapCall.Size => "malloc_usable_size()\0"u8,
        _ => OfWin32(call),
    };

    private static ReadOnlySpan<byte> OfLibrary(HeapCall call) => call switch
    {
        HeapCall.Allocate => "PrivateHeap.Alloc\0"u8,
        HeapCall.Free => "PrivateHeap.Free\0"u8,
        HeapCall.Resize => "PrivateHeap.Realloc\0"u8,
        HeapCall.Size => "PrivateHeap.GetSize\0"u8,
        _ => OfWin32(call),
    };
}

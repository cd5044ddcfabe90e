' A private heap from Visual Basic by Declare, as the old API declarations have it, with pointer-sized types where those had Long.
Imports System.Runtime.InteropServices

Module Program
    Private Const HEAP_ZERO_MEMORY As UInteger = &H8
    Private Const MiB As ULong = 1048576

    Private Declare Function HeapCreate Lib "privateheaps" (ByVal flOptions As UInteger, ByVal dwInitialSize As UIntPtr, ByVal dwMaximumSize As UIntPtr) As IntPtr
    Private Declare Function HeapDestroy Lib "privateheaps" (ByVal hHeap As IntPtr) As Boolean
    Private Declare Function HeapAlloc Lib "privateheaps" (ByVal hHeap As IntPtr, ByVal dwFlags As UInteger, ByVal dwBytes As UIntPtr) As IntPtr
    Private Declare Function HeapReAlloc Lib "privateheaps" (ByVal hHeap As IntPtr, ByVal dwFlags As UInteger, ByVal lpMem As IntPtr, ByVal dwBytes As UIntPtr) As IntPtr
    Private Declare Function HeapFree Lib "privateheaps" (ByVal hHeap As IntPtr, ByVal dwFlags As UInteger, ByVal lpMem As IntPtr) As Boolean
    Private Declare Function HeapSize Lib "privateheaps" (ByVal hHeap As IntPtr, ByVal dwFlags As UInteger, ByVal lpMem As IntPtr) As UIntPtr
    Private Declare Function HeapValidate Lib "privateheaps" (ByVal hHeap As IntPtr, ByVal dwFlags As UInteger, ByVal lpMem As IntPtr) As Boolean
    Private Declare Function GetLastError Lib "privateheaps" () As UInteger

    Function Main() As Integer
        Dim heap As IntPtr = HeapCreate(0, UIntPtr.Zero, New UIntPtr(MiB))
        If heap = IntPtr.Zero Then
            Console.Error.WriteLine($"HeapCreate failed with error {GetLastError()}")
            Return 1
        End If

        Dim block As IntPtr = HeapAlloc(heap, HEAP_ZERO_MEMORY, New UIntPtr(100UL))
        Console.WriteLine($"Block of {HeapSize(heap, 0, block)} bytes, first byte {Marshal.ReadByte(block)}")

        For i As Integer = 0 To 99
            Marshal.WriteByte(block, i, CByte(i))
        Next
        block = HeapReAlloc(heap, HEAP_ZERO_MEMORY, block, New UIntPtr(50000UL))
        Console.WriteLine($"Grown to {HeapSize(heap, 0, block)} bytes, byte 99 is {Marshal.ReadByte(block, 99)}, byte 100 is {Marshal.ReadByte(block, 100)}")

        Console.WriteLine($"Freed: {HeapFree(heap, 0, block)}, still a block: {HeapValidate(heap, 0, block)}")
        Console.WriteLine($"Freed again: {HeapFree(heap, 0, block)}, error {GetLastError()}")
        Console.WriteLine($"Two MiB of one MiB: {HeapAlloc(heap, 0, New UIntPtr(2UL * MiB))}")
        Console.WriteLine($"Destroyed: {HeapDestroy(heap)}")
        Return 0
    End Function
End Module

/* Types, codes and the last error: what the other headers share, and programs get by <windows.h>.
 *
 * Sizes are those of 64-bit Windows, so DWORD and ULONG have 32 bits here too; where a ported program prints one with %lu, gcc warns. */
#ifndef PRIVATEHEAPS_WINDEF_H
#define PRIVATEHEAPS_WINDEF_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WINAPI
#define CALLBACK
#define NTAPI
#define CONST const
#define VOID void
#define DECLSPEC_ALLOCATOR

#ifndef TRUE
#define FALSE 0
#define TRUE 1
#endif

typedef int BOOL, INT;
typedef char CHAR;
typedef unsigned char BYTE, UCHAR, BOOLEAN;
typedef short SHORT;
typedef unsigned short WORD, USHORT;
typedef int32_t LONG, NTSTATUS;
typedef uint32_t DWORD, ULONG, UINT, LOGICAL;
typedef int64_t LONGLONG, LONG64;
typedef uint64_t ULONGLONG, ULONG64, DWORD64;
typedef intptr_t INT_PTR, LONG_PTR, SSIZE_T;
typedef uintptr_t UINT_PTR, ULONG_PTR, DWORD_PTR, SIZE_T;
typedef void *PVOID, *LPVOID, *HANDLE, *HGLOBAL, *HLOCAL;
typedef const void *LPCVOID;
typedef char *PSTR, *LPSTR;
typedef const char *PCSTR, *LPCSTR;
typedef BOOL *PBOOL, *LPBOOL;
typedef BYTE *PBYTE, *LPBYTE;
typedef WORD *PWORD, *LPWORD;
typedef DWORD *PDWORD, *LPDWORD;
typedef ULONG *PULONG;
typedef ULONG_PTR *PULONG_PTR;
typedef DWORD_PTR *PDWORD_PTR;
typedef ULONGLONG DWORDLONG;
typedef SIZE_T *PSIZE_T;
typedef HANDLE *PHANDLE, *LPHANDLE;

#define INVALID_HANDLE_VALUE ((HANDLE)(LONG_PTR)-1)

#define ERROR_SUCCESS 0
#define NO_ERROR 0
#define ERROR_INVALID_HANDLE 6
#define ERROR_NOT_ENOUGH_MEMORY 8
#define ERROR_BAD_LENGTH 24
#define ERROR_GEN_FAILURE 31
#define ERROR_INVALID_PARAMETER 87
#define ERROR_INSUFFICIENT_BUFFER 122
#define ERROR_DISCARDED 157
#define ERROR_NOT_LOCKED 158
#define ERROR_NO_MORE_ITEMS 259
#define ERROR_INVALID_ADDRESS 487
#define ERROR_NOACCESS 998
#define ERROR_ALREADY_INITIALIZED 1247
#define ERROR_NO_SYSTEM_RESOURCES 1450

#define STATUS_SUCCESS ((DWORD)0x00000000)
#define STATUS_NO_MORE_ENTRIES ((NTSTATUS)0x8000001A)
#define STATUS_UNSUCCESSFUL ((NTSTATUS)0xC0000001)
#define STATUS_INVALID_INFO_CLASS ((NTSTATUS)0xC0000003)
#define STATUS_INVALID_HANDLE ((NTSTATUS)0xC0000008)
#define STATUS_INVALID_PARAMETER ((NTSTATUS)0xC000000D)
#define STATUS_BUFFER_TOO_SMALL ((NTSTATUS)0xC0000023)
#define STATUS_ACCESS_VIOLATION ((DWORD)0xC0000005)
#define STATUS_NONCONTINUABLE_EXCEPTION ((DWORD)0xC0000025)
#define STATUS_NO_MEMORY ((DWORD)0xC0000017)
#define STATUS_HEAP_CORRUPTION ((DWORD)0xC0000374)

#define FillMemory(destination, length, fill) memset((destination), (fill), (length))
#define ZeroMemory(destination, length) memset((destination), 0, (length))
#define CopyMemory(destination, source, length) memcpy((destination), (source), (length))
#define MoveMemory(destination, source, length) memmove((destination), (source), (length))

#ifdef __cplusplus
extern "C" {
#endif

/* The code that the last function of the calling thread to report an error left. Each thread has its own; 0 at first. */
DWORD WINAPI GetLastError(void);
void WINAPI SetLastError(DWORD dwErrCode);

#ifdef __cplusplus
}
#endif

#endif

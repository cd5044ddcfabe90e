/* The part of <windows.h> that heap code needs. */
#ifndef PRIVATEHEAPS_WINDOWS_H
#define PRIVATEHEAPS_WINDOWS_H

#include <windef.h>

#include <excpt.h>
#include <heapapi.h>
#include <memoryapi.h>
#include <processthreadsapi.h>
#include <sysinfoapi.h>
#include <winbase.h>

#endif

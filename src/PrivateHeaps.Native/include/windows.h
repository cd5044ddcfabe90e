/* The part of <windows.h> that code needs which manages its memory: heaps, pages, and what to ask of the machine. */
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

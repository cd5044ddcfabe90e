/* The part of <windows.h> that heap code needs. */
#ifndef PRIVATEHEAPS_WINDOWS_H
#define PRIVATEHEAPS_WINDOWS_H

#include <windef.h>

#include <excpt.h>
#include <heapapi.h>
#include <winbase.h>

#endif

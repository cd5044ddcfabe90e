/* What the misuses that only the heap functions can commit share with their face. */
#ifndef HEAP_H
#define HEAP_H

#include "misuse.h"
#include <windows.h>

enum { UNTOUCHED = 0xBEEF };

/* The heap of the scene. */
extern HANDLE heap;

/* A failure must set the last error to the documented one; UNTOUCHED, set before the call, where it sets none. */
enum answer answer_of(int said, const char *function, DWORD documented);

#endif

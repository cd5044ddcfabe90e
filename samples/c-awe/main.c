/* Address Windowing Extensions from C: a table of records that lies in frames, of which a small window shows a part at a time.
 * Builds and runs with ./run beside this file. On Windows the same text needs the privilege to lock pages in memory. */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>

#define MEMORY_REQUESTED (1024 * 1024)
#define WINDOW_PAGES 16

static void Fail(const char *szFunction)
{
    fprintf(stderr, "%s failed with error %u\n", szFunction, (unsigned)GetLastError());
    exit(1);
}

int main(void)
{
    SYSTEM_INFO sSysInfo;
    GetSystemInfo(&sSysInfo);
    DWORD cbPage = sSysInfo.dwPageSize;

    /* An array for the frames' numbers, from the process heap. */
    ULONG_PTR nPages = MEMORY_REQUESTED / cbPage;
    ULONG_PTR *aFrames = (ULONG_PTR *)HeapAlloc(GetProcessHeap(), 0, nPages * sizeof(ULONG_PTR));
    if (aFrames == NULL) {
        fprintf(stderr, "HeapAlloc found no memory\n");
        return 1;
    }

    ULONG_PTR nGranted = nPages;
    if (!AllocateUserPhysicalPages(GetCurrentProcess(), &nGranted, aFrames))
        Fail("AllocateUserPhysicalPages");
    if (nGranted != nPages) {
        fprintf(stderr, "Only %u of %u frames were granted\n", (unsigned)nGranted, (unsigned)nPages);
        return 1;
    }
    printf("%u KiB in frames\n", (unsigned)(nGranted * cbPage / 1024));

    char *pWindow = (char *)VirtualAlloc(NULL, WINDOW_PAGES * cbPage, MEM_RESERVE | MEM_PHYSICAL, PAGE_READWRITE);
    if (pWindow == NULL)
        Fail("VirtualAlloc");
    printf("%u KiB in the window\n", (unsigned)(WINDOW_PAGES * cbPage / 1024));

    /* The window moves over all frames, and each gets its number. Mapping replaces what was mapped. */
    for (ULONG_PTR iFirst = 0; iFirst < nPages; iFirst += WINDOW_PAGES) {
        if (!MapUserPhysicalPages(pWindow, WINDOW_PAGES, aFrames + iFirst))
            Fail("MapUserPhysicalPages");
        for (ULONG_PTR i = 0; i < WINDOW_PAGES; i++)
            *(ULONG_PTR *)(pWindow + i * cbPage) = iFirst + i;
    }
    if (!MapUserPhysicalPages(pWindow, WINDOW_PAGES, NULL))
        Fail("MapUserPhysicalPages");

    /* Any frame can be shown at any page of the window: the last ones, backwards. */
    ULONG_PTR aLast[WINDOW_PAGES];
    for (ULONG_PTR i = 0; i < WINDOW_PAGES; i++)
        aLast[i] = aFrames[nPages - 1 - i];
    if (!MapUserPhysicalPages(pWindow, WINDOW_PAGES, aLast))
        Fail("MapUserPhysicalPages");
    for (ULONG_PTR i = 0; i < WINDOW_PAGES; i++)
        if (*(ULONG_PTR *)(pWindow + i * cbPage) != nPages - 1 - i) {
            fprintf(stderr, "Page %u of the window shows the wrong frame\n", (unsigned)i);
            return 1;
        }
    printf("The window showed all of them\n");

    /* But not at two pages at once. */
    BOOL bTwice = MapUserPhysicalPages(pWindow + cbPage, 1, aLast);
    printf("Twice at a time: %s, error %u\n", bTwice ? "yes" : "no", (unsigned)GetLastError());

    if (!FreeUserPhysicalPages(GetCurrentProcess(), &nGranted, aFrames))
        Fail("FreeUserPhysicalPages");
    if (!VirtualFree(pWindow, 0, MEM_RELEASE))
        Fail("VirtualFree");
    if (!HeapFree(GetProcessHeap(), 0, aFrames))
        Fail("HeapFree");
    printf("Everything freed\n");
    return 0;
}

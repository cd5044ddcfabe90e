/* A private heap from C: words are read into blocks of their own, counted, and dropped with the whole heap.
 * Builds and runs with ./run beside this file; on Windows the same text builds against the real <windows.h>. */
#include <windows.h>
#include <stdio.h>

typedef struct WORD_ENTRY {
    struct WORD_ENTRY *Next;
    DWORD Count;
    char Text[1];
} WORD_ENTRY;

static const char *const Words[] = { "heap", "block", "heap", "page", "block", "heap" };

static WORD_ENTRY *Find(WORD_ENTRY *first, const char *text)
{
    for (WORD_ENTRY *entry = first; entry != NULL; entry = entry->Next)
        if (strcmp(entry->Text, text) == 0)
            return entry;
    return NULL;
}

int main(void)
{
    HANDLE hHeap = HeapCreate(0, 0, 1024 * 1024); /* never more than one MiB */
    if (hHeap == NULL) {
        fprintf(stderr, "HeapCreate failed with error %u\n", (unsigned)GetLastError());
        return 1;
    }

    WORD_ENTRY *pFirst = NULL;
    for (size_t i = 0; i < sizeof Words / sizeof Words[0]; i++) {
        WORD_ENTRY *pEntry = Find(pFirst, Words[i]);
        if (pEntry == NULL) {
            pEntry = (WORD_ENTRY *)HeapAlloc(hHeap, HEAP_ZERO_MEMORY, sizeof(WORD_ENTRY) + strlen(Words[i]));
            if (pEntry == NULL) {
                fprintf(stderr, "HeapAlloc found no memory\n");
                return 1;
            }
            strcpy(pEntry->Text, Words[i]);
            pEntry->Next = pFirst;
            pFirst = pEntry;
        }
        pEntry->Count++;
    }
    for (WORD_ENTRY *pEntry = pFirst; pEntry != NULL; pEntry = pEntry->Next)
        printf("%-6s %u\n", pEntry->Text, (unsigned)pEntry->Count);

    SIZE_T cbBusy = 0;
    DWORD nBusy = 0;
    PROCESS_HEAP_ENTRY Entry;
    Entry.lpData = NULL;
    HeapLock(hHeap);
    while (HeapWalk(hHeap, &Entry))
        if (Entry.wFlags & PROCESS_HEAP_ENTRY_BUSY) {
            nBusy++;
            cbBusy += Entry.cbData;
        }
    DWORD dwError = GetLastError();
    HeapUnlock(hHeap);
    if (dwError != ERROR_NO_MORE_ITEMS) {
        fprintf(stderr, "HeapWalk failed with error %u\n", (unsigned)dwError);
        return 1;
    }
    printf("%u blocks of %u bytes in all\n", (unsigned)nBusy, (unsigned)cbBusy);

    /* No block is freed by itself. */
    if (!HeapDestroy(hHeap)) {
        fprintf(stderr, "HeapDestroy failed with error %u\n", (unsigned)GetLastError());
        return 1;
    }
    printf("Heap destroyed\n");
    return 0;
}

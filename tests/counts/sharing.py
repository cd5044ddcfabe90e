"""
What threads share when they use the heap, per 1,000 calls, for each case and number of threads of sharing.c: atomic instructions (to take a lock and to
leave it are two), and cache lines that come from another thread. Lackey prints every access to memory; each thread is taken to run on a processor of its
own, with a cache that forgets nothing: a line comes from another thread when it was last written there and is used here, or is written here and was last
used there; to read and then to write what another thread wrote counts twice. Lines of the program's own are left out.
  python3 -B tests/counts/sharing.py     names the functions that do it, with 64 threads
"""
import bisect
import collections
import os
import re
import subprocess

import valgrind
from valgrind import NATIVE

UNITS = "atomic instructions", "lines from another thread in 1,000 calls"
# With any number of threads, and whatever figures are frozen. A free of a common slab is an atomic instruction, and half of the calls are frees; a thread that uses
# few blocks takes no lock, as others do the same beside it, and has slabs of its own as long as there are numbers for the caches.
AT_MOST = {"few": (400, 50), "many": (700, 1000), "handed": (600, 500), "mixed": (650, 1700)}
LIBRARY = "privateheaps-malloc"
LINE_SHIFT = 6
MOST_THREADS = 64


class Run:
    """One case with one number of threads."""

    def __init__(self):
        self.is_counted = False
        self.users = {}  # of each line: the threads that have it as it is now, a bit for each
        self.changes, self.transfers = collections.Counter(), collections.Counter()

    def use(self, line, thread, instruction, is_write):
        users = self.users.get(line, 0)
        if is_write:
            comes = users & ~thread
            self.users[line] = thread
        else:
            comes = users and not users & thread
            self.users[line] = users | thread
        if comes and self.is_counted:
            self.transfers[instruction] += 1

    def counters(self, atomic):
        """In the order of UNITS, by address of the instruction."""
        return collections.Counter({instruction: times for instruction, times in self.changes.items() if instruction in atomic}), self.transfers


def symbols_of(file):
    return re.findall(r"^(\w+) [tTbBdD] (\w+)$", subprocess.run(["nm", file], check=True, capture_output=True, text=True).stdout, re.M)


def trace():
    """The runs; the case, threads and calls of each; where the library lay."""
    program = valgrind.build("sharing", LIBRARY)
    symbols = dict((name, int(address, 16)) for address, name in symbols_of(program))
    end, enter, leave, begin, counted = (symbols[name] for name in ("_end", "mark_enter", "mark_leave", "mark_begin", "mark_count"))
    reader, writer = os.pipe()
    process = valgrind.start(program, "--tool=lackey", "--basic-counts=no", "--trace-mem=yes", f"--log-fd={writer}", pass_fds=(writer,))
    os.close(writer)
    runs, thread, instruction = [], 0, 0
    # "I  address,bytes" and then what that instruction does: " L", " S", or " M" for both.
    for text in os.fdopen(reader, "rb", 1 << 20):
        kind = text[:2]
        if kind == b"I ":
            if thread:
                instruction = int(text[3:text.index(b",")], 16)
        elif kind == b" S" and (not thread or instruction < end):
            address = int(text[3:text.index(b",")], 16)
            if enter <= address < enter + MOST_THREADS:
                thread, instruction = 1 << (address - enter), 0
            elif address == leave:
                thread = 0
            elif address == begin:
                runs.append(Run())
            elif address == counted:
                runs[-1].is_counted = True
        elif thread and instruction > end and kind in (b" L", b" S", b" M"):
            run = runs[-1]
            run.use(int(text[3:text.index(b",")], 16) >> LINE_SHIFT, thread, instruction, kind != b" L")
            if kind == b" M" and run.is_counted:
                run.changes[instruction] += 1
    base, *words = valgrind.finish(process).splitlines()
    return runs, [(name, int(threads), int(calls)) for name, threads, calls in map(str.split, words)], int(base, 16)


def atomic_instructions(base):
    code = subprocess.run(["objdump", "-d", "--no-show-raw-insn", NATIVE / f"lib{LIBRARY}.so"], check=True, capture_output=True, text=True).stdout
    return {base + int(address, 16) for address in re.findall(r"^ *(\w+):\t(?:lock |xchg .*\()", code, re.M)}


def count():
    runs, words, base = trace()
    atomic = atomic_instructions(base)
    return {f"{name}, {threads} {'thread' if threads == 1 else 'threads'}": tuple(sum(counter.values()) * 1000 / calls for counter in run.counters(atomic))
            for run, (name, threads, calls) in zip(runs, words)}


def explain():
    valgrind.prepare()
    runs, words, base = trace()
    atomic = atomic_instructions(base)
    functions = sorted((base + int(address, 16), name.split("PrivateHeaps_")[-1]) for address, name in symbols_of(NATIVE / f"lib{LIBRARY}.so"))
    for run, (name, threads, calls) in zip(runs, words):
        if threads == MOST_THREADS:
            for unit, counter in zip(UNITS, run.counters(atomic)):
                by_function = collections.Counter()
                for instruction, times in counter.items():
                    by_function[functions[bisect.bisect(functions, (instruction, "~")) - 1][1]] += times
                print(f"{name}, {unit}:")
                for function, times in by_function.most_common(10):
                    print(f"{times * 1000 / calls:>10.1f}  {function}")


if __name__ == "__main__":
    explain()

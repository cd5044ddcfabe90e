"""The instructions and system calls of every path in *_paths.c, per call of a function of the library, by callgrind."""
import valgrind
from valgrind import WORK

UNITS = "instructions", "system calls in a call"
AT_MOST = {}
PROGRAMS = {"malloc_paths": "privateheaps-malloc", "heap_paths": "privateheaps"}


def count():
    counts = {}
    for name, library in PROGRAMS.items():
        program = valgrind.build(name, library)
        valgrind.finish(valgrind.start(program, "--tool=callgrind", "--collect-systime=usec", "--compress-strings=no", "--compress-pos=no",
                                       f"--callgrind-out-file={program}.%p"))
        # Each path has a process and a file of its own.
        for dump in sorted(WORK.glob(f"{name}.*.*"), key=lambda file: int(file.name.split(".")[1])):
            counts |= read(dump, str(program), f"lib{library}.so")
    return counts


def read(dump, program, library):
    """Callgrind's file says for each caller which functions it called, how often, and in the line after that what all of it cost."""
    path, times, totals = None, None, {}
    caller = callee = function = None
    for line in dump.read_text().splitlines():
        key, _, value = line.partition("=")
        if times is not None:
            if caller == program and callee.endswith(library):
                # Costs that are zero are left out at the end of the line.
                instructions, system_calls = [*map(int, line.split()[1:3]), 0][:2]
                total = totals.setdefault(function, [0, 0, 0])
                total[:] = total[0] + times, total[1] + instructions, total[2] + system_calls
            times, callee = None, caller
        elif line.startswith("desc: Trigger: Client Request: "):
            path = line.removeprefix("desc: Trigger: Client Request: ")
        elif key == "ob":
            caller = callee = value
        elif key == "cob":
            callee = value
        elif key == "cfn":
            function = value
        elif key == "calls":
            times = int(value.split()[0])
    return {f"{path}, {function}": (total[1] / total[0], total[2] / total[0]) for function, total in sorted(totals.items())} if path else {}

"""Builds the misuses, runs one in a mode, and says what came of it."""
import concurrent.futures
import dataclasses
import os
import re
import signal
import subprocess

from modes import FACES, NATIVE, ROOT

HERE = ROOT / "tests/misuse"
OUT = ROOT / "out/tests/misuse"
COMMON = ("main.c", "scene.c", "dead_blocks.c", "wrong_addresses.c", "overflows.c", "neighbors.c", "after_free.c", "races.c", "impossible_sizes.c", "leaks.c",
    "abort_handlers.c")
# Without builtins: a compiler that knows malloc removes the calls that this is about, or warns of them.
COMPILE = ("gcc", "-std=gnu11", "-O1", "-g", "-fno-builtin", "-Wall", "-Wextra", "-Wno-use-after-free", "-Wno-unused-function", "-Wno-missing-field-initializers", "-pthread")
PATIENCE_SECONDS = 20
# Of what is right; a pattern may hold a bar, too.
ALTERNATIVES = re.compile(r"\|(?=(?:stopped|told): |(?:refused|silent|fault)(?:$|\|))")
SENTENCE = re.compile("^privateheaps: (.*)$", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Program:
    face: object
    name: str
    idea: str
    shape: str
    right: dict = dataclasses.field(hash=False)
    also: str  # a check that is asked for beside those of the mode


@dataclasses.dataclass
class Run:
    program: Program
    mode: object
    outcome: str  # stopped, told, misnamed, refused, silent, fault, harmful, crash
    words: str  # the outcome with its sentence or reason

    @property
    def expected(self):
        return self.program.right[self.mode.expects]

    @property
    def is_right(self):
        return self.outcome in kinds_of(self.expected)


def kinds_of(right):
    """The outcomes that are right, without their sentences."""
    return list(dict.fromkeys(alternative.split(":")[0] for alternative in ALTERNATIVES.split(right)))


def build_one(face):
    subprocess.run([*COMPILE, *(str(HERE / source) for source in COMMON + face.sources), "-o", str(OUT / face.name), *face.flags], check=True)
    listed = subprocess.run([OUT / face.name, "list"], check=True, stdout=subprocess.PIPE, text=True).stdout
    for line in listed.splitlines():
        name, idea, shape, plainly, filled, paged, also = line.split("\t")
        yield Program(face, name, idea, shape, {"plainly": plainly, "filled": filled, "paged": paged}, also)


def build(faces):
    subprocess.run([ROOT / "src/PrivateHeaps.Native/build"], check=True)
    OUT.mkdir(parents=True, exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        every = [program for programs in pool.map(lambda face: list(build_one(face)), faces) for program in programs]
    if len({(program.face.name, program.name) for program in every}) != len(every):
        raise SystemExit("misuse: two programs have the same name")
    return every


def environment(program, mode):
    kept = {name: value for name, value in os.environ.items() if not re.match("LD_|PRIVATEHEAPS_|MALLOC_|GLIBC_", name)}
    checks = {"PRIVATEHEAPS_CHECK": ",".join(filter(None, (mode.checks, program.also)))} if mode.checks else {}
    return kept | mode.variables | checks


def run(program, mode):
    process = subprocess.Popen([OUT / program.face.name, program.name], env=environment(program, mode), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, start_new_session=True)
    try:
        output, errors = process.communicate(timeout=PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        # Its children hold the pipes, too.
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return Run(program, mode, "harmful", f"harmful: it hangs, for {PATIENCE_SECONDS} s")
    return Run(program, mode, *what_came(program, mode, process.returncode, output.decode(errors="replace"), errors.decode(errors="replace")))


def what_came(program, mode, status, output, errors):
    """The outcome, and the words for it."""
    sentences = SENTENCE.findall(errors)
    last = output.strip().splitlines()[-1] if output.strip() else ""
    if sentences and status in (-signal.SIGABRT, 0) and last.split(":")[0] != "harmful":
        return named(program, mode, "stopped" if status != 0 else "told", sentences)
    if status == 0 and last.split(":")[0] in ("refused", "silent", "fault", "harmful"):
        return last.split(":")[0], last
    if status in (-signal.SIGSEGV, -signal.SIGBUS):
        return ("fault", "a fault at the program's own access") if was_accessing(errors) else ("crash", "a crash inside of the allocator")
    if status == -signal.SIGABRT and mode.expects is None:
        return "stopped", "stopped: " + " ".join(errors.split("\n")[-2:]).strip()
    return "crash", f"status {status}, after: {(output + errors).strip()[-200:]}"


def named(program, mode, outcome, sentences):
    """Whether one of the sentences is one that is right."""
    patterns = [right.removeprefix(outcome + ": ") for right in ALTERNATIVES.split(program.right[mode.expects]) if right.startswith(outcome + ": ")]
    is_right = not patterns or any(re.search(pattern, sentence) for pattern in patterns for sentence in sentences)
    return (outcome if is_right else "misnamed"), f"{outcome}: {' '.join(sentences)}"


def was_accessing(errors):
    return errors.rstrip().endswith("misuse: access")

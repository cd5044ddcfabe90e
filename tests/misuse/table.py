"""What came of all programs: counts, the measures they have to keep, and the table of misuses and modes in docs/hardening.md."""
import platform
import re

from modes import FACES, MODES, ROOT
from programs import kinds_of

DOCUMENT = ROOT / "docs/hardening.md"
BEGIN, END = "<!-- written by tests/misuse/run: begin -->\n", "<!-- written by tests/misuse/run: end -->"
SHAPE_COUNT = 8
OUTCOMES = {"stopped": "stopped", "told": "told at the end", "refused": "refused", "fault": "fault", "silent": "silent", "misnamed": "stopped with another sentence", "harmful": "harmful", "crash": "crash"}


def counted(outcomes):
    """As "3 stopped, 1 silent"."""
    listed = list(outcomes)
    return ", ".join(f"{listed.count(outcome)} {words}" for outcome, words in OUTCOMES.items() if outcome in listed)


def summary(mode, runs):
    return f"{mode.name}: {len(runs)} programs, {counted(run.outcome for run in runs)}"


def measures(runs, plain, checked, least):
    """What the whole has to keep, each a sentence and whether it holds."""
    plainly = [run for run in runs if run.mode is plain]
    harmed = sum(run.outcome in ("harmful", "crash") for run in plainly)
    yield f"no program harms the heap or crashes in it ({plain.name}): {harmed} of {len(plainly)} do", harmed == 0
    for mode in checked:
        those = [run for run in runs if run.mode is mode]
        named = sum(run.outcome in ("stopped", "told") for run in those)
        yield f"at least {least:.0%} of all programs are stopped, or told of at the end, with the right sentence ({mode.name}): {named} of {len(those)}", named >= least * len(those)


def seen(run):
    """What a cell says. Where it is left open whether there is memory beside a block, both outcomes are right, and both are named."""
    outcomes = kinds_of(run.expected) if run.mode.expects is not None and run.is_right else [run.outcome]
    return " or ".join(OUTCOMES[outcome] for outcome in outcomes)


def rows_of(face, runs):
    """One row for each idea and each set of shapes with which it ends alike."""
    modes = [mode for mode in MODES if face in mode.faces]
    ours = [mode for mode in modes if mode.expects is not None]
    programs, rows = {}, {}
    for run in runs:
        if run.program.face is face:
            programs.setdefault(run.program, {})[run.mode] = run
    for program, of_mode in programs.items():
        rows.setdefault((program.idea, *(seen(of_mode[mode]) for mode in ours)), []).append((program, of_mode))
    for (idea, *cells), group in rows.items():
        shapes = "all" if len(group) == SHAPE_COUNT else ", ".join(program.shape for program, _ in group)
        yield [idea, shapes, *cells, *(counted(of_mode[mode].outcome for _, of_mode in group) for mode in modes if mode.expects is None)]


def markdown(columns, rows):
    yield "| " + " | ".join(columns) + " |"
    yield "|" + "---|" * len(columns)
    for row in rows:
        yield "| " + " | ".join(map(str, row)) + " |"


def version_of(mode):
    """The mode's name; for the C library's malloc with its version, since it ends as that does."""
    return mode.name if mode.expects is not None else f"{mode.name} {platform.libc_ver()[1]}"


def totals_of(runs):
    """How many programs ended how, by face and mode. What is left open has columns of its own. The others are always there, whatever the C library does."""
    cells = {(face, mode): [seen(run) for run in runs if run.program.face is face and run.mode is mode] for face in FACES for mode in MODES if face in mode.faces}
    always = [words for outcome, words in OUTCOMES.items() if outcome != "misnamed"]
    kinds = list(dict.fromkeys([*always, *(cell for (_, mode), column in cells.items() if mode.expects is not None for cell in column)]))
    rows = [[face.name, version_of(mode), len(column), *(column.count(kind) or "" for kind in kinds)] for (face, mode), column in cells.items()]
    return ["face", "mode", "programs", *kinds], rows


def text_of(runs):
    yield from markdown(*totals_of(runs))
    for face in FACES:
        yield from ("", f"### {face.title}", "")
        yield from markdown(["misuse", "blocks", *(version_of(mode) for mode in MODES if face in mode.faces)], rows_of(face, runs))


def without_others(lines):
    """The lines without what is told of the C library: a row of the first table, and the last column of those that have one for it."""
    others = False
    for line in lines:
        if line.startswith("| misuse |"):
            others = "glibc" in line
        if not line.startswith(f"| {FACES[0].name} | glibc"):
            yield re.sub(r"[^|]*\|$", "", line) if others and line.startswith("|") else line


def parts():
    text = DOCUMENT.read_text()
    before, rest = text.split(BEGIN)
    return before, *rest.split(END)


def write(runs):
    before, _, after = parts()
    DOCUMENT.write_text(before + BEGIN + "\n".join(text_of(runs)) + "\n" + END + after)
    print(f"written: {DOCUMENT.relative_to(ROOT)}")


def is_current(runs):
    return list(without_others(parts()[1].splitlines())) == list(without_others(text_of(runs)))

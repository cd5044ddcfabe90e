"""Compares what the conformance program prints under each contract with what it printed under Wine.

compare.py PARITY.md WINE DOCUMENTED OBSERVED

A line is "Group: name: value"; "Group: name" is its key. The document has two kinds of tables, told by their header:
  | ... | Status | Shown by |                           rows that name keys, each of which must be there. With the status "done" each of these lines
                                                        is as Wine's under one contract at least, with "done, unlike Wine" some line is under none
  | Lines | Wine | Documented | Observed | Why |        the differences that are meant: keys, and what is printed on each side
In keys and values, which stand in backquotes, a * stands for anything; several of them are alternatives; "as Wine" means no difference under that contract.
Every difference needs its row, every row its difference, and every line its partner. The first row that fits explains a difference.
"""
import re
import sys

AS_WINE = "as Wine"
DONE, UNLIKE = "done", "done, unlike Wine"
CONTRACTS = ["documented", "observed"]


def transcript(path):
    lines = {}
    with open(path, encoding="utf-8") as file:
        for line in file.read().splitlines():
            if line.startswith("#") or line.endswith(" observations"):
                continue
            group, name, value = line.split(": ", 2)
            key = f"{group}: {name}"
            if key in lines:
                sys.exit(f"{path}: {key} comes twice")
            lines[key] = value
    return lines


def patterns(cell):
    return [re.compile(".*".join(map(re.escape, text.split("*")))) for text in re.findall(r"`([^`]*)`", cell)]


def matches(alternatives, text):
    return any(pattern.fullmatch(text) for pattern in alternatives)


class Difference:
    """A row of the table of differences."""

    def __init__(self, number, cells):
        self.number = number
        cells = cells + [""] * (5 - len(cells))
        self.lines, self.wine = patterns(cells[0]), patterns(cells[1])
        self.ours = [patterns(cell) for cell in cells[2:4]]
        self.used = [AS_WINE in cell for cell in cells[2:4]]
        self.is_whole = len(cells) == 5 and all(cells) and self.lines and self.wine and all(a or b for a, b in zip(self.ours, self.used))

    def explains(self, contract, key, wine, ours):
        return matches(self.ours[contract], ours) and matches(self.wine, wine) and matches(self.lines, key)

    def failure(self):
        if not self.is_whole:
            return "is no whole row"
        return None if all(self.used) else f"explains no difference under {' and '.join(c for c, used in zip(CONTRACTS, self.used) if not used)}"


class Shown:
    """A row that says what a function does and which lines show it."""

    def __init__(self, number, cells, columns):
        self.number = number
        self.status = cells[-2]
        self.keys = patterns(cells[-1]) if len(cells) == columns else []

    def failure(self, keys, unlike):
        if not self.keys:
            return "names no line"
        named = {pattern.pattern.replace("\\", ""): [key for key in keys if pattern.fullmatch(key)] for pattern in self.keys}
        absent = [pattern for pattern, found in named.items() if not found]
        if absent:
            return f"no such line: {', '.join(absent)}"
        differing = [key for found in named.values() for key in found if key in unlike]
        if self.status == DONE and differing:
            return f"is unlike Wine under both contracts: {differing[0]}"
        if self.status == UNLIKE and not differing:
            return "no line of it is unlike Wine under both contracts"
        return None


def tables(path):
    shown, differences, header = [], [], None
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.startswith("|"):
                header = None
                continue
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if header is None:
                header = cells
            elif set(line.strip()) <= set("|-: "):
                continue
            elif header[-1] == "Shown by":
                shown.append(Shown(number, cells, len(header)))
            elif header[0] == "Lines":
                differences.append(Difference(number, cells))
    return shown, differences


def compare_lines(contract, wine, ours, differences):
    """The failures, the keys that differ, and how many lines are as they should be."""
    failures, unlike, passed = [], set(), 0
    for key in list(wine) + [key for key in ours if key not in wine]:
        if key not in ours or key not in wine:
            failures.append(f"{CONTRACTS[contract]}: {key}: only in {'Wine' if key in wine else 'ours'}")
        elif ours[key] == wine[key]:
            passed += 1
        else:
            unlike.add(key)
            row = next((row for row in differences if row.explains(contract, key, wine[key], ours[key])), None)
            if row is None:
                failures.append(f"{CONTRACTS[contract]}: {key}: Wine {wine[key]}, ours {ours[key]}")
            else:
                row.used[contract] = True
                passed += 1
    return failures, unlike, passed


def main(document, wine_path, *our_paths):
    failures, passed, unlike = [], 0, None
    wine = transcript(wine_path)
    shown, differences = tables(document)
    for contract, path in enumerate(our_paths):
        found, unlike_here, right = compare_lines(contract, wine, transcript(path), differences)
        failures += found
        passed += right
        unlike = unlike_here if unlike is None else unlike & unlike_here
    for row, failure in [(row, row.failure(wine, unlike)) for row in shown] + [(row, row.failure()) for row in differences]:
        if failure:
            failures.append(f"{document}:{row.number}: {failure}")
        else:
            passed += 1
    if not shown or not differences:
        failures.append(f"{document}: has no tables")
    for failure in failures:
        print(failure)
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures or not passed else 0


sys.exit(main(*sys.argv[1:]))

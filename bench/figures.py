"""
What follows from the measured figures: medians, ratios, means, and the tables that bench/run prints and bench/plot writes into docs/performance.md.
The file of results: "machine" and "libraries" are facts; "workloads" has for each name the group and, for each of seconds, cpu and peak (KiB), the runs of each
library (none where it failed); "pairs" has nanoseconds of one malloc and free in the same way.
"""
import math
import statistics

LABELS = {"libc": "glibc", "heap": "PrivateHeaps", "mimalloc": "mimalloc", "jemalloc": "jemalloc", "tcmalloc": "tcmalloc"}
PEERS = ("mimalloc", "jemalloc", "tcmalloc")
MEASURES = {"seconds": "wall time", "cpu": "processor time", "peak": "peak memory"}


def mean(values):
    values = list(values)
    return math.exp(statistics.fmean(map(math.log, values))) if values else None


def quotient(value, base):
    return value / base if value and base else None


class Figures:
    def __init__(self, results):
        self.results = results
        self.libraries = list(results["libraries"])
        self.peers = [name for name in self.libraries if name in PEERS]
        self.groups = list(dict.fromkeys(workload["group"] for workload in results["workloads"].values()))

    def names(self, group=None):
        return [name for name, workload in self.results["workloads"].items() if group in (None, workload["group"])]

    def median(self, name, measure, library):
        runs = self.results["workloads"][name][measure].get(library)
        return statistics.median(runs) if runs else None

    def ratio(self, name, measure, library):
        """Against glibc."""
        return quotient(self.median(name, measure, library), self.median(name, measure, "libc"))

    def best_peer(self, name, measure):
        return min((value for peer in self.peers if (value := self.median(name, measure, peer))), default=None)

    def against_best_peer(self, name, measure):
        return quotient(self.median(name, measure, "heap"), self.best_peer(name, measure))

    def mean_ratio(self, measure, library, group=None):
        return mean(ratio for name in self.names(group) if (ratio := self.ratio(name, measure, library)))

    def mean_against(self, peer):
        """Our wall time against one peer's, in the workloads that both can do."""
        return mean(ratio for name in self.names() if (ratio := quotient(self.median(name, "seconds", "heap"), self.median(name, "seconds", peer))))

    def mean_of_fastest(self, library):
        """As mean_ratio of the wall time, of the fastest runs: what a machine whose speed changes from second to second does least to."""
        every = [workload["seconds"] for workload in self.results["workloads"].values()]
        return mean(min(runs[library]) / min(runs["libc"]) for runs in every if runs.get(library) and runs.get("libc"))

    def worst(self, measure, library):
        """The largest ratio against glibc, and the workload that it belongs to."""
        return max(((ratio, name) for name in self.names() if (ratio := self.ratio(name, measure, library))), default=(None, ""))

    def spread(self):
        """How far the wall times of one workload with one library lie apart, as a part of their median: the median of all."""
        lists = [runs for workload in self.results["workloads"].values() for runs in workload["seconds"].values()]
        return statistics.median((max(runs) - min(runs)) / statistics.median(runs) for runs in lists)

    def pair(self, key, library):
        runs = self.results["pairs"][key].get(library)
        return statistics.median(runs) if runs else None

    def pair_against(self, key, libraries):
        best = min((value for library in libraries if (value := self.pair(key, library))), default=None)
        return quotient(self.pair(key, "heap"), best)

    # Tables: a title, the column heads and the rows, all of them text.

    def overview(self):
        rows = []
        for measure in MEASURES:
            for group in [None] + self.groups:
                what = f"{MEASURES[measure]}, {group or 'all'} ({len(self.names(group))})"
                rows.append([what] + [number(self.mean_ratio(measure, library, group)) for library in self.libraries])
            worst = [self.worst(measure, library) for library in self.libraries if library != "libc"]
            if measure == "seconds":
                rows.append([f"{MEASURES[measure]}, fastest runs ({len(self.names())})"] + [number(self.mean_of_fastest(library)) for library in self.libraries])
            rows.append([f"{MEASURES[measure]}, worst", ""] + [f"{number(ratio)} {name}" for ratio, name in worst])
        return "Geometric means of ratios against glibc", [""] + self.labels(), rows

    def workloads(self, measure):
        unit, scale = ("MiB", 1024) if measure == "peak" else ("s", 1)
        rows = []
        for name in self.names():
            base = self.median(name, measure, "libc")
            ratios = ["failed" if self.median(name, measure, library) is None else number(self.ratio(name, measure, library)) for library in self.libraries if library != "libc"]
            rows.append([name, number(base and base / scale)] + ratios + [number(self.against_best_peer(name, measure))])
        return (f"{MEASURES[measure].capitalize()}: medians, as ratios against glibc",
                ["", f"glibc, {unit}"] + [label for label in self.labels() if label != "glibc"] + ["PrivateHeaps / best peer"], rows)

    def pairs(self):
        rows = [[key + " B"] + [number(self.pair(key, library)) for library in self.libraries] + [number(self.pair_against(key, self.peers))] for key in self.results["pairs"]]
        return "Nanoseconds of one malloc and free: medians", [""] + self.labels() + ["PrivateHeaps / best peer"], rows

    def targets(self):
        """What the library is to reach, and what it does."""
        def most(values):
            return max((value for value in values if value), default=None)

        pairs = self.results["pairs"]
        kinds = {kind: [key for key in pairs if key.startswith(kind + " ")] for kind in ("tight", "batch-random", "handover")}
        rows = [
            ("wall time, mean, against glibc", 0.72, self.mean_ratio("seconds", "heap")),
            ("wall time, mean, against the best peer's", 0.97, most(self.mean_against(peer) for peer in self.peers)),
            ("peak memory, mean, against glibc", 1.07, self.mean_ratio("peak", "heap")),
            ("wall time, worst workload, against glibc", 1.05, self.worst("seconds", "heap")[0]),
            ("tight pair, worst size, against the best peer", 1.10, most(self.pair_against(key, self.peers) for key in kinds["tight"])),
            ("tight pair, worst size, against mimalloc", 0.90, most(self.pair_against(key, ["mimalloc"]) for key in kinds["tight"])),
            ("batch in random order, worst size, against the best peer", 1.00, most(self.pair_against(key, self.peers) for key in kinds["batch-random"])),
            ("handed to another thread, worst size, against the best peer", 1.00, most(self.pair_against(key, self.peers) for key in kinds["handover"])),
        ] + [(f"{name}, against the best peer", 1.10, self.against_best_peer(name, "seconds"))
             for name in ("realloc-steps", "realloc-doubling", "large-filled", "calloc") if name in self.names()]
        return "Targets", ["", "at most", "is"], [[what, number(limit), number(value)] for what, limit, value in rows if value]

    def labels(self):
        return [LABELS[library] for library in self.libraries]

    def tables(self):
        return [self.overview(), *(self.workloads(measure) for measure in MEASURES), self.pairs(), self.targets()]


def number(value):
    return "" if value is None else f"{value:.3f}" if value < 0.095 else f"{value:.2f}" if value < 100 else f"{value:.0f}"


def as_text(table):
    title, heads, rows = table
    widths = [max(len(row[column]) for row in [heads] + rows) for column in range(len(heads))]
    lines = ["  ".join(cell.ljust(width) if column == 0 else cell.rjust(width) for column, (cell, width) in enumerate(zip(row, widths))) for row in [heads] + rows]
    return "\n".join([title] + lines) + "\n"


def as_markdown(table):
    title, heads, rows = table
    lines = ["| " + " | ".join(row) + " |" for row in [heads, ["---"] + ["---:"] * (len(heads) - 1)] + rows]
    return "\n".join([f"### {title}", ""] + lines) + "\n"

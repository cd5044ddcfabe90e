"""
What the benchmark runs, and how one run of it is measured. A workload is a command that does a fixed amount of work, a library is preloaded into it.
Called by bench/run.
"""
import dataclasses
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import typing

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "tests/programs"
SINGLE, THREADS, REAL = "shapes of one thread", "shapes of several threads", "real programs"
PATIENCE = 120


class Failure(Exception):
    """A run that did not end well; the text says how."""


@dataclasses.dataclass
class Workload:
    name: str
    group: str
    command: list
    brief: list  # starts the program in which the memory is allocated, and ends it at once
    variables: dict = dataclasses.field(default_factory=dict)
    prepare: typing.Callable = lambda: None  # once
    before: typing.Callable = lambda: None  # before each run; not measured
    client: typing.Callable = None  # for a server: what is timed


class Bench:
    """A folder with everything that the workloads read and write."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        kept = {name: value for name, value in os.environ.items() if not re.match("LD_|PRIVATEHEAPS_|MALLOC_|MIMALLOC_|GLIBC_|PYTHON|GIT_|NODE_|DOTNET_(?!ROOT)", name)}
        self.environment = kept | {
            "HOME": folder, "LC_ALL": "C", "GIT_CONFIG_NOSYSTEM": "1", "DOTNET_CLI_HOME": folder, "DOTNET_CLI_TELEMETRY_OPTOUT": "1", "DOTNET_NOLOGO": "1",
            "MSBUILDDISABLENODEREUSE": "1", "UseSharedCompilation": "false", "NuGetAudit": "false",
        }
        self.call("gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-static", ROOT / "bench/measure.c", "-o", "measure")
        self.call("gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-fno-builtin", "-pthread", *sorted((ROOT / "bench/shapes").glob("*.c")), "-o", "shapes")

    def call(self, *command, **more):
        """A command that is not measured; its standard output."""
        return subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, env=self.environment, cwd=self.folder, **more).stdout.decode()

    def workloads(self):
        shapes = str(self.folder / "shapes")
        listed = [line.split() for line in self.call(shapes).splitlines()]
        compiler, templates = (self.call("gcc", f"-print-prog-name={name}").strip() for name in ("cc1", "cc1plus"))
        structures = [sys.executable, str(PROGRAMS / "python/structures.py")]
        version = [sys.executable, "--version"]
        statements = f".read {ROOT / 'bench/programs/statements.sql'}"
        server = ["redis-server", "--port", "0", "--unixsocket", "redis.socket", "--save", "", "--appendonly", "no"]
        return [Workload(name, THREADS if int(threads) > 1 else SINGLE, [shapes, name], [shapes]) for name, threads in listed] + [
            Workload("python3", REAL, structures, version),
            Workload("python3, all objects", REAL, structures, version, {"PYTHONMALLOC": "malloc"}),
            Workload("git gc", REAL, ["git", "-C", "copy.git", "gc", "--quiet", "--aggressive"], ["git", "--version"], prepare=self.make_repository, before=self.copy_repository),
            Workload("gcc -O2", REAL, ["gcc", "-O2", "-c", "large.c", "-o", "large.o"], [compiler, "--version"], prepare=self.make_large_source),
            Workload("g++, templates", REAL, ["g++", "-O1", "-c", str(PROGRAMS / "c/templates.cpp"), "-o", "templates.o"], [templates, "--version"]),
            Workload("node", REAL, ["node", str(PROGRAMS / "node/workers.js")], ["node", "--version"]),
            Workload("sqlite3", REAL, ["sqlite3", ":memory:", statements], ["sqlite3", "--version"]),
            Workload("redis-server", REAL, server, ["redis-server", "--version"], client=self.ask_redis),
            Workload("dotnet build", REAL, ["dotnet", "build", "app", "--no-restore", "--no-incremental", "-v", "quiet"], ["dotnet", "--version"], prepare=self.make_project),
        ]

    def make_large_source(self):
        """A C file of 250 functions, each with a few loops and calls."""
        lines = ["struct node { struct node *next; int value[8]; double weight; };"]
        for i in range(250):
            lines.append(
                f"int f{i}(struct node *n, int x)\n{{\n    int sum = {i};\n    double total = x;\n"
                f"    for (int i = 0; i < x; i++)\n        for (struct node *p = n; p; p = p->next) {{\n"
                f"            switch ((p->value[i & 7] + {i}) % 5) {{\n            case 0: sum += p->value[(i + {i}) & 7]; break;\n"
                f"            case 1: sum ^= i * {i % 97}; break;\n            case 2: total += p->weight / (i + {i + 1}); break;\n"
                f"            default: p->value[{i % 8}] = sum;\n            }}\n        }}\n"
                + (f"    if (sum & 1)\n        sum += f{i - 1}(n, x / 2) + f{i // 2}(n->next, x - 1);\n" if i else "")
                + "    return sum + (int)total;\n}"
            )
        (self.folder / "large.c").write_text("\n".join(lines) + "\n")

    def make_repository(self):
        """Loose objects, as a repository has them before it is collected."""
        history = self.call(sys.executable, PROGRAMS / "python/history.py")
        self.call("git", "init", "--quiet", "--bare", "-b", "main", "loose.git")
        self.call("git", "-C", "loose.git", "-c", "fastimport.unpackLimit=1000000", "fast-import", "--quiet", input=history.encode())

    def copy_repository(self):
        """Of hard links: an object file is never written twice."""
        shutil.rmtree(self.folder / "copy.git", ignore_errors=True)
        shutil.copytree(self.folder / "loose.git", self.folder / "copy.git", copy_function=os.link)

    def make_project(self):
        shutil.copytree(PROGRAMS / "dotnet", self.folder / "app")
        self.call("dotnet", "restore", "app")

    def ask_redis(self):
        socket = self.folder / "redis.socket"
        command = ["redis-benchmark", "-s", str(socket), "-n", "200000", "-c", "20", "-P", "16", "-d", "200", "-r", "50000", "-q", "-t", "set,get,incr,lpush,rpop,sadd,hset,zadd"]
        end = time.monotonic() + PATIENCE / 4
        while "PONG" not in subprocess.run(["redis-cli", "-s", socket, "ping"], env=self.environment, capture_output=True, text=True).stdout:
            if time.monotonic() > end:
                raise Failure("does not answer")
            time.sleep(0.01)
        start = time.monotonic()
        self.call(*command, timeout=PATIENCE)
        seconds = time.monotonic() - start
        subprocess.run(["redis-cli", "-s", socket, "shutdown", "nosave"], env=self.environment, capture_output=True)
        return seconds

    def measure(self, workload, library):
        """One run: seconds, processor seconds, peak memory in KiB, and the lines of standard output."""
        workload.before()
        figures, output, errors = (self.folder / name for name in ("figures", "output", "errors"))
        figures.unlink(missing_ok=True)
        with open(output, "wb") as standard_output, open(errors, "wb") as standard_error:
            process = subprocess.Popen(
                [self.folder / "measure", figures, library, *workload.command], env=self.environment | workload.variables, cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=standard_output, stderr=standard_error, start_new_session=True)
        try:
            seconds = workload.client() if workload.client else None
            process.wait(PATIENCE)
        except (subprocess.SubprocessError, Failure) as failure:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            late = isinstance(failure, subprocess.TimeoutExpired)
            raise Failure(f"did not end in {PATIENCE} s" if late else str(failure)) from failure
        if not figures.exists():
            raise Failure(f"could not be started: {workload.command[0]}")
        wall, processor, peak, status = figures.read_text().split()
        if status != "0":
            raise Failure(f"status {os.waitstatus_to_exitcode(int(status))}: {errors.read_text(errors='replace').strip()[-200:]}")
        return seconds or float(wall), float(processor), int(peak), output.read_text(errors="replace").splitlines()

    def assure_preload(self, workload, library):
        """The loader says which library it takes malloc and its companions from, for the program and every library in it: this one and no other."""
        program = shutil.which(workload.brief[0])
        result = subprocess.run([program, *workload.brief[1:]], env=self.environment | {"LD_PRELOAD": str(library), "LD_BIND_NOW": "1", "LD_DEBUG": "bindings"},
                                cwd=self.folder, capture_output=True, text=True, errors="replace")
        found = set(re.findall(r"binding file .* to (\S+) \[0\]: normal symbol `(?:malloc|calloc|realloc|free)'", result.stderr))
        # A program that takes the address of `free` binds it to its own jump to the library.
        if {os.path.realpath(path) for path in found} - {os.path.realpath(program)} != {os.path.realpath(library)}:
            raise Failure(f"{program} takes its memory from {', '.join(found) or 'no library'}, not from {library}" + (
                f" (status {result.returncode})" if result.returncode else ""))

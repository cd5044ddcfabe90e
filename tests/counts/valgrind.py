"""What the two ways of counting have in common: a program built against a library of this repository, and run under a tool of valgrind."""
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
NATIVE = HERE.parent.parent / "out/native"
WORK = HERE.parent.parent / "out/tests/counts"


def prepare():
    for command, package in (("valgrind", "valgrind"), ("gcc", "gcc"), ("objdump", "binutils")):
        if not shutil.which(command):
            sys.exit(f"counts: {command} is missing; install the package {package}")
    if not (NATIVE / "libprivateheaps.so").exists():
        sys.exit("counts: there are no libraries in out/native; src/PrivateHeaps.Native/build makes them")
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)


def build(program, library):
    """Without builtins: a compiler that knows malloc removes the calls. Bound at once: the first call costs what the others cost. At fixed addresses."""
    subprocess.run(
        ["gcc", "-std=gnu11", "-O1", "-fno-builtin", "-no-pie", "-Wall", "-Wextra", f"-I{NATIVE}/include", HERE / f"{program}.c", "-o", WORK / program,
         "-Wl,--no-as-needed", "-Wl,-z,now", f"-L{NATIVE}", f"-l{library}", f"-Wl,-rpath,{NATIVE}", "-pthread"],
        check=True)
    return WORK / program


def start(program, *options, **more):
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD" and not name.startswith("PRIVATEHEAPS_")}
    return subprocess.Popen(["valgrind", "-q", *options, program], stdout=subprocess.PIPE, text=True, env=environment, **more)


def finish(process):
    """What the program printed."""
    output, _ = process.communicate(timeout=300)
    if process.returncode != 0:
        sys.exit(f"counts: {process.args[-1]} ended with {process.returncode}: {output}")
    return output

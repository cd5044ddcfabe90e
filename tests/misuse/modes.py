"""The two faces that are misused, and the modes that each misuse is run in."""
import dataclasses
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
NATIVE = ROOT / "out/native"
PRELOAD = {"LD_PRELOAD": str(NATIVE / "libprivateheaps-malloc.so")}


@dataclasses.dataclass(frozen=True)
class Face:
    name: str
    title: str
    sources: tuple
    flags: tuple


MALLOC = Face("malloc", "Programs that use malloc", ("malloc.c",), ("-DHEAP_FACE=0",))
HEAP = Face("heap", "Programs that use the heap functions", ("heap.c", "other_heaps.c", "handles.c"), ("-DHEAP_FACE=1", f"-I{NATIVE}/include", f"-L{NATIVE}", "-lprivateheaps", f"-Wl,-rpath,{NATIVE}"))
FACES = (MALLOC, HEAP)


@dataclasses.dataclass(frozen=True)
class Mode:
    name: str
    faces: tuple
    variables: dict = dataclasses.field(hash=False)
    expects: str  # what "misuse list" says is right in this mode; None where nothing is promised
    checks: str = ""  # PRIVATEHEAPS_CHECK

    def __hash__(self):
        return hash(self.name)


PLAIN = Mode("default", FACES, PRELOAD, "plainly")
FILLS = Mode("checked", FACES, PRELOAD, "filled", "1")
PAGES = Mode("page heap", FACES, PRELOAD, "paged", "1,hpa")
GLIBC = Mode("glibc", (MALLOC,), {}, None)
MODES = (PLAIN, FILLS, PAGES, GLIBC)
CHECKED = (FILLS, PAGES)

"""Compares report.json with the file that c/killed.c leaves: what was done is counted, and what was not begun is not, whenever the processes were killed."""
import json
import struct
import sys

THREADS = 4
# What the C library and the loader allocate for themselves, in blocks and bytes.
OTHERS, OTHERS_BYTES = 60, 80_000

with open("truth", "rb") as file:
    truths = [struct.unpack("5q", file.read(40)) for _ in range(3)]
with open("report.json") as file:
    report = json.load(file)
images = {image["processId"]: image for image in [report["program"], *report["others"]]}
assert report["ending"]["signalName"] == "SIGKILL", report["ending"]
assert len(images) == 3 and all(image["end"] == "killed" for image in images.values()), list(images)
for process, allocations_begun, allocations_done, frees_begun, frees_done in truths:
    image = images[process]
    facts = {
        "allocations": allocations_done <= image["allocations"] <= allocations_begun + OTHERS,
        "frees": frees_done <= image["frees"] <= frees_begun + OTHERS,
        "live blocks": abs(image["allocations"] - image["frees"] - image["liveBlocks"]) <= THREADS,
        "size classes": abs(sum(size["live"] for size in image["sizeClasses"]) - image["liveBlocks"]) <= THREADS,
        "bytes": abs(image["bytesInUse"] - 100 * image["liveBlocks"]) <= 100 * THREADS + OTHERS_BYTES,
        "peak": image["bytesInUse"] <= image["peakBytesInUse"] + 100 * THREADS,
        "memory": image["committedBytes"] <= image["reservedBytes"],
    }
    wrong = [fact for fact, holds in facts.items() if not holds]
    if wrong:
        del image["sizeClasses"]
        sys.exit(f"not right: {wrong}\n{image}\n{(allocations_begun, allocations_done, frees_begun, frees_done)}")

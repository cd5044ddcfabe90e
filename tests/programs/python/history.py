"""Writes a history of 400 commits over 60 files, as git fast-import reads it."""
import sys

out = sys.stdout.buffer
files = {}


def data(text):
    blob = text.encode()
    out.write(b"data %d\n%s\n" % (len(blob), blob))


out.write(b"reset refs/heads/main\n")
for turn in range(400):
    out.write(b"commit refs/heads/main\nmark :%d\n" % (turn + 1))
    out.write(b"committer A Writer <writer@example.org> %d +0000\n" % (1_600_000_000 + turn * 60))
    data(f"Change {turn}\n\nThe reason for change {turn}.\n")
    if turn:
        out.write(b"from :%d\n" % turn)
    for index in {turn % 60, turn * 7 % 60, turn * 13 % 60}:
        name = f"file-{index}.txt"
        lines = files.setdefault(name, [f"line {n} of {name}" for n in range(200)])
        lines[turn * 31 % len(lines)] = f"line changed by {turn} in {name}"
        lines.append(f"line added by {turn}")
        out.write(b"M 100644 inline %s\n" % name.encode())
        data("\n".join(lines) + "\n")

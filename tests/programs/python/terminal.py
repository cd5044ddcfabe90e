"""
An interactive shell on a terminal of its own runs "pheap run -- ./signals"; keys are pressed, the window changes size, the job is stopped and
continued. Prints what did not happen as it should.
"""
import fcntl
import os
import pty
import re
import struct
import sys
import termios
import time

child, terminal = pty.fork()
if child == 0:
    os.environ.update(PS1="> ", TERM="xterm", LC_ALL="C.UTF-8")
    os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])

seen = ""


def expect(pattern, start=0):
    """Reads on until the pattern is in what was printed after position start."""
    global seen
    end = time.monotonic() + 30
    while not re.search(pattern, seen[start:]):
        if time.monotonic() > end:
            sys.exit(f"never seen: {pattern!r} in\n{seen}")
        try:
            seen += os.read(terminal, 65536).decode(errors="replace")
        except OSError:
            sys.exit(f"the shell ended before {pattern!r}:\n{seen}")
    return len(seen)


def press(text):
    position = len(seen)
    os.write(terminal, text.encode())
    return position


press(f"{sys.argv[1]} run -- ./signals; echo code=$?\n")
expect(r"ready\r")
press("\x03")
expect(r"signal 2 value")
press("\x1c")
expect(r"signal 3 value")
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 111, 0, 0))
expect(r"signal 28 value")
press("words\n")
expect(r"input words")
start = press("\x1a")
start = expect(r"Stopped", start)
press("jobs; fg\n")
expect(r"signal 18 value", start)
press("more words\n")
expect(r"input more words")
start = press("\x04")
expect(r"pheap:\x1b\[0m \x1b\[1msignals.*exited with code 42", start)
press("echo and=$?\n")
expect(r"and=\d", start)
time.sleep(0.3)
for signal in (2, 3, 28):
    if (count := len(re.findall(rf"signal {signal} value", seen))) != 1:
        sys.exit(f"signal {signal} arrived {count} times:\n{seen}")
if "\x1b[?1h" in seen:
    sys.exit(f"pheap changed the terminal's mode:\n{seen!r}")
os.close(terminal)

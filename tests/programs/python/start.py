"""start.py KIND COMMAND...: becomes the command, in a plain state or with signals, mask, limits, descriptors and variables out of the ordinary."""
import os
import resource
import signal
import sys

os.closerange(3, 200)
os.environ.update(PWD=os.getcwd(), SHLVL="1")
for number in (signal.SIGPIPE, signal.SIGXFSZ):
    signal.signal(number, signal.SIG_DFL)
if sys.argv[1] == "altered":
    for number in (1, 2, 3, 10, 13, 15, 17, 18, 20, 28, 40):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2, signal.SIGALRM, signal.SIGWINCH, 50})
    resource.setrlimit(resource.RLIMIT_NOFILE, (300, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    os.dup2(os.open("/dev/zero", os.O_RDONLY), 7)
    os.environb.update({b"out": b"1", b"here": b"2", b"dotnet": b"3", b"BYTES": b"\xff\xfe", b"TERM": b"dumb"})
    os.umask(0o027)
os.execvp(sys.argv[2], sys.argv[2:])

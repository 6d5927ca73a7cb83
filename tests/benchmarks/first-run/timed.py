#!/usr/bin/env python3
"""Runs a command and adds "wall processor" in seconds, of it and of all that it started, to a file.

    python3 timed.py FILE COMMAND ...

`time` counts the processes that were waited for, and hosts of tests often are not: they outlive their parent, and their hours are nobody's. This process adopts
them (a child subreaper, Linux), waits until they are gone, and then asks for the children's usage. Wall seconds are those of the command itself. What stays for
more than a minute behind it (a build server) is named and ended, and counted like the rest. The exit code is the command's.
"""
import ctypes
import os
import resource
import signal
import subprocess
import sys
import time

PR_SET_CHILD_SUBREAPER = 36
PATIENCE = 60


def children():
    """Process ids whose parent is this one, with their commands."""
    found = {}
    for name in os.listdir("/proc"):
        try:
            if name.isdigit():
                # The parent is the second field behind the command, which may hold anything, brackets too.
                if int(open(f"/proc/{name}/stat").read().rpartition(")")[2].split()[1]) == os.getpid():
                    found[int(name)] = open(f"/proc/{name}/cmdline").read().replace("\0", " ").strip() or name
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def reap():
    """Waits for whatever is left, for a time; what does not go is told and ended."""
    end, signals = time.monotonic() + PATIENCE, [signal.SIGTERM, signal.SIGKILL]
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0]:
                continue
        except ChildProcessError:
            return
        if time.monotonic() > end:
            if not signals:
                sys.exit("timed.py: " + ", ".join(children().values()) + " cannot be ended")
            how = signals.pop(0)
            for process, command in children().items():
                print(f"timed.py: left behind and ended: {command[:160]}", file=sys.stderr)
                os.kill(process, how)
            end = time.monotonic() + 10
        time.sleep(0.05)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        sys.exit(f"timed.py: cannot adopt what the command leaves behind: {os.strerror(ctypes.get_errno())}")
    begun = time.monotonic()
    try:
        process = subprocess.Popen(sys.argv[2:])
    except OSError as error:
        sys.exit(f"timed.py: {sys.argv[2]}: {error.strerror}")
    code = process.wait()
    wall = time.monotonic() - begun
    reap()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(sys.argv[1], "a", encoding="ascii") as file:
        file.write(f"{wall:.3f} {used.ru_utime + used.ru_stime:.3f}\n")
    sys.exit(code if code >= 0 else 128 - code)


main()

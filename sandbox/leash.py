"""Become a program that can't outlive its owner: `python -I -S leash.py OWNER SIGNAL USER PROGRAM ...`.

OWNER is the process id that must stay alive, SIGNAL what the program gets when it doesn't, USER the account
to run under (`-` to stay who we are). The program keeps this process's id: to kill that id is to kill it.
Uses the standard library alone: it runs before any of ours is importable, and in a few milliseconds.
"""

import contextlib
import ctypes
import os
import signal
import sys
import time
from pathlib import Path

LINUX = sys.platform == "linux"

PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
CAPABILITY_VERSION_3 = 0x20080522

WATCH_EVERY = 0.2  # seconds
PATIENCE = 10.0  # seconds from the signal to the kill


def main(arguments: list[str], *, kernel_helps: bool = LINUX) -> None:
    """Drop to the wanted user, tie this process to its owner and become the program."""
    owner, last_words, user, program = int(arguments[0]), int(arguments[1]), arguments[2], arguments[3:]
    if user != "-":
        become(user, program[0])
    if kernel_helps:
        # After the change of user, which clears it; the owner may have died before it was set.
        _prctl(PR_SET_PDEATHSIG, last_words)
        if os.getppid() != owner:
            sys.exit("the owner has gone")
    else:
        watch(owner, last_words)
    os.execv(program[0], program)  # noqa: S606


def become(user: str, program: str) -> None:
    """Turn from root into `user`, who may still read the way to the program and the working folder.

    A checkout below /root is closed to any other account. Rather than open the folders of this machine, the
    process keeps the one capability to look into them, and only where it needs it.
    """
    import pwd

    account = pwd.getpwnam(user)
    if LINUX:
        _prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    if LINUX and not (os.access(program, os.X_OK) and os.access(Path.cwd(), os.X_OK)):
        _keep(CAP_DAC_READ_SEARCH) or _keep(CAP_DAC_OVERRIDE)


def watch(owner: int, last_words: int) -> None:
    """Leave a process behind that passes the signal on once the owner is gone: for kernels without a way."""
    program = os.getpid()
    if os.fork() != 0:
        return
    os.setsid()
    os.closerange(0, 3)  # whoever reads what the program writes shall not wait for the watcher
    with contextlib.suppress(ProcessLookupError):
        while _lives(owner):
            os.kill(program, 0)
            time.sleep(WATCH_EVERY)
        os.kill(program, last_words)
        for _ in range(int(PATIENCE / WATCH_EVERY)):
            time.sleep(WATCH_EVERY)
            os.kill(program, 0)
        os.kill(program, signal.SIGKILL)
    os._exit(0)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _prctl(option: int, argument: int, detail: int = 0) -> bool:
    status: int = ctypes.CDLL(None).prctl(option, argument, detail, 0, 0)
    return status == 0


def _keep(capability: int) -> bool:
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    bit = 1 << capability
    # effective, permitted, inheritable; then the same for capabilities above 31.
    sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    status: int = ctypes.CDLL(None).capset(header, sets)
    return status == 0 and _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)


if __name__ == "__main__":
    main(sys.argv[1:])

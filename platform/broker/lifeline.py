"""Start a program that ends with us, however we end: also after `kill -9`.

Linux tells a child of its parent's death (prctl(2), PR_SET_PDEATHSIG). The request is made by this
file, run as a tiny program that then becomes the wanted one: unlike code between fork and exec, it
is safe in a process with threads, and it comes after a switch to another user, which would clear
the request. The parent meant is the *thread* that starts the program: start from one that lasts.
Elsewhere than on Linux the program merely runs.
"""

import ctypes
import os
import pwd
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1


def tied(
    command: Sequence[str], ending: signal.Signals = signal.SIGTERM, user: str | None = None
) -> list[str]:
    """Return `command` such that it receives `ending` when the calling process is gone.

    `user` runs it as somebody else, which only root can do.
    """
    own = [sys.executable, "-I", "-S", __file__]
    return [*own, str(os.getpid()), str(int(ending)), user or "", *command]


def _change_user(name: str) -> None:
    entry = pwd.getpwnam(name)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    os.environ["HOME"] = entry.pw_dir


def _become(parent: int, ending: int, user: str, command: list[str]) -> None:
    if user:
        _change_user(user)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, ending, 0, 0, 0)
    if os.getppid() != parent:
        # it died before the request was made
        sys.exit(128 + ending)
    os.execvp(command[0], command)  # noqa: S606  (the caller's own command, never a shell)


if __name__ == "__main__":
    _become(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])

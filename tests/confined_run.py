"""A program that runs confined code as one kind of user or another: `confined_run.py PLACE MODE`.

It reads JSON (`code`, `limits`) and writes JSON (`output`, `exit_code`, `ending`, or `refused`). PLACE is the folder of
`confinement.py`. The mode is `as_is`; `user`, not root; or `bare`, a user whom the kernel gives no namespaces.
"""

from __future__ import annotations

import asyncio
import ctypes
import importlib
import json
import os
import sys
from pathlib import Path

NOBODY = 65534


def become_user() -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # It may be looked at, as a program started by the user may.


def forbid_namespaces() -> None:
    """In a namespace of its own, in which there can be no other."""
    user, group = os.getuid(), os.getgid()
    if ctypes.CDLL(None).unshare(0x10000000) != 0:
        return  # There are none to forbid.
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    Path("/proc/sys/user/max_user_namespaces").write_text("0")


def has_children() -> bool:
    """Whether any process is left of what was started, orphans included."""
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return False
    return True


def main() -> None:
    place, mode = sys.argv[1:]
    given = json.load(sys.stdin)
    if mode != "as_is":
        become_user()
    if mode == "bare":
        forbid_namespaces()
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # Orphans become its children.
    sys.path.insert(0, place)
    confinement = importlib.import_module("confinement")

    given["code"] = given["code"].replace("PARENT", str(os.getpid()))
    try:
        ended = asyncio.run(confinement.run_confined(given["code"], confinement.InterpreterLimits(**given["limits"])))
    except confinement.ConfinementError as error:
        print(json.dumps({"refused": str(error)}))
        return
    told = {"output": ended.output, "exit_code": ended.exit_code, "ending": ended.ending}
    print(json.dumps({**told, "has_children": has_children()}))


if __name__ == "__main__":
    main()

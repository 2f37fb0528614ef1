"""The program that confines itself and then runs code: `python -I -S -B _confined_program.py`.

It reads one JSON object from its input (`code`, `folder` and the limits), gives up whatever the
code is not to have, tells in one line of JSON on its output what came of that, and runs the code.
If anything that is promised cannot be had, it ends without running it. It runs isolated from the
package, and imports the standard library only.
"""

import ast
import ctypes
import gc
import json
import os
import resource
import runpy
import signal
import struct
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

_NOBODY = 65534
_NAMESPACES = 0x10000000 | 0x40000000 | 0x20000000 | 0x00020000 | 0x08000000 | 0x04000000
"""User, network, process ids, mounts, IPC and host name."""
_MS_PRIVATE_ALL = 0x4000 | 0x40000
_MS_NOSUID_NODEV_NOEXEC = 0x2 | 0x4 | 0x8
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38

_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_LEAST_LANDLOCK = 3
_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3
_WRITE_FILE, _TRUNCATE = 1 << 1, 1 << 14
_HANDLED = {3: (1 << 15) - 1, 5: (1 << 16) - 1}
"""All rights over files, from a version of Landlock on."""
_IN_FOLDER = (
    _READ_FILE | _READ_FOLDER | _WRITE_FILE | _TRUNCATE
    | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 10 | 1 << 12 | 1 << 13
)  # fmt: skip
"""Also to remove, to make folders, files, FIFOs and links, and to rename."""

_libc = ctypes.CDLL(None, use_errno=True)


class RefusedError(Exception):
    """The code is not run, and why."""


def _checked(result: int, what: str) -> int:
    if result < 0:
        raise RefusedError(f"{what}: {os.strerror(ctypes.get_errno())}")
    return result


def _drop_root() -> None:
    """Become nobody, if this is root and the Python that runs is one that nobody can read.

    Root that is left is without capabilities, and in a namespace where it is root of nothing.
    """
    if os.geteuid() != 0:
        return
    paths = _paths()
    try:
        os.setgroups([])
        os.setegid(_NOBODY)
        os.seteuid(_NOBODY)
        can_read = all(os.access(each, os.R_OK | os.X_OK, effective_ids=True) for each in paths)
        os.seteuid(0)
        os.setegid(0)
        if can_read:
            os.setresgid(_NOBODY, _NOBODY, _NOBODY)
            os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    except OSError as error:
        raise RefusedError(f"root cannot become nobody ({error}): be a user instead") from error


def _paths() -> list[str]:
    """Where Python looks for modules."""
    return [path for path in sys.path if Path(path).is_dir()]


def _enter_namespaces() -> bool:
    """Leave the network and the processes of the machine; not all kernels allow it to users.

    It is tried in a child first: on some it can be begun, and then neither finished nor undone.
    """
    if _forked(_leave_machine) != 0:
        return False
    return _leave_machine() == 0


def _leave_machine() -> int:
    user, group = os.getuid(), os.getgid()
    if _libc.unshare(_NAMESPACES) != 0:
        return 1
    maps = {"setgroups": "deny", "uid_map": f"{user} {user} 1", "gid_map": f"{group} {group} 1"}
    for name, text in maps.items():
        Path(f"/proc/self/{name}").write_text(text, encoding="utf-8")
    return 0


def _mount_folder(folder: str, size: int) -> bool:
    """Put a file system of a limited size in the place of the folder, where that is allowed."""
    if _libc.mount(None, b"/", None, _MS_PRIVATE_ALL, None) != 0:
        return False
    options = f"size={size},nr_inodes=4096,mode=700,uid={os.getuid()},gid={os.getgid()}".encode()
    target = os.fsencode(folder)
    return bool(_libc.mount(b"tmpfs", target, b"tmpfs", _MS_NOSUID_NODEV_NOEXEC, options) == 0)


def _drop_capabilities() -> None:
    header = struct.pack("=Ii", 0x20080522, 0)
    _checked(_libc.capset(header, bytes(24)), "capabilities cannot be dropped")


def _threads_of_user() -> int:
    """How many threads the user has, whom the limit of processes counts as one."""
    count = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == os.getuid():
                count += len(list((process / "task").iterdir()))
        except OSError:  # It has ended.
            continue
    return count


def _limit(limits: dict[str, int], running: int) -> None:
    seconds = limits["cpu_seconds"]
    for what, soft, hard in (
        (resource.RLIMIT_CPU, seconds, seconds + 1),
        (resource.RLIMIT_AS, limits["memory_bytes"], limits["memory_bytes"]),
        (resource.RLIMIT_FSIZE, limits["folder_bytes"], limits["folder_bytes"]),
        (resource.RLIMIT_NOFILE, limits["open_files"], limits["open_files"]),
        (resource.RLIMIT_NPROC, running + limits["threads"], running + limits["threads"]),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_MEMLOCK, 0, 0),
    ):
        most = resource.getrlimit(what)[1]
        if most == resource.RLIM_INFINITY:
            most = hard
        resource.setrlimit(what, (min(soft, most), min(hard, most)))


def _libraries() -> set[str]:
    """Where Python and the shared libraries lie, which code has to read to import anything."""
    folders = set(_paths())
    maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="surrogateescape")
    paths = {Path("/", line.partition(" /")[2]) for line in maps.splitlines() if " /" in line}
    folders |= {str(path.parent) for path in paths if ".so" in path.name}
    for folder in folders:
        if not os.access(folder, os.R_OK | os.X_OK):
            raise RefusedError(f"user {os.getuid()} cannot read {folder}, which Python needs")
    return folders | {"/etc/ld.so.cache", "/usr/share/zoneinfo"}


def _confine_files(folder: str, libraries: set[str]) -> None:
    """Allow the folder, reading libraries, and nothing else (Landlock)."""
    version = _libc.syscall(_LANDLOCK_CREATE, None, 0, 1)
    if version < _LEAST_LANDLOCK:
        raise RefusedError(
            "files cannot be confined: this needs Linux 6.2 or newer with Landlock switched on"
        )
    handled = _HANDLED[5 if version >= 5 else 3]
    network = 3 if version >= 4 else 0
    scoped = 3 if version >= 6 else 0
    attributes = struct.pack("=QQQ", handled, network, scoped)[: 24 if version >= 6 else 16]
    if version < 4:
        attributes = attributes[:8]
    rules = _checked(
        _libc.syscall(_LANDLOCK_CREATE, attributes, ctypes.c_size_t(len(attributes)), 0),
        "files cannot be confined",
    )
    allowed = dict.fromkeys(libraries, _READ_FILE | _READ_FOLDER)
    allowed |= {"/dev/null": _READ_FILE | _WRITE_FILE, folder: _IN_FOLDER}
    for path, rights in allowed.items():
        if not Path(path).exists():
            continue
        of_kind = rights if Path(path).is_dir() else rights & (_READ_FILE | _WRITE_FILE | _TRUNCATE)
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rule = struct.pack("=Qi", of_kind, place)
        _checked(_libc.syscall(_LANDLOCK_ADD, rules, 1, rule, 0), f"{path} cannot be allowed")
        os.close(place)
    _checked(_libc.syscall(_LANDLOCK_RESTRICT, rules, 0), "files cannot be confined")
    os.close(rules)


def _confine(
    given: dict[str, Any], filter_calls: Callable[..., None], has_namespaces: bool, running: int
) -> None:
    """All of it, in the process that will run the code."""
    folder: str = given["folder"]
    libraries = _libraries()
    if has_namespaces:
        _mount_folder(folder, given["folder_bytes"])
    os.chdir(folder)
    _drop_capabilities()
    nothing = os.open("/dev/null", os.O_RDWR)
    os.dup2(nothing, 0)
    os.closerange(3, 65_536)
    _checked(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "privileges cannot be given up")
    _confine_files(folder, libraries)
    _limit(given, running)
    # The limit of threads does not hold root.
    filter_calls(_libc, allows_threads=os.getuid() != 0)


def _compiled(source: str) -> CodeType:
    """The code, which prints the value of an expression that it ends with."""
    tree = ast.parse(source, "<code>")
    if tree.body and isinstance(last := tree.body[-1], ast.Expr):
        shown = ast.Call(ast.Name("__show__", ast.Load()), [last.value], [])
        tree.body[-1] = ast.copy_location(ast.Expr(shown), last)
        ast.fix_missing_locations(tree)
    return compile(tree, "<code>", "exec")


def _show(value: object) -> None:
    if value is not None:
        sys.stdout.write(f"{value!r}\n")


def _run(source: str) -> int:
    """Run the code, and return its exit code."""
    try:
        FunctionType(_compiled(source), {"__name__": "__main__", "__show__": _show})()
    except SystemExit as error:
        if isinstance(error.code, int):
            return error.code & 255
        if error.code is not None:
            sys.stdout.write(f"{error.code}\n")
        return int(error.code is not None)
    except BaseException as error:
        own = error.__traceback__
        # The first frame is of this file, and means nothing to who wrote the code.
        traceback.print_exception(error.with_traceback(own.tb_next if own else None), limit=-20)
        return 1
    return 0


def _confined(
    given: dict[str, Any], filter_calls: Callable[..., None], has_namespaces: bool, running: int
) -> int:
    try:
        _confine(given, filter_calls, has_namespaces, running)
    except (RefusedError, OSError) as error:
        _tell(refused=str(error))
        return 1
    _tell(namespaces=has_namespaces)
    source: str = given["code"]
    given.clear()
    gc.collect()
    code = _run(source)
    try:
        sys.stdout.flush()
    except OSError:
        code = 1
    return code


def _tell(**said: object) -> None:
    os.write(1, json.dumps(said).encode() + b"\n")


def _module_beside(name: str) -> dict[str, Any]:
    """The names of a module that lies beside this file; isolated Python does not look there."""
    return runpy.run_path(str(Path(__file__).with_name(f"{name}.py")))


def main() -> int:
    """Prepare, and run the code in a child."""
    given: dict[str, Any] = json.load(sys.stdin)
    filter_calls = _module_beside("_system_calls")["filter_calls"]
    try:
        _drop_root()
        # A change of the user has cleared both.
        _checked(_libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0), "prctl")
        _checked(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")
        if os.getppid() != given["parent"]:
            return 1
        running = _threads_of_user()
        has_namespaces = _enter_namespaces()
    except (RefusedError, OSError) as error:
        _tell(refused=str(error))
        return 1
    if os.getuid() == 0 and not has_namespaces:
        _tell(refused="root cannot be confined on this machine; run the server as a user")
        return 1
    if not has_namespaces:
        return _forked(lambda: _confined(given, filter_calls, has_namespaces, running))
    # The first process of a namespace is spared by limits, and all others end with it.
    return _forked(lambda: _forked(lambda: _confined(given, filter_calls, has_namespaces, running)))


def _forked(does: Callable[[], int]) -> int:
    """What comes of it in a child: its exit code, or 128 and its signal."""
    child = os.fork()
    if child == 0:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        try:
            os._exit(does())
        finally:
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


if __name__ == "__main__":
    os._exit(main())

"""The confinement of the code interpreter: one test for each way out, as root, as a user, and without namespaces.

Each run is a real one, of code that tries to get out. Where the kernel cannot confine code the tests are left out, all
but those of the refusal.
"""

from __future__ import annotations

import functools
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openresponses_kit
import pytest
from openresponses_kit.gateway.tools import PythonInterpreter
from scripted_model import ScriptedModel, ask, calls, says

PLACE = Path(openresponses_kit.__file__).parent / "gateway" / "tools"
MODES = ("as_is", "user", "bare")
SECRET = "a-secret-of-the-server"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="code is confined by the Linux kernel")


@functools.cache
def python_of(mode: str) -> str:
    """A Python that the user of the mode can read; that of root may lie in the home of root."""
    if mode == "as_is" or os.geteuid() != 0 or Path(sys.base_prefix).stat().st_uid != 0:
        return sys.executable
    folders = [Path(sys.base_prefix), *Path(sys.base_prefix).parents]
    return sys.executable if all(each.stat().st_mode & 0o005 == 5 for each in folders) else "/usr/bin/python3"


def run(mode: str, code: str, *, environment: dict[str, str] | None = None, **limits: Any) -> dict[str, Any]:
    """What comes of code, run in a process of its own with a secret in its environment."""
    given = {"code": code, "limits": {"seconds": 20.0, "cpu_seconds": 10, **limits}}
    done = subprocess.run(
        [python_of(mode), "-B", str(Path(__file__).with_name("confined_run.py")), str(PLACE), mode],
        input=json.dumps(given),
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
        cwd="/",
        env={"SECRET": SECRET, **(environment or {})},
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@functools.cache
def refusal(mode: str) -> str | None:
    refused: str | None = run(mode, "").get("refused")
    return refused


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    mode: str = request.param
    if (reason := refusal(mode)) is not None:
        pytest.skip(f"code cannot be confined here: {reason}")
    return mode


def test_code_runs(mode: str) -> None:
    """Output, errors and the value of the last expression come back, and files in the folder work."""
    code = (
        "import os, sys, json, decimal, hashlib, random, shutil, sqlite3\n"
        "print('out')\nprint('err', file=sys.stderr, flush=True)\n"
        "os.mkdir('d'); open('d/a', 'w').write('x'); shutil.copy('d/a', 'd/b'); os.rename('d/b', 'c')\n"
        "sqlite3.connect('base.db').execute('create table t (x)')\n"
        "(open('c').read(), sorted(os.listdir()))"
    )
    ended = run(mode, code)
    assert sorted(ended["output"].splitlines()) == sorted(["out", "err", "('x', ['base.db', 'c', 'd'])"]), ended
    assert (ended["exit_code"], ended["ending"]) == (0, None)


def test_an_error_of_the_code_is_told_as_python_does(mode: str) -> None:
    """The traceback begins with the code, and the exit code tells."""
    ended = run(mode, "def f():\n    1 / 0\nf()")
    assert ended["output"].startswith('Traceback (most recent call last):\n  File "<code>", line 3, in <module>')
    assert "ZeroDivisionError" in ended["output"]
    assert ended["exit_code"] == 1
    assert run(mode, "1 +")["output"].rstrip().endswith("SyntaxError: invalid syntax")
    assert run(mode, "import sys; sys.exit(7)")["exit_code"] == 7


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A port of the machine that takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


REFUSED = "PermissionError"
LIBC = "import ctypes, os\nl = ctypes.CDLL(None, use_errno=True)\n"
TOLD = " < 0: raise OSError(ctypes.get_errno(), 'told')"
ESCAPES = {
    # the network
    "tcp": ("import socket\nsocket.create_connection(('127.0.0.1', PORT), 2)", REFUSED),
    "tcp6": ("import socket\nsocket.socket(socket.AF_INET6)", REFUSED),
    "udp": ("import socket\ns = socket.socket(type=socket.SOCK_DGRAM)\ns.sendto(b'x', ('127.0.0.1', PORT))", REFUSED),
    "raw": ("import socket\nsocket.socket(socket.AF_INET, socket.SOCK_RAW, 1)", REFUSED),
    "unix": ("import socket\nsocket.socket(socket.AF_UNIX).connect('\\0hidden')", REFUSED),
    "netlink": ("import socket\nsocket.socket(socket.AF_NETLINK, socket.SOCK_RAW)", REFUSED),
    "dns": ("import socket\nsocket.getaddrinfo('example.com', 80)", "gaierror"),
    "pair": ("import socket\na, b = socket.socketpair()\na.connect('/run/systemd/notify')", REFUSED),
    # reading
    "passwd": ("open('/etc/passwd').read()", REFUSED),
    "environ of the parent": ("open('/proc/PARENT/environ').read()", "Error"),
    "own environ": ("open('/proc/self/environ').read()", REFUSED),
    "memory of the parent": ("open('/proc/PARENT/mem', 'rb').read()", "Error"),
    "home": ("import os\nos.listdir('/root')", REFUSED),
    "root": ("import os\nos.listdir('/')", REFUSED),
    "dots": ("open('../../../../etc/hostname').read()", REFUSED),
    "link": ("import os\nos.symlink('/etc/passwd', 'p')\nopen('p').read()", REFUSED),
    "hard link": ("import os\nos.link('/etc/passwd', 'p')", "Error"),
    "project": ("open('HERE').read()", REFUSED),
    "temporary": ("import os\nos.listdir('/tmp')", REFUSED),
    "handle": (f"{LIBC}if l.syscall(304, -100, None, 0){TOLD}", REFUSED),
    # writing
    "write": ("open('/tmp/escaped', 'w')", REFUSED),
    "append": ("open('/etc/passwd', 'a')", REFUSED),
    "shared memory": ("open('/dev/shm/escaped', 'w')", REFUSED),
    "rename out": ("import os\nopen('a', 'w').close()\nos.rename('a', '/tmp/escaped')", "Error"),
    "truncate": ("import os\nos.truncate('WRITABLE', 0)", REFUSED),
    "remove": ("import os\nos.remove('WRITABLE')", REFUSED),
    "write to all": ("open('WRITABLE', 'w')", REFUSED),
    "make": ("import os\nos.mkdir('/tmp/escaped')", REFUSED),
    "device": ("import os, stat\nos.mknod('d', 0o600 | stat.S_IFBLK, os.makedev(254, 0))", REFUSED),
    "mount": (f"{LIBC}if l.mount(b'/', b'.', b'', 4096, None){TOLD}", REFUSED),
    "chroot": ("import os\nos.chroot('.')", REFUSED),
    "unshare": (f"{LIBC}if l.unshare(0x10000000){TOLD}", REFUSED),
    # processes
    "fork": ("import os\nwhile True: os.fork()", REFUSED),
    "setsid": ("import os\nos.setsid()", REFUSED),
    "group": ("import os\nos.setpgid(0, 0)", REFUSED),
    "program": ("import subprocess\nsubprocess.run(['/bin/sh', '-c', 'id'])", "Error"),
    "exec": ("import os\nos.execv('/bin/sh', ['sh'])", REFUSED),
    "spawn": ("import os\nos.posix_spawn('/bin/sh', ['sh'], {})", REFUSED),
    "kill": ("import os\nos.kill(PARENT, 9)", REFUSED),
    "kill all": ("import os\nos.kill(-1, 9)", REFUSED),
    "kill group": ("import os\nos.killpg(0, 9)", REFUSED),
    "signal by pipe": ("import fcntl, os\nfcntl.fcntl(os.pipe()[0], fcntl.F_SETOWN, PARENT)", REFUSED),
    "limits": ("import resource\nresource.prlimit(PARENT, resource.RLIMIT_NOFILE, (0, 0))", REFUSED),
    "own limits": ("import resource\nresource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40))", "ValueError"),
    "affinity": ("import os\nos.sched_setaffinity(PARENT, {0})", REFUSED),
    "priority": ("import os\nos.setpriority(os.PRIO_PROCESS, PARENT, 19)", REFUSED),
    "ptrace": (f"{LIBC}if l.ptrace(16, PARENT, 0, 0){TOLD}", REFUSED),
    "read memory": (f"{LIBC}if l.process_vm_readv(PARENT, None, 0, None, 0, 0){TOLD}", REFUSED),
    "asynchronous calls": (f"{LIBC}if l.syscall(425, 8, bytes(120)){TOLD}", REFUSED),
    "new calls": (f"{LIBC}if l.syscall(467, 0, 0){TOLD}", "told"),
    "hidden memory": ("import os\nos.memfd_create('m')", REFUSED),
}  # fmt: skip


@pytest.mark.parametrize("escape", ESCAPES)
def test_there_is_no_way_out(mode: str, escape: str, port: int, tmp_path: Path) -> None:
    """Each way out is refused by the kernel, and leaves nothing behind it."""
    writable = tmp_path / "writable"
    writable.write_text("kept")
    writable.chmod(0o666)
    tmp_path.chmod(0o777)
    code, told = ESCAPES[escape]
    for name, value in {"PORT": port, "HERE": __file__, "WRITABLE": writable}.items():
        code = code.replace(name, str(value))
    ended = run(mode, code)
    assert "refused" not in ended, ended
    assert told in ended["output"], ended
    assert ended["exit_code"] == 1
    assert writable.read_text() == "kept"
    assert not Path("/tmp/escaped").exists()
    assert SECRET not in ended["output"]


def test_permissions_outside_stay(mode: str, tmp_path: Path) -> None:
    """To change permissions and times does nothing, anywhere."""
    file = tmp_path / "file"
    file.write_text("")
    file.chmod(0o644)
    if os.geteuid() == 0 and mode != "as_is":
        os.chown(file, 65534, 65534)
    before = file.stat()
    path = str(file)
    assert run(mode, f"import os\nos.chmod({path!r}, 0o777)\nos.utime({path!r}, (1, 1))")["exit_code"] == 0
    assert (file.stat().st_mode, file.stat().st_mtime) == (before.st_mode, before.st_mtime)


def test_the_environment_is_empty(mode: str) -> None:
    """Secrets of the server are not handed on."""
    ended = run(mode, "import os\nprint({k: v for k, v in os.environ.items() if k != 'LC_CTYPE'})")
    assert ended["output"] == "{}\n"


def test_no_file_of_the_server_is_open(mode: str) -> None:
    """Beside the three that every process has, nothing is inherited."""
    code = (
        "import os\nfound = []\nfor n in range(3, 64):\n  try: os.fstat(n); found.append(n)\n"
        "  except OSError: pass\nfound"
    )
    assert run(mode, code)["output"] == "[]\n"


def test_memory_is_limited(mode: str) -> None:
    """More than the limit cannot be had, at once or bit by bit."""
    assert "MemoryError" in run(mode, "x = bytearray(1 << 30)")["output"]
    assert run(mode, "x = []\nwhile True: x.append(bytearray(1 << 20))")["exit_code"] != 0


@pytest.mark.parametrize("loop", ["while True: pass", "import time\nwhile True: time.sleep(1)", "input = 9 ** 9 ** 9"])
def test_an_endless_loop_is_stopped(mode: str, loop: str) -> None:
    """By the clock, even where it computes nothing, or holds the interpreter."""
    ended = run(mode, f"print('begun', flush=True)\n{loop}", seconds=1.0)
    assert (ended["output"], ended["exit_code"]) == ("begun\n", None)
    assert "stopped after 1 seconds" in ended["ending"]


def test_computing_time_is_limited(mode: str) -> None:
    """Also where the clock allows more; to pass over the signal does not help."""
    code = "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass"
    assert "computing time" in run(mode, code, cpu_seconds=1)["ending"]


@pytest.mark.parametrize("flood", ["while True: print('x' * 1000)", "import os\nwhile True: os.write(2, b'x' * 65536)"])
def test_a_flood_of_output_is_stopped(mode: str, flood: str) -> None:
    """What was written up to the limit is told."""
    ended = run(mode, flood, output_bytes=10_000)
    assert len(ended["output"]) == 10_000
    assert "10000 bytes" in ended["ending"]


def test_files_are_limited(mode: str) -> None:
    """In size and in number."""
    code = "for _ in range(2): open('a', 'ab', 0).write(bytes(8192))"
    assert "File too large" in run(mode, code, folder_bytes=8192)["output"]
    code = "files = []\nwhile True: files.append(open('/dev/null'))"
    assert "Too many open files" in run(mode, code)["output"]


def test_threads_are_limited(mode: str) -> None:
    """There are some, or none; never many."""
    code = (
        "import threading\nthreading.stack_size(65536)\nstop = threading.Event()\ncount = 0\ntry:\n"
        "  for _ in range(3000): threading.Thread(target=stop.wait).start(); count += 1\n"
        "except RuntimeError: pass\nstop.set()\nprint(count < 1000)"
    )
    assert run(mode, code)["output"] == "True\n"


def test_children_do_not_survive(mode: str) -> None:
    """Whatever it begins in the background ends with it: a fork is refused, a thread dies."""
    code = (
        "import os, threading, time\ntry:\n  os.fork()\n  os.setsid()\nexcept PermissionError: print('refused')\n"
        "def later():\n  time.sleep(60)\ntry: threading.Thread(target=later, daemon=False).start()\n"
        "except RuntimeError: pass"
    )
    ended = run(mode, code)
    assert (ended["output"], ended["has_children"]) == ("refused\n", False)


def test_a_machine_that_cannot_confine_runs_nothing(tmp_path: Path) -> None:
    """A promise that the kernel does not keep is told, and the code is not run."""
    program = PLACE / "_confined_program.py"
    crippled = tmp_path / "tools"
    crippled.mkdir()
    source = program.read_text().replace("_LEAST_LANDLOCK = 3", "_LEAST_LANDLOCK = 1000")
    (crippled / program.name).write_text(source)
    for name in ("_system_calls.py", "confinement.py"):
        (crippled / name).write_text((PLACE / name).read_text())
    given: dict[str, Any] = {"code": "print('ran')", "limits": {}}
    done = subprocess.run(
        [sys.executable, "-B", str(Path(__file__).with_name("confined_run.py")), str(crippled), "as_is"],
        input=json.dumps(given), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "Linux 6.2" in json.loads(done.stdout)["refused"]


def test_x3_the_interpreter_in_the_loop() -> None:
    """Its state is streamed, the receipt has code and output, and can be handed back."""
    if (reason := refusal("as_is")) is not None:
        pytest.skip(reason)
    model = ScriptedModel(calls(("python", json.dumps({"code": "6 * 7"})), ids=["c1"]), says("ok"))
    tool = PythonInterpreter(enabled=True)
    answer = ask(model, tool, tools=[{"type": "gateway:code_interpreter"}])
    item = answer.output[0]
    assert len(answer.named("gateway:code_interpreter_call.interpreting")) == 1
    assert (item["type"], item["code"]) == ("gateway:code_interpreter_call", "6 * 7")
    assert item["outputs"] == [{"type": "logs", "logs": "42\n"}]
    assert model.told[1][-1]["output"] == "42\n"
    receipt = tool.receipt(item)
    assert receipt is not None
    assert (receipt.call.arguments, receipt.output) == ('{"code":"6 * 7"}', "42\n")


def test_the_interpreter_is_off_as_it_comes() -> None:
    """Nobody gets it by accident."""
    model = ScriptedModel(calls(("python", '{"code": "1"}')), says("ok"))
    answer = ask(model, PythonInterpreter(), tools=[{"type": "gateway:code_interpreter"}])
    assert "switched off" in answer.output[0]["error"]

"""What confined code may not ask of the kernel, as a seccomp filter.

This file runs as a part of a program of its own, isolated from the package: it imports the standard
library only. Numbers are those of x86-64 and of AArch64; elsewhere there is no filter.
"""

import ctypes
import errno
import os
import platform
import struct

_EVERYWHERE = {
    424: "pidfd_send_signal",
    425: "io_uring_setup",
    426: "io_uring_enter",
    427: "io_uring_register",
    428: "open_tree",
    429: "move_mount",
    430: "fsopen",
    431: "fsconfig",
    432: "fsmount",
    433: "fspick",
    434: "pidfd_open",
    438: "pidfd_getfd",
    440: "process_madvise",
    442: "mount_setattr",
    443: "quotactl_fd",
    447: "memfd_secret",
    448: "process_mrelease",
}
"""Refused; these have the same number on every architecture, and so have the calls after 423."""

_CLONE3 = 435
_FCHMODAT2 = 452
_LAST_KNOWN = 462

_REFUSED = {
    # processes, and signals to them
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "kill": (62, 129),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "setpgid": (109, 154),
    "setsid": (112, 157),
    "setpriority": (141, 140),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "ioprio_set": (251, 30),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    # the network; a pair of sockets is not of the network
    "socket": (41, 198),
    "connect": (42, 203),
    # memory that no limit counts
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    "memfd_create": (319, 279),
    "io_setup": (206, 0),
    "vmsplice": (278, 75),
    # files by other ways than their path, and what Landlock does not see
    "truncate": (76, 45),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "inotify_add_watch": (254, 27),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    # the system
    "unshare": (272, 97),
    "setns": (308, 268),
    "chroot": (161, 51),
    "pivot_root": (155, 41),
    "mount": (165, 40),
    "umount2": (166, 39),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "quotactl": (179, 60),
    "acct": (163, 89),
    "reboot": (169, 142),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "syslog": (103, 116),
    "vhangup": (153, 58),
    "personality": (135, 92),
    "modify_ldt": (154, None),
    "iopl": (172, None),
    "ioperm": (173, None),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "seccomp": (317, 277),
}
"""By name: the numbers on x86-64 and AArch64."""

_PASSED_OVER = {
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
}
"""Done without doing anything: Landlock does not see them, and copying files needs them."""

_CLONE = (56, 220)
_TGKILL = (234, 131)
_PRLIMIT = (302, 261)
_FCNTL = (72, 25)
_IOCTL = (16, 29)
_CLONE_THREAD = 0x10000
_SIGNALLING_FCNTLS = (8, 10, 15)  # F_SETOWN, F_SETSIG, F_SETOWN_EX
_REFUSED_IOCTLS = (0x8901, 0x8902, 0x5412)  # FIOSETOWN, SIOCSPGRP, TIOCSTI
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

_LOAD, _EQUAL, _GREATER, _BITS, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_KILL, _ALLOW, _ERRNO = 0x80000000, 0x7FFF0000, 0x00050000
_NUMBER, _ARCHITECTURE, _FIRST, _SECOND = 0, 4, 16, 24
_PR_SET_SECCOMP, _MODE_FILTER = 22, 2


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


class _Filter:
    """A program for the kernel, line by line."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def add(self, code: int, value: int, on_true: int = 0, on_false: int = 0) -> None:
        self.lines.append(struct.pack("=HBBI", code, on_true, on_false, value))

    def refuse(self, number: int | None, error: int) -> None:
        """Answer a call with an error; 0 stands for success."""
        if number is not None:
            self.add(_EQUAL, number, 0, 1)
            self.add(_RETURN, _ERRNO | error)

    def refuse_values(self, number: int, offset: int, values: tuple[int, ...]) -> None:
        """Refuse a call if its argument is one of these values."""
        self.add(_EQUAL, number, 0, 2 + 2 * len(values))
        self.add(_LOAD, offset)
        for value in values:
            self.refuse(value, errno.EPERM)
        self.add(_LOAD, _NUMBER)

    def require(self, number: int, test: int, value: int) -> None:
        """Allow a call if its first argument stands the test, refuse it otherwise."""
        self.add(_EQUAL, number, 0, 4)
        self.add(_LOAD, _FIRST)
        self.add(test, value, 0, 1)
        self.add(_RETURN, _ALLOW)
        self.add(_RETURN, _ERRNO | errno.EPERM)


def filter_calls(libc: ctypes.CDLL, *, allows_threads: bool) -> None:
    """Put the filter on this process, for good.

    Raises `OSError` where the kernel does not take it or the machine is not known.
    """
    if platform.machine() not in _MACHINES:
        raise OSError(f"there is no list of system calls for {platform.machine()}")
    column, architecture = _MACHINES[platform.machine()]
    rules = _Filter()
    rules.add(_LOAD, _ARCHITECTURE)
    rules.add(_EQUAL, architecture, 1, 0)
    rules.add(_RETURN, _KILL)
    rules.add(_LOAD, _NUMBER)
    rules.add(_GREATER, _LAST_KNOWN, 0, 1)
    rules.add(_RETURN, _ERRNO | errno.ENOSYS)
    for numbers in _REFUSED.values():
        rules.refuse(numbers[column], errno.EPERM)
    for number in _EVERYWHERE:
        rules.refuse(number, errno.EPERM)
    for numbers in _PASSED_OVER.values():
        rules.refuse(numbers[column], 0)
    rules.refuse(_FCHMODAT2, 0)
    rules.refuse(_CLONE3, errno.ENOSYS)  # The C library then makes threads by `clone`.
    if not allows_threads:
        rules.refuse(_CLONE[column], errno.EPERM)
    rules.require(_CLONE[column], _BITS, _CLONE_THREAD)
    rules.require(_TGKILL[column], _EQUAL, os.getpid())
    rules.require(_PRLIMIT[column], _EQUAL, 0)
    rules.refuse_values(_FCNTL[column], _SECOND, _SIGNALLING_FCNTLS)
    rules.refuse_values(_IOCTL[column], _SECOND, _REFUSED_IOCTLS)
    rules.add(_RETURN, _ALLOW)
    program = _Program(len(rules.lines), b"".join(rules.lines))
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the kernel takes no filter of system calls (seccomp)")

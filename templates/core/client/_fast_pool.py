"""Connections of the sync transport, and the pool that keeps them for the next request.

Every method may be called from any thread.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import suppress
from typing import NamedTuple

import httpx2

_READ_BYTES = 64 * 1024


class Origin(NamedTuple):
    """Where a request goes."""

    scheme: str
    host: str
    port: int


class Connection:
    """One connection to an origin, opened by whoever takes it from the pool first."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.was_used = False
        """Whether an answer came over it before."""
        self.idle_since = 0.0
        self._socket: socket.socket | None = None
        self._is_closed = False
        # Held while the socket is in use: were it closed meanwhile, its number could already
        # belong to another socket.
        self._in_use = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether it was connected."""
        return self._socket is not None

    def connect(self, host: str, port: int, timeout: float | None) -> None:
        """Connect; raises `httpx2.ConnectTimeout` or `httpx2.ConnectError`."""
        try:
            connected = socket.create_connection((host, port), timeout)
        except TimeoutError as error:
            raise httpx2.ConnectTimeout(f"Connecting took longer than {timeout} s") from error
        except (OSError, UnicodeError) as error:
            raise httpx2.ConnectError(str(error)) from error
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._adopt(connected)

    def secure(self, context: ssl.SSLContext, host: str, timeout: float | None) -> None:
        """Speak TLS from here on; raises as `connect` does."""
        plain = self._opened()
        try:
            plain.settimeout(timeout)
            secured = context.wrap_socket(plain, server_hostname=host)
        except TimeoutError as error:
            raise httpx2.ConnectTimeout(f"The handshake took longer than {timeout} s") from error
        except (OSError, ValueError) as error:
            raise httpx2.ConnectError(str(error)) from error
        self._adopt(secured)

    def send(self, data: bytes, timeout: float | None) -> None:
        """Send all of it, each part within the timeout.

        Raises `httpx2.WriteTimeout` or `httpx2.WriteError`.
        """
        left = memoryview(data)
        with self._in_use:
            opened = self._opened()
            try:
                opened.settimeout(timeout)
                while left:
                    left = left[opened.send(left) :]
            except TimeoutError as error:
                raise httpx2.WriteTimeout(f"Nothing could be sent for {timeout} s") from error
            except OSError as error:
                raise httpx2.WriteError(str(error)) from error

    def wait_at_most(self, timeout: float | None) -> None:
        """How long `receive` waits, in seconds; None is without limit."""
        with self._in_use, suppress(OSError):
            self._opened().settimeout(timeout)

    def receive(self) -> bytes:
        """What has arrived, at least one byte; nothing if the server closed the connection.

        Raises `httpx2.ReadTimeout` or `httpx2.ReadError`.
        """
        with self._in_use:
            try:
                data = self._opened().recv(_READ_BYTES)
            except TimeoutError as error:
                raise httpx2.ReadTimeout("Nothing arrived within the read timeout") from error
            except OSError as error:
                raise httpx2.ReadError(str(error)) from error
        if self._is_closed:
            # Not to be taken for the end of a body.
            raise httpx2.ReadError("The connection was closed on this side")
        return data

    def is_quiet(self) -> bool:
        """Whether it is open and nothing has arrived: an idle connection of any use."""
        with self._in_use:
            try:
                opened = self._opened()
                opened.settimeout(0)
                # Below TLS, which cannot look without taking.
                socket.socket.recv(opened, 1, socket.MSG_PEEK)
            except BlockingIOError:
                return True
            except OSError:
                return False
        return False

    def close(self) -> None:
        """Close it, also while another thread waits for what arrives."""
        self._is_closed = True
        opened = self._socket
        if opened is None:
            return
        with suppress(OSError):
            # Not the method of TLS sockets: it takes TLS away under a thread that reads.
            socket.socket.shutdown(opened, socket.SHUT_RDWR)
        with self._in_use:
            opened.close()

    def _adopt(self, opened: socket.socket) -> None:
        with self._in_use:
            self._socket = opened
            if self._is_closed:
                opened.close()
                raise httpx2.ConnectError("The connection was closed on this side")

    def _opened(self) -> socket.socket:
        if self._socket is None:
            raise httpx2.ConnectError("The connection is not open")
        return self._socket


class Pool:
    """The connections of a transport: so many at most, and so many of them idle for so long."""

    def __init__(self, limits: httpx2.Limits) -> None:
        self._limits = limits
        self._changed = threading.Condition()
        self._busy: set[Connection] = set()
        self._idle: list[Connection] = []
        self._is_closed = False

    def take(self, origin: Origin, timeout: float | None, *, new: bool = False) -> Connection:
        """An idle connection to the origin, or one that is still to be opened; `new` asks for that.

        Waits while as many as allowed are busy. Raises `httpx2.PoolTimeout` when that takes longer
        than the timeout, in seconds, and RuntimeError once the pool is closed.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while True:
                if self._is_closed:
                    raise RuntimeError("The transport was closed; make a new one")
                connection = None if new else self._idle_one(origin)
                if connection is None and self._has_room():
                    connection = Connection(origin)
                if connection is not None:
                    self._busy.add(connection)
                    return connection
                left = None if deadline is None else deadline - time.monotonic()
                if not self._changed.wait(left):
                    raise httpx2.PoolTimeout(f"All connections were busy for {timeout} s")

    def give_back(self, connection: Connection, *, reusable: bool) -> None:
        """End the use of a connection: it becomes idle, or is closed."""
        with self._changed:
            self._busy.discard(connection)
            if reusable and not self._is_closed:
                connection.was_used = True
                connection.idle_since = time.monotonic()
                self._idle.append(connection)
                most = self._limits.max_keepalive_connections
                while most is not None and len(self._idle) > most:
                    self._idle.pop(0).close()
            else:
                connection.close()
            self._changed.notify()

    def close(self) -> None:
        """Close all connections, busy ones too, and give no more."""
        with self._changed:
            self._is_closed = True
            for connection in (*self._busy, *self._idle):
                connection.close()
            self._idle.clear()
            self._changed.notify_all()

    def _idle_one(self, origin: Origin) -> Connection | None:
        """The one used last, of those to the origin that are of any use still."""
        expiry = self._limits.keepalive_expiry
        oldest = None if expiry is None else time.monotonic() - expiry
        while self._idle and oldest is not None and self._idle[0].idle_since < oldest:
            self._idle.pop(0).close()
        for connection in [each for each in reversed(self._idle) if each.origin == origin]:
            self._idle.remove(connection)
            if connection.is_quiet():
                return connection
            connection.close()
        return None

    def _has_room(self) -> bool:
        """Whether one more may be opened; an idle one to somewhere else makes room."""
        most = self._limits.max_connections
        if most is None or len(self._busy) + len(self._idle) < most:
            return True
        if self._idle:
            self._idle.pop(0).close()
            return True
        return False

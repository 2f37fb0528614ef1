"""A server on loopback that sends exactly the bytes it is told to, and remembers what it was sent."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self, TypeAlias

Talk: TypeAlias = "Callable[[Peer], None]"
"""What the server does with a connection."""


class Peer:
    """The server's end of one connection."""

    def __init__(self, connection: socket.socket, server: ByteServer) -> None:
        self._connection = connection
        self._server = server
        self._unread = b""

    def request(self) -> bytes | None:
        """The next request, body included; None when the client has closed the connection."""
        while b"\r\n\r\n" not in self._unread:
            if not self._receive():
                return None
        head, _, _ = self._unread.partition(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        size = len(head) + 4 + sum(int(line.partition(b":")[2]) for line in lengths)
        while len(self._unread) < size:
            if not self._receive():
                return None
        request, self._unread = self._unread[:size], self._unread[size:]
        self._server.requests.append(request)
        return request

    def give_back(self, data: bytes) -> None:
        """Have this read next."""
        self._unread = data + self._unread

    def send(self, *pieces: bytes) -> None:
        """Send each piece in a call of its own."""
        for piece in pieces:
            self._connection.sendall(piece)

    def wait_for_end(self) -> None:
        """Wait until the client closes the connection."""
        while self._receive():
            pass

    def close(self) -> None:
        """Close the connection from this side; the client is told before this returns."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def reset(self) -> None:
        """Break the connection."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._connection.close()

    def tunnel(self, host: str, port: int) -> None:
        """Pass everything on in both directions until either side ends."""
        with socket.create_connection((host, port)) as other:
            backwards = threading.Thread(target=_pump, args=(other, self._connection))
            backwards.start()
            other.sendall(self._unread)
            self._unread = b""
            _pump(self._connection, other)
            backwards.join()

    def _receive(self) -> bool:
        data = self._connection.recv(65536)
        self._unread += data
        return bool(data)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


class ByteServer:
    """Talks to each connection in a thread of its own, until the context is left."""

    def __init__(self, talk: Talk, tls: ssl.SSLContext | None = None) -> None:
        self._talk = talk
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._is_stopping = False
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}/"
        self.requests: list[bytes] = []
        """What was read, in order of arrival."""
        self.ended = threading.Semaphore(0)
        """Released whenever the talk over a connection is over."""

    @property
    def connections(self) -> int:
        """How many connections there were."""
        return len(self._sockets)

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_stopping = True
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._threads[0].join()
        for each in self._sockets:
            with suppress(OSError):
                socket.socket.shutdown(each, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        assert not any(thread.is_alive() for thread in self._threads)

    def _accept(self) -> None:
        with self._listener:
            while True:
                connection, _ = self._listener.accept()
                if self._is_stopping:
                    connection.close()
                    return
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._sockets.append(connection)
                thread = threading.Thread(target=self._serve, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            if self._tls:
                with self._tls.wrap_socket(connection, server_side=True) as secured:
                    self._sockets[self._sockets.index(connection)] = secured
                    self._talk(Peer(secured, self))
            else:
                self._talk(Peer(connection, self))
        self.ended.release()


def answering(*pieces: bytes, closing: bool = False) -> Talk:
    """Answers every request with the same bytes; may close the connection after the first."""

    def talk(peer: Peer) -> None:
        while peer.request() is not None:
            peer.send(*pieces)
            if closing:
                return

    return talk


def sized(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    """A whole answer of known length."""
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join([*lines, b"", body])


def chunked(*chunks: bytes, trailer: bytes = b"", headers: bytes = b"") -> bytes:
    """A whole answer in chunks."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + headers + b"\r\n"
    return head + b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in chunks) + b"0\r\n" + trailer + b"\r\n"

"""A server of long answers, in a process of its own, so that its work is not counted as that of clients.

`python answer_server.py` prints the port that it listens on; it ends when its standard input is closed.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from long_answers import long_answer, text_stream

CHUNK_BYTES = 64 * 1024
PAUSE_SECONDS = 0.0002
"""Between two events that are sent one by one: long enough for the slowest client to be waiting for the next."""


@contextmanager
def answering() -> Iterator[str]:
    """Run the server; gives the URL below which its answers are: `/whole`, `/burst` and `/single`."""
    command = [sys.executable, str(Path(__file__))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.stdin.close()


def main() -> None:
    """Serve until standard input is closed."""
    events, answer = text_stream(), long_answer()
    whole = b"".join(events)
    burst = b"".join(_chunk(whole[start : start + CHUNK_BYTES]) for start in range(0, len(whole), CHUNK_BYTES))
    apart = [_head("text/event-stream", "Transfer-Encoding: chunked"), *map(_chunk, events), _chunk(b"")]
    answers = {
        "whole": ([_head("application/json", f"Content-Length: {len(answer)}") + answer], 0.0),
        "burst": ([_head("text/event-stream", "Transfer-Encoding: chunked") + burst + _chunk(b"")], 0.0),
        "single": (apart, 0.0),
        "paced": (apart, PAUSE_SECONDS),
    }
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_serve, args=(connection, answers), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()


def _serve(connection: socket.socket, answers: dict[str, tuple[list[bytes], float]]) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection, connection.makefile("rb") as requests:
        while line := requests.readline():
            name = line.split()[1].decode().split("/")[1]
            length = 0
            while (header := requests.readline()) != b"\r\n":
                key, _, value = header.partition(b":")
                if key.lower() == b"content-length":
                    length = int(value)
            requests.read(length)
            pieces, pause = answers[name]
            try:
                for piece in pieces:
                    connection.sendall(piece)
                    if pause:
                        time.sleep(pause)
            except ConnectionError:
                return


def _head(kind: str, framing: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{framing}\r\n\r\n".encode()


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


if __name__ == "__main__":
    main()

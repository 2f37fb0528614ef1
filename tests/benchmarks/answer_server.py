"""A server of long answers, in a process of its own, so that its work is not counted as a client's.

`python answer_server.py` prints the port of 127.0.0.1 that it listens on, and ends when its standard input does. Below
each of these paths it gives one answer to whatever is sent:

- `/brief`: a response with one message;
- `/whole`: the response of one megabyte;
- `/burst`: the stream of events, in chunks of 64 KiB, as a proxy hands on what has gathered;
- `/single`: the stream with one chunk and one `send` for each event, as fast as the socket takes them. TCP_NODELAY is
  set, but the network stack may join what a slow client has not read yet; what it reads are 5,009 chunks still;
- `/pauses`: as `/single`, with a pause after each event, so that the client waits for each. A reader of the bare
  socket sees 4,970 and more pieces.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeAlias

from answers import brief_answer, long_answer, text_stream

CHUNK_BYTES = 64 * 1024
PAUSE_SECONDS = 0.0002

Answer: TypeAlias = tuple[list[bytes], float]
"""What to send, and how many seconds to wait after each piece."""


@contextmanager
def answering() -> Iterator[str]:
    """Run the server; gives its URL."""
    command = [sys.executable, str(Path(__file__))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()


def main() -> None:
    """Serve until standard input is closed."""
    answers = _answers()
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    threading.Thread(target=_accept, args=(listener, answers), daemon=True).start()
    sys.stdin.read()


def _answers() -> dict[str, Answer]:
    events = text_stream()
    whole = b"".join(events)
    chunks = [_chunk(whole[start : start + CHUNK_BYTES]) for start in range(0, len(whole), CHUNK_BYTES)]
    head, end = _head("text/event-stream", "Transfer-Encoding: chunked"), _chunk(b"")
    single = [head, *map(_chunk, events), end]
    return {
        "brief": ([_json(brief_answer())], 0),
        "whole": ([_json(long_answer())], 0),
        "burst": ([b"".join([head, *chunks, end])], 0),
        "single": (single, 0),
        "pauses": (single, PAUSE_SECONDS),
    }


def _accept(listener: socket.socket, answers: Mapping[str, Answer]) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_serve, args=(connection, answers), daemon=True).start()


def _serve(connection: socket.socket, answers: Mapping[str, Answer]) -> None:
    """Answer requests until the client goes away, which is at once after `[DONE]` for some."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        with connection, connection.makefile("rb") as requests:
            while name := _read_request(requests):
                pieces, pause = answers[name]
                for piece in pieces:
                    connection.sendall(piece)
                    if pause:
                        time.sleep(pause)
    except ConnectionError:
        pass


def _read_request(requests: BinaryIO) -> str:
    """Read a request to its end; gives the first part of its path, nothing when there is none."""
    line = requests.readline()
    length = 0
    while (header := requests.readline()) not in {b"\r\n", b""}:
        name, _, value = header.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    requests.read(length)
    return line.split()[1].decode().split("/")[1] if line else ""


def _json(answer: bytes) -> bytes:
    return _head("application/json", f"Content-Length: {len(answer)}") + answer


def _head(kind: str, framing: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{framing}\r\n\r\n".encode()


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


if __name__ == "__main__":
    main()

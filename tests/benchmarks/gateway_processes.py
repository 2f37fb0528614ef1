"""A model behind Chat Completions, and the gateways that turn it into Open Responses, each in a process of its own.

`python gateway_processes.py upstream` is the model: it streams the same chunks to every request, one write each, as
Chat Completions or as Open Responses. `python gateway_processes.py kit URL` is the generated gateway in front of it,
`relay URL` the same passing through what speaks Open Responses, and `proxy URL` passes bytes on and does nothing else.
They print their port, and end when their standard input does. The others are commands, in this environment or on the
`PATH`.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from bundled_spec import GENERATED

PIECES = 300
"""How many pieces of text the model gives."""
BRIEF = "brief"
"""The model that gives one piece, so that a stream costs little but its beginning."""
COMMANDS = {"LiteLLM": "litellm", "open-responses-server": "otc"}
"""What others are started by."""
_START_SECONDS = 120
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway that runs."""

    port: int
    path: str
    """Where responses are created."""
    process: int

    def seconds(self) -> float:
        """Processor time that the threads of the process have used."""
        tasks = Path(f"/proc/{self.process}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def memory(self) -> int:
        """Bytes of memory that the process holds."""
        return int(Path(f"/proc/{self.process}/statm").read_text().split()[1]) * 4096


def command_of(name: str) -> str | None:
    """The command that starts one of the others; None when it is not installed."""
    beside = Path(sys.executable).with_name(COMMANDS[name])
    return str(beside) if beside.is_file() else shutil.which(COMMANDS[name])


@contextmanager
def own(*arguments: str) -> Iterator[tuple[int, int]]:
    """Run one of the processes of this file: its port, and its number."""
    command = [sys.executable, "-W", "ignore", __file__, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline()), process.pid
        finally:
            process.stdin.close()


@contextmanager
def kit(upstream: int) -> Iterator[Gateway]:
    """The generated gateway."""
    with own("kit", f"http://127.0.0.1:{upstream}/v1") as (port, process):
        yield Gateway(port, "/v1/responses", process)


@contextmanager
def relay(upstream: int) -> Iterator[Gateway]:
    """The generated gateway, which passes through what the upstream answers."""
    with own("relay", f"http://127.0.0.1:{upstream}/v1") as (port, process):
        yield Gateway(port, "/v1/responses", process)


@contextmanager
def proxy(upstream: int) -> Iterator[Gateway]:
    """A plain proxy of bytes."""
    with own("proxy", f"http://127.0.0.1:{upstream}/v1") as (port, process):
        yield Gateway(port, "/v1/responses", process)


@contextmanager
def litellm(upstream: int) -> Iterator[Gateway]:
    """LiteLLM's proxy, with a provider that it converts for."""
    port = _free_port()
    model = {"model": "deepseek/m", "api_base": f"http://127.0.0.1:{upstream}/v1", "api_key": "none"}
    settings = {"model_list": [{"model_name": "m", "litellm_params": model}]}
    variables = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_TELEMETRY": "False",
        "LITELLM_LOG": "ERROR",
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
    }
    with TemporaryDirectory() as folder:
        Path(folder, "config.yaml").write_text(json.dumps(settings))
        arguments = ("--config", "config.yaml", "--host", "127.0.0.1", "--port", str(port))
        with _other("LiteLLM", arguments, variables, folder, f"http://127.0.0.1:{port}/health/liveliness") as process:
            yield Gateway(port, "/v1/responses", process)


@contextmanager
def open_responses_server(upstream: int) -> Iterator[Gateway]:
    """open-responses-server."""
    port = _free_port()
    variables = {
        "OPENAI_BASE_URL_INTERNAL": f"http://127.0.0.1:{upstream}",
        "OPENAI_BASE_URL": f"http://127.0.0.1:{port}",
        "OPENAI_API_KEY": "none",
        "API_ADAPTER_HOST": "127.0.0.1",
        "API_ADAPTER_PORT": str(port),
    }
    with TemporaryDirectory() as folder:
        url = f"http://127.0.0.1:{port}/health"
        with _other("open-responses-server", ("start",), variables, folder, url) as process:
            yield Gateway(port, "/responses", process)


@contextmanager
def _other(name: str, arguments: tuple[str, ...], variables: Mapping[str, str], folder: str, url: str) -> Iterator[int]:
    """Run a command until it answers: the number of its process."""
    command = command_of(name)
    assert command is not None
    quiet: Any = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environment = {**os.environ, **variables}
    with subprocess.Popen([command, *arguments], cwd=folder, env=environment, **quiet) as process:
        try:
            _wait(url, process)
            yield process.pid
        finally:
            process.kill()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + _START_SECONDS
    while True:
        try:
            build_opener(ProxyHandler({})).open(url, timeout=1).close()
        except (URLError, TimeoutError, ConnectionError):
            if process.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError(f"{process.args!r} does not start") from None
            time.sleep(0.2)
        else:
            return


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def _chunks(count: int) -> list[bytes]:
    """What the model streams, in the shape of vLLM."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1763800000, "model": "m"}

    def chunk(delta: Mapping[str, str], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return {**head, "choices": [choice]}

    usage = {"prompt_tokens": 10, "completion_tokens": count, "total_tokens": count + 10}
    said = [chunk({"content": f" word{number}"}) for number in range(count)]
    chunks = [chunk({"role": "assistant", "content": ""}), *said, chunk({}, "stop")]
    texts = [json.dumps(each).encode() for each in (*chunks, {**head, "choices": [], "usage": usage})]
    return [b"data: %b\n\n" % text for text in (*texts, b"[DONE]")]


def _events(count: int) -> list[bytes]:
    """The same answer as events of Open Responses."""
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    response = {"id": "resp_1", "object": "response", "status": "in_progress", "output": []}
    kinds = ["response.output_text.delta"] * count
    events: list[dict[str, Any]] = [
        {"type": kind, "sequence_number": number, **place, "delta": f" word{number}", "logprobs": []}
        for number, kind in enumerate(kinds, 1)
    ]
    first = {"type": "response.created", "sequence_number": 0, "response": response}
    last = {"type": "response.completed", "sequence_number": count + 1, "response": response}
    whole = [first, *events, last]
    frames = [b"event: %b\ndata: %b\n\n" % (each["type"].encode(), json.dumps(each).encode()) for each in whole]
    return [*frames, b"data: [DONE]\n\n"]


def _upstream() -> None:
    """The model: nothing but bytes made before."""

    def framed(pieces: list[bytes]) -> list[bytes]:
        return [b"%x\r\n%b\r\n" % (len(each), each) for each in pieces]

    made = {False: _chunks, True: _events}
    answers = {(kind, name): framed(make(count)) for kind, make in made.items() for name, count in _ANSWERS}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
                body = await reader.readexactly(length)
                writer.write(_HEAD)
                for chunk in answers[b"/responses " in head, BRIEF if BRIEF.encode() in body else "m"]:
                    writer.write(chunk)
                    await writer.drain()
                    await asyncio.sleep(0)  # a write of its own for each
                writer.write(b"0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def serve() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024)
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)

    asyncio.run(serve())


_ANSWERS = (("m", PIECES), (BRIEF, 1))


def _kit_app(url: str, *, passes: bool) -> Any:
    """The generated gateway, as `serve --upstream` runs it, but for the store."""
    sys.path.insert(0, str(GENERATED))
    from openresponses_kit.gateway import AgenticLoop, ChatCompletionsUpstream, ResponsesUpstream
    from openresponses_kit.server import create_app

    model = ResponsesUpstream(url) if passes else ChatCompletionsUpstream(url)
    return create_app(AgenticLoop(model), store=None)


def _proxy_app(url: str) -> Any:
    """What passes bytes on, as one would write it with Starlette and httpx2."""
    import httpx2
    from starlette.applications import Starlette
    from starlette.background import BackgroundTask
    from starlette.requests import Request
    from starlette.responses import StreamingResponse
    from starlette.routing import Route

    client = httpx2.AsyncClient(limits=httpx2.Limits(max_connections=None), timeout=600)

    async def forward(request: Request) -> StreamingResponse:
        sent = client.build_request("POST", f"{url}/responses", content=await request.body())
        answer = await client.send(sent, stream=True)
        kind = answer.headers["content-type"]
        done = BackgroundTask(answer.aclose)
        return StreamingResponse(answer.aiter_raw(), answer.status_code, media_type=kind, background=done)

    return Starlette(routes=[Route("/v1/responses", forward, methods=["POST"])])


def _serve(app: Any) -> None:
    import threading

    import uvicorn

    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", backlog=1024))

        def stop() -> None:
            sys.stdin.read()
            server.should_exit = True

        threading.Thread(target=stop, daemon=True).start()
        print(listener.getsockname()[1], flush=True)
        server.run(sockets=[listener])


if __name__ == "__main__":
    if sys.argv[1] == "upstream":
        _upstream()
    elif sys.argv[1] == "proxy":
        _serve(_proxy_app(sys.argv[2]))
    else:
        _serve(_kit_app(sys.argv[2], passes=sys.argv[1] == "relay"))

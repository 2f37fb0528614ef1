"""Runs the demonstration on uvicorn, as `python -m <package> serve`.

Rules kept here: S5 (running streams finish within a limit, or fail by the rules, when the server is
told to stop), T2 (a key, if one is given).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .app import ResponsesApp, create_app
from .demonstration import DemonstrationService
from .memory_store import MemoryStore
from .settings import ServerSettings
from .store import ResponseStore, StoreError
from .store_urls import default_store, open_store

if TYPE_CHECKING:
    import uvicorn

__all__ = ["main", "server_of"]

_PACKAGE = __name__.rpartition(".server.")[0]
_KEY_VARIABLE = "OPENRESPONSES_API_KEY"
_LEVELS = ("critical", "error", "warning", "info", "debug")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns the exit code: 0 when the server was told to stop, 1 when it could not start, 2 for
    wrong use.

    Args:
        arguments: Those of the command line; those of the process where none are given.
    """
    given = _parser().parse_args(arguments)
    try:
        import uvicorn
    except ImportError:
        return _refuse("uvicorn is not installed; install it, or the extra `server`", 1)
    try:
        store = open_store(given.store) if given.store else default_store()
        listener = _listen(given.host, given.port)
    except (StoreError, OSError) as error:
        return _refuse(str(error), 1)
    settings = ServerSettings(default_model="demonstration", shutdown_seconds=given.grace)
    key: str | None = given.api_key or os.environ.get(_KEY_VARIABLE)
    try:
        app = create_app(
            DemonstrationService(),
            store=store,
            api_keys=[key] if key else None,
            prefix=given.prefix,
            settings=settings,
        )
    except ValueError as error:
        return _refuse(str(error), 2)
    config = uvicorn.Config(
        app,
        log_level=given.log_level,
        # Events are small and many: compressing each costs more than it saves.
        ws_per_message_deflate=False,
        ws_max_size=settings.max_body_bytes,
    )
    server = server_of(config, app)
    _tell(listener, given.prefix, store, has_key=bool(key))
    with listener:
        server.run(sockets=[listener])
    return 0 if server.started else 1


def server_of(config: uvicorn.Config, app: ResponsesApp) -> uvicorn.Server:
    """A server of uvicorn that ends running responses by the rules when it is told to stop (S5).

    uvicorn alone waits for streams without a limit, or cuts them.
    """
    import uvicorn

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            draining = asyncio.create_task(app.drain(app.core.settings.shutdown_seconds))
            await super().shutdown(sockets)
            await draining

    return Server(config)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m {_PACKAGE}", description="Open Responses, to be tried without a model."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser(
        "serve",
        help="run the demonstration",
        description="Run a demonstration of the server. It needs no model and no network, and gives"
        " the same answer to the same request.",
    )
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    serve.add_argument(
        "--port", type=int, default=8000, help="port to listen on (%(default)s); 0 is a free one"
    )
    serve.add_argument(
        "--api-key",
        metavar="KEY",
        help=f"key that callers have to send; also read from {_KEY_VARIABLE}, which keeps it out of"
        " the list of processes",
    )
    serve.add_argument(
        "--store",
        metavar="URL",
        help="where responses are kept: memory:, sqlite:///file.db or"
        " postgresql://user:password@host/database (a file openresponses.db, where SQLAlchemy and"
        " aiosqlite are installed)",
    )
    serve.add_argument("--prefix", default="/v1", help="where the routes begin (%(default)s)")
    serve.add_argument(
        "--grace",
        type=float,
        default=20.0,
        metavar="SECONDS",
        help="how long running responses may go on when the server is to stop (%(default)s)",
    )
    serve.add_argument("--log-level", choices=_LEVELS, default="warning", help="(%(default)s)")
    return parser


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises `OSError` with what to do about it."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else "there is no such port"
        raise OSError(f"{host} port {port}: {reason}; choose another --host or --port") from None


def _tell(listener: socket.socket, prefix: str, store: ResponseStore, *, has_key: bool) -> None:
    """Say where the server is and what it keeps."""
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{port}{prefix}"
    bearer = " -H 'authorization: Bearer …'" if has_key else ""
    kept = "in memory, bounded: all is gone when the server ends"
    lines = [
        f"Serving a demonstration of Open Responses at {url}",
        f"Responses are kept {kept if isinstance(store, MemoryStore) else f'in {store}'}",
        f"A key is {'needed' if has_key else 'not needed'}",
        f"Try: curl {url}/responses{bearer} -H 'content-type: application/json'"
        """ -d '{"input": "My name is Ada."}' """,
    ]
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in lines))
    sys.stdout.flush()


def _refuse(reason: str, exit_code: int) -> int:
    sys.stderr.write(f"The server cannot start: {reason}\n")
    return exit_code

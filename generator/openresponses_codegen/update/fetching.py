"""Fetching a document: one GET over verified TLS, bounded in size and time, to addresses that were looked at before."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse, HTTPSConnection

from openresponses_codegen import __version__, source
from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError, shown
from openresponses_codegen.update.addresses import Address, Location, Network, location, resolved

MAX_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ACCEPT = "application/json, application/yaml, text/yaml, text/plain;q=0.5, */*;q=0.1"
_MEDIA = frozenset(
    {"application/json", "application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml", "text/json",
     "application/vnd.oai.openapi", "text/plain", "application/octet-stream"}
)  # fmt: skip
"""Media types that servers give to JSON and YAML; a page for people, such as a form to log in, is none of them."""
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """How much, and how long."""

    size: int = source.MAX_BYTES
    """Bytes of a document."""
    seconds: float = 30.0
    """For all of it: looking up the name, redirects, reading."""


class _Connection(HTTPSConnection):
    """A connection to addresses that were looked at, and to no others."""

    def __init__(self, place: Location, addresses: Sequence[Address], tls: ssl.SSLContext, deadline: float) -> None:
        super().__init__(place.host, place.port, context=tls)
        self._place = place
        self._addresses = addresses
        self._tls = tls
        self._deadline = deadline
        self._wire: socket.socket | None = None  # `sock` is dropped as soon as there is an answer to read

    def connect(self) -> None:
        """Connect to the first address that answers, and verify who does."""
        plain = self._connected()
        try:
            # A ragged end would make a cut document look whole.
            self.sock = self._wire = self._tls.wrap_socket(
                plain,
                server_hostname=self._place.host,
                do_handshake_on_connect=False,
                suppress_ragged_eofs=False,
            )
        except BaseException:
            plain.close()
            raise
        self.sock.do_handshake()

    def _connected(self) -> socket.socket:
        failure: OSError | None = None
        for address in self._addresses:
            try:
                return socket.create_connection((str(address), self._place.port), _left(self._deadline))
            except OSError as error:
                failure = error
        raise failure or OSError("it has no address")

    def cut(self) -> None:
        """End whatever is being waited for."""
        if self._wire is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._wire, socket.SHUT_RDWR)  # TLS has nothing to say about it


def fetch(url: str, allowed: Sequence[Network] = (), limits: Limits | None = None) -> bytes:
    """The document at a URL.

    `allowed` are networks that may be connected to although they are not of the public internet; there, any port is
    fine. Proxies are not used. Raises `DiagnosticError` when there is no document to be had.
    """
    limits = limits or Limits()
    deadline = time.monotonic() + limits.seconds
    tls = ssl.create_default_context()  # trusts what the system trusts, or SSL_CERT_FILE
    place = location(url)
    for _ in range(MAX_REDIRECTS + 1):
        answer = _answer(place, resolved(place, allowed, _left(deadline)), tls, deadline, limits)
        if isinstance(answer, bytes):
            return answer
        place = place.redirected(answer)
    raise _failed("redirect-refused", place, f"sends you on more than {MAX_REDIRECTS} times", "give the last URL")


def _answer(
    place: Location, addresses: Sequence[Address], tls: ssl.SSLContext, deadline: float, limits: Limits
) -> bytes | str:
    """The document, or where it is said to be."""
    connection = _Connection(place, addresses, tls, deadline)
    headers = {
        "Accept": _ACCEPT,
        "Accept-Encoding": "identity",
        "Connection": "close",
        "User-Agent": f"openresponses-codegen/{__version__}",
    }
    try:
        with _cut_at(connection, deadline):
            connection.request("GET", place.path, headers=headers)
            with connection.getresponse() as answer:
                return _read(place, answer, limits.size)
    except ssl.SSLCertVerificationError as error:
        hint = "have the certificate put right, or name your own authority's with SSL_CERT_FILE"
        raise _failed("not-fetched", place, f"is not who it says: {error.verify_message}", hint) from None
    except (OSError, HTTPException) as error:
        if time.monotonic() >= deadline:
            raise _failed("not-fetched", place, f"took longer than {limits.seconds:g} seconds") from None
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
        raise _failed("not-fetched", place, f"did not give the document: {shown(reason, 200)}") from None
    finally:
        connection.close()


@contextmanager
def _cut_at(connection: _Connection, deadline: float) -> Generator[None]:
    """Cut a connection at the deadline: a server that sends byte by byte keeps every other limit."""
    timer = threading.Timer(_left(deadline), connection.cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.001)


def _read(place: Location, answer: HTTPResponse, size: int) -> bytes | str:
    target = answer.getheader("Location")
    if answer.status in _REDIRECTS and target is not None:
        return target
    if answer.status != 200:
        reason = f"answered {answer.status} {shown(answer.reason, 80)}"
        raise _failed("not-fetched", place, reason, "check the URL, in a browser for example")
    media = (answer.getheader("Content-Type") or "application/octet-stream").partition(";")[0].strip().lower()
    if media not in _MEDIA and not media.endswith(("+json", "+yaml")):
        raise _failed("not-fetched", place, f"answered with `{shown(media, 80)}`, which is no JSON and no YAML")
    encoding = answer.getheader("Content-Encoding", "identity").strip().lower()
    if encoding != "identity":
        raise _failed("not-fetched", place, f"answered in the encoding `{shown(encoding, 80)}`, unasked")
    if answer.length is not None and answer.length > size:
        raise _too_large(place, size)
    expected, content = answer.length, bytearray()
    while piece := answer.read(min(_CHUNK, size + 1 - len(content))):
        content += piece
        if len(content) > size:
            raise _too_large(place, size)
    if expected is not None and len(content) != expected:
        raise _failed("not-fetched", place, f"sent {len(content):,} of {expected:,} bytes")
    return bytes(content)


def _too_large(place: Location, size: int) -> DiagnosticError:
    return _failed("not-fetched", place, f"gives more than {size:,} bytes", "check that it is the right file")


def _failed(code: str, place: Location, reason: str, hint: str = "try again, or check the URL") -> DiagnosticError:
    return DiagnosticError([Diagnostic(code, f"{place.url}: {place.host} {reason}", hint=hint)])

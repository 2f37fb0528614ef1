"""The lock, `openresponses.lock`: which document each spec file of a project holds, and where it came from.

It lies beside the configuration and belongs into version control. It has no time in it: the same update gives the
same lock.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError, Position

LOCK = "openresponses.lock"
FORMAT = 1
MAX_BYTES = 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class Entry:
    """The document in a spec file."""

    url: str | None
    """Where it was fetched; None when it came from a file or a bundled release."""
    sha256: str
    """Of its bytes, as 64 hexadecimal digits."""
    release: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Lock:
    """The documents by the path of their file, relative to the lock, with `/`."""

    specs: Mapping[str, Entry] = field(default_factory=dict[str, Entry])

    def text(self) -> str:
        """The lock as JSON, the same to the byte for the same content."""
        specs = {path: asdict(entry) for path, entry in sorted(self.specs.items())}
        return json.dumps({"format": FORMAT, "specs": specs}, indent=2, ensure_ascii=True) + "\n"

    def including(self, path: str, entry: Entry) -> Lock:
        """The lock with the document in a file changed."""
        return Lock({**self.specs, path: entry})


def read_lock(folder: Path) -> Lock:
    """The lock in a folder; an empty one when there is none. Raises `DiagnosticError` when it is unusable."""
    path = folder / LOCK
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _refusal(path, f"it is larger than {MAX_BYTES:,} bytes")
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return Lock()
    except OSError as error:
        raise _refusal(path, f"it cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise _refusal(path, "it is no JSON") from None
    try:
        if content["format"] != FORMAT:
            raise _refusal(path, "a newer or unknown version of the generator wrote it")
        return Lock({str(name): _entry(each) for name, each in content["specs"].items()})
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _refusal(path, "it does not have the form of a lock") from None


def _entry(content: Any) -> Entry:
    url = content["url"]
    if not _SHA256.match(content["sha256"]) or not isinstance(url, str | None):
        raise ValueError("a checksum and a URL are needed")
    return Entry(url, content["sha256"], str(content["release"]), str(content["fingerprint"]))


def _refusal(path: Path, reason: str) -> DiagnosticError:
    hint = "restore it from version control, or delete it: `update --from` writes a new one"
    position = Position(str(path), 1, 1)
    return DiagnosticError([Diagnostic("bad-lock", f"the lock is not usable: {reason}", position=position, hint=hint)])

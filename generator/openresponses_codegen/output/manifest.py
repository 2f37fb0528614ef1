"""The manifest, `generation.json`: what a package was made from, and the digest of each of its files.

It lies in the user's tree and may have been edited: every path in it is checked before it is used.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError, Position

MANIFEST = "generation.json"
FORMAT = 1
MAX_PATH = 200
MAX_BYTES = 1024 * 1024
_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*\Z", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")


def digest(content: bytes) -> str:
    """The digest of a content, as `sha256:` and 64 hexadecimal digits."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that decides what comes out."""

    spec: str
    """Digest of the document."""
    layers: Mapping[str, str]
    """Digests of what is laid over it, in order, each by its kind and the name of its file."""
    templates: str
    """Digest of the templates, those of the user's own among them."""
    generator: str
    """Digest of the generator's own code."""
    version: str
    """Version of the generator."""
    tools: Mapping[str, str]
    """Versions of the tools that shape the output."""
    package: str
    components: tuple[str, ...]
    lenient: bool
    overridden: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """The user's own templates by name: the blocks that each changes, none where it replaces the whole."""
    own: tuple[str, ...] = ()
    """Patterns of the files that are the user's own."""
    stubs: tuple[str, ...] = ()
    """Files that were written once for the user to go on with."""
    distribution: Mapping[str, str] = field(default_factory=dict[str, str])
    """Name, revision and licence of a distribution of its own; nothing for a folder in the user's code."""
    base: str = ""
    """The package that this one only adds to, by its import name."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What made a package, and the digest of each file by its path in the package's folder."""

    release: str
    fingerprint: str
    inputs: Inputs
    requires: Mapping[str, str]
    """Versions of the distributions that the package needs."""
    extras: Mapping[str, Mapping[str, str]]
    """Those that parts of it need which may be left unused, by a name for the part."""
    files: Mapping[str, str]
    own: Mapping[str, str] = field(default_factory=dict[str, str])
    """The digest of what the generator would write in place of each of the user's own files."""
    edited: Mapping[str, str] = field(default_factory=dict[str, str])
    """Those of `files` that were edited by hand and kept so: the digest of what was kept."""

    def text(self) -> str:
        """The manifest as JSON, the same to the byte for the same content."""
        inputs = asdict(self.inputs)
        content = {
            "format": FORMAT,
            "release": self.release,
            "package": inputs["package"],
            **({"base": self.inputs.base} if self.inputs.base else {}),
            "components": list(self.inputs.components),
            "lenient": self.inputs.lenient,
            "requires": dict(sorted(self.requires.items())),
            "extras": {name: dict(sorted(each.items())) for name, each in sorted(self.extras.items())},
            "spec": {"digest": self.inputs.spec, "fingerprint": self.fingerprint},
            "layers": dict(self.inputs.layers),
            **({"distribution": dict(self.inputs.distribution)} if self.inputs.distribution else {}),
            "templates": {"digest": self.inputs.templates, **self._overridden()},
            "generator": {"version": self.inputs.version, "digest": self.inputs.generator},
            "tools": dict(sorted(self.inputs.tools.items())),
            "files": dict(sorted(self.files.items())),
            **self._own(),
            **({"edited": dict(sorted(self.edited.items()))} if self.edited else {}),
        }
        return json.dumps(content, indent=2, ensure_ascii=True) + "\n"

    def _overridden(self) -> dict[str, Any]:
        overridden = {name: list(blocks) for name, blocks in self.inputs.overridden.items()}
        return {"overridden": overridden} if overridden else {}

    def _own(self) -> dict[str, Any]:
        if not self.inputs.own and not self.inputs.stubs:
            return {}
        lists = {"patterns": list(self.inputs.own), "stubs": list(self.inputs.stubs)}
        return {"own": {**lists, "files": dict(sorted(self.own.items()))}}


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a package's folder; None when there is none.

    Raises `DiagnosticError` when it is no manifest, or names a path that leads out of the folder.
    """
    path = folder / MANIFEST
    try:
        if path.is_symlink():
            raise _refusal(path, "it is a symbolic link")
        if path.exists() and not path.is_file():
            raise _refusal(path, "it is no file")
        if path.stat().st_size > MAX_BYTES:
            raise _refusal(path, f"it is larger than {MAX_BYTES:,} bytes")
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _refusal(path, f"it cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise _refusal(path, "it is no JSON") from None
    try:
        return _manifest(path, content)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _refusal(path, "it does not have the form of a manifest") from None


def _manifest(path: Path, content: Any) -> Manifest:
    if content["format"] != FORMAT:
        raise _refusal(path, "a newer or unknown version of the generator wrote it")
    files = _strings(content["files"])
    own = content.get("own", {"files": {}})
    owned = _strings(own["files"])
    edited = _strings(content.get("edited", {}))
    for name, value in [*files.items(), *owned.items(), *edited.items()]:
        if not _PATH.match(name) or len(name) > MAX_PATH or name == MANIFEST or not _DIGEST.match(value):
            raise _refusal(path, f"`files` names {name!r}, which is no file of a generated package")
    inputs = Inputs(
        str(content["spec"]["digest"]),
        _strings(content.get("layers", {})),
        str(content["templates"]["digest"]),
        str(content["generator"]["digest"]),
        str(content["generator"]["version"]),
        _strings(content["tools"]),
        str(content["package"]),
        _names(content["components"]),
        content["lenient"] is True,
        {name: _names(blocks) for name, blocks in content["templates"].get("overridden", {}).items()},
        _names(own.get("patterns", [])),
        _names(own.get("stubs", [])),
        _strings(content.get("distribution", {})),
        str(content.get("base", "")),
    )
    fingerprint = str(content["spec"]["fingerprint"])
    extras = {str(name): _strings(each) for name, each in content.get("extras", {}).items()}
    requires = _strings(content["requires"])
    return Manifest(str(content["release"]), fingerprint, inputs, requires, extras, files, owned, edited)


def _names(names: object) -> tuple[str, ...]:
    return tuple(str(each) for each in cast("list[object]", names))


def _strings(table: object) -> dict[str, str]:
    items = cast("dict[str, object]", table).items()
    if not all(isinstance(value, str) for _, value in items):
        raise TypeError("a table of strings is needed")
    return {key: str(value) for key, value in items}


def _refusal(path: Path, reason: str) -> DiagnosticError:
    return DiagnosticError(
        [
            Diagnostic(
                "bad-manifest",
                f"the manifest is not usable: {reason}",
                position=Position(str(path), 1, 1),
                hint="restore it from version control, or delete it and run `generate --force`",
            )
        ]
    )

"""From a file or bytes to a document: size, encoding, and which of the two formats it is.

The encoding is UTF-8, which RFC 8259 (section 8.1) demands and YAML 1.2.2 (section 5.2) recommends to write.
"""

from __future__ import annotations

import codecs
import stat
from pathlib import Path, PurePath

from openresponses_codegen.diagnostics import DiagnosticError, Position
from openresponses_codegen.source.json_reader import JsonReader
from openresponses_codegen.source.node import Node, Text, refusal
from openresponses_codegen.source.yaml_reader import YamlReader

MAX_BYTES = 16 * 1024 * 1024
"""Size of a document."""


def load(path: Path) -> Node:
    """Read the JSON or YAML file at `path`, as `parse` does.

    Raises DiagnosticError as `parse` and `read` do.
    """
    return parse(read(path), str(path))


def read(path: Path) -> bytes:
    """The content of a document at `path`, at most `MAX_BYTES` of it.

    Raises DiagnosticError if there is no such file, it cannot be read, it is too large, or it is not a regular
    file (a pipe or a device might never end).
    """
    start = Position(str(path), 1, 1)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            what = "a directory" if stat.S_ISDIR(status.st_mode) else "a pipe, socket or device"
            raise refusal("not-a-file", start, f"this is {what}, not a file", "name a JSON or YAML file")
        if status.st_size > MAX_BYTES:
            raise _too_large(start)
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise refusal("not-found", start, "there is no such file", "check the path") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        message = f"the file cannot be read: {reason or error}"
        raise refusal("not-readable", start, message, "check the path and its permissions") from None


def _too_large(start: Position) -> DiagnosticError:
    message = f"the document is larger than {MAX_BYTES // 1024**2} MiB"
    return refusal("too-large", start, message, "split the document, or check that it is the right file")


def parse(text: bytes, name: str) -> Node:
    """Read a JSON or YAML document, UTF-8 with or without a byte order mark.

    `name` stands in diagnostics as the file. It decides the format, too: `.json` is JSON, `.yaml` and `.yml`
    are YAML; under any other name a document that begins with `{` or `[` is JSON.

    Raises DiagnosticError with the one problem that was met first.
    """
    start = Position(name, 1, 1)
    if len(text) > MAX_BYTES:
        raise _too_large(start)
    characters = _decoded(text, start)
    if not characters.strip(" \t\r\n"):
        raise refusal("empty", start, "the document is empty", "write a JSON or YAML document into it")
    suffix = PurePath(name).suffix.lower()
    looks_like_json = characters.lstrip(" \t\r\n")[0] in "{["
    is_json = suffix == ".json" or (looks_like_json and suffix not in (".yaml", ".yml"))
    reader = JsonReader if is_json else YamlReader
    return reader(Text(characters, name)).document()


def _decoded(data: bytes, start: Position) -> str:
    hint = "save the document as UTF-8"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in data[:4]:
        raise refusal("bad-encoding", start, "the document is UTF-16, UTF-32 or binary, not UTF-8", hint)
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = Text(data[: error.start].decode(), start.file)
        message = f"the byte 0x{data[error.start]:02X} at offset {error.start} is not UTF-8"
        raise before.refusal("bad-encoding", len(before.characters), message, hint) from None

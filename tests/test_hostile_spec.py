"""A hostile document ends in a clear refusal: soon, at its place, with nothing written and nothing read elsewhere."""

import json
import os
import random
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hostile import Json, document
from hostile_outcome import PATIENCE, Package, check_printed, generated, lowered, refused, within
from openresponses_codegen.cli import main

SCHEMAS = "#/components/schemas/"

_watched: list[tuple[str, str]] | None = None


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if _watched is not None and (event == "open" or event.startswith(("socket.", "urllib.", "subprocess."))):
        _watched.append((event, str(arguments[0]) if arguments else ""))


sys.addaudithook(_note)


@contextmanager
def watched() -> Iterator[list[tuple[str, str]]]:
    """What Python opens, connects to and starts meanwhile, whoever asks for it."""
    global _watched  # noqa: PLW0603 - an audit hook cannot be taken away
    _watched = []
    try:
        yield _watched
    finally:
        _watched = None


@pytest.fixture(autouse=True)
def no_network(monkeypatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket is opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


# References --------------------------------------------------------------------------------------------------

REFERENCES: Mapping[str, str] = {
    "../secret.json#/components/schemas/X": "outside-reference",
    "../../../../../../etc/passwd": "outside-reference",
    "secret.json": "outside-reference",
    "./secret.json#/X": "outside-reference",
    "/etc/passwd": "outside-reference",
    "C:\\secret.json": "outside-reference",
    "\\\\host\\share\\x.json": "outside-reference",
    "%2e%2e/secret.json#/X": "outside-reference",
    "..%2Fsecret.json": "outside-reference",
    "secret.json%00.json": "outside-reference",
    "hostile.json#/components/schemas/Thing": "outside-reference",
    "file:///etc/passwd": "outside-reference",
    "http://127.0.0.1:9/x.json#/X": "remote-reference",
    "https://example.com/x.json": "remote-reference",
    "//example.com/x.json": "remote-reference",
    "ftp://example.com/x": "remote-reference",
    "data:application/json,{}": "outside-reference",
    "urn:uuid:0": "outside-reference",
    "": "outside-reference",
    "#": "dangling-reference",
    "#/": "dangling-reference",
    "#Thing": "dangling-reference",
    "#/components/schemas": "dangling-reference",
    "#/components/schemas/": "dangling-reference",
    "#/components/schemas/Nothing": "dangling-reference",
    "#/components/schemas/Thing/properties/model": "dangling-reference",
    "#/components/schemas/../schemas/Thing": "dangling-reference",
    "#/components/schemas/..%2F..%2Fsecret": "dangling-reference",
    "#/components/schemas/__class__": "dangling-reference",
    "#/components/securitySchemes/key": "dangling-reference",
    "#/info": "dangling-reference",
}
_OPERATION = ("paths", "/things", "post")
_ANSWERS = (*_OPERATION, "responses", "200", "content")
SITES: Mapping[str, tuple[str | int, ...]] = {
    "property": ("components", "schemas", "Thing", "properties", "named"),
    "response-property": ("components", "schemas", "Answer", "properties", "status"),
    "items": ("components", "schemas", "Answer", "properties", "parts", "items"),
    "variant": ("components", "schemas", "Outline", "oneOf", 0),
    "component": ("components", "schemas", "Limited"),
    "request": (*_OPERATION, "requestBody", "content", "application/json", "schema"),
    "response": (*_ANSWERS, "application/json", "schema"),
    "event": (*_ANSWERS, "text/event-stream", "schema", "oneOf", 0),
    "stream": (*_ANSWERS, "text/event-stream", "schema"),
    "client-message": ("paths", "/things", "x-openresponses-websocket", "clientMessage"),
    "path": ("paths", "/things"),
    "request-body": (*_OPERATION, "requestBody"),
    "answer": (*_OPERATION, "responses", "200"),
    "schemas": ("components", "schemas"),
    "mapping": ("components", "schemas", "Outline", "discriminator", "mapping", "round"),
}


def put(content: Json, path: tuple[str | int, ...], value: Json) -> Json:
    """The document with another value at a path."""
    holder = content
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    return content


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("reference", REFERENCES)
def test_a_reference_is_never_followed_out_of_the_document(reference, site, tmp_path, monkeypatch) -> None:
    """Nothing is read to follow a reference; it is refused at its place, by its kind."""
    folder = tmp_path / "spec"
    folder.mkdir()
    for path in (tmp_path / "secret.json", folder / "secret.json"):
        path.write_text(json.dumps(document()))
    monkeypatch.chdir(folder)
    content = put(document(), SITES[site], reference if site == "mapping" else {"$ref": reference})
    with watched() as events:
        codes = refused(lowered(content))
    assert events == [], "nothing is opened"
    if site not in {"path", "request-body", "answer", "schemas"}:  # references are not known there at all
        assert REFERENCES[reference] in codes


def test_a_reference_may_be_escaped() -> None:
    """An escaped pointer to a component of this document is no attack."""
    for reference in (f"{SCHEMAS}Na%6Ded", f"{SCHEMAS}%4Eamed"):
        assert lowered(put(document(), SITES["property"], {"$ref": reference})) is None


def test_generating_opens_no_connection(tmp_path, monkeypatch) -> None:
    """The whole way to a package: no socket, no file outside, no process but the formatter."""
    monkeypatch.chdir(tmp_path)
    assert isinstance(generated(document()), Package)  # imports are done
    with watched() as events:
        assert isinstance(generated(document()), Package)
    assert not [event for event in events if event[0].startswith(("socket.", "urllib."))]
    assert all("ruff" in name for event, name in events if event == "subprocess.Popen")


# Files -------------------------------------------------------------------------------------------------------


def _bomb() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    return "\n".join(lines)


def _many_aliases() -> str:
    return "a: &a [" + "x, " * 5000 + "x]\nb: [" + "*a, " * 5000 + "*a]"


def _levels(count: int) -> str:
    return '{"a":' * count + "1" + "}" * count


def _block_levels(count: int) -> str:
    return "".join(f"{' ' * level}a:\n" for level in range(count)) + " " * count + "a: 1"


_NOISE = random.Random(0).randbytes(100_000)
FILES: Mapping[str, tuple[str, Callable[[], str | bytes], str]] = {
    "bomb": ("x.yaml", _bomb, "alias-bomb"),
    "many-aliases": ("x.yaml", _many_aliases, "alias-bomb"),
    "alias-in-itself": ("x.yaml", lambda: "a: &a [*a]", "yaml-alias"),
    "python-object": ("x.yaml", lambda: "a: !!python/object/apply:os.system ['touch pwned']", "yaml-tag"),
    "python-name": ("x.yaml", lambda: "!!python/name:os.system", "yaml-tag"),
    "python-module": ("x.yaml", lambda: "a: !!python/module:antigravity x", "yaml-tag"),
    "own-tag": ("x.yaml", lambda: "a: !include /etc/passwd", "yaml-tag"),
    "binary-tag": ("x.yaml", lambda: "a: !!binary aGk=", "yaml-tag"),
    "tag-directive": ("x.yaml", lambda: "%TAG ! tag:yaml.org,2002:python/\n--- !name:os.system x", "yaml-directive"),
    "merge": ("x.yaml", lambda: "a: &a {x: 1}\nb: {<<: *a}", "yaml-merge"),
    "two-documents": ("x.yaml", lambda: "a: 1\n---\nb: 2", "yaml-documents"),
    "duplicate-json": ("x.json", lambda: '{"openapi": "3.1.0", "openapi": "3.1.0"}', "duplicate-key"),
    "duplicate-escaped": ("x.json", lambda: '{"info": {"a": 1, "\\u0061": 2}}', "duplicate-key"),
    "duplicate-yaml": ("x.yaml", lambda: "a: 1\n'a': 2", "duplicate-key"),
    "800-levels-json": ("x.json", lambda: _levels(800), "too-deep"),
    "800-levels-yaml": ("x.yaml", lambda: _block_levels(800), "too-deep"),
    "100000-levels-json": ("x.json", lambda: "[" * 100_000, "too-deep"),
    "100000-levels-yaml": ("x.yaml", lambda: "[" * 100_000, "too-deep"),
    "100000-dashes": ("x.yaml", lambda: "- " * 100_000, "too-deep"),
    "50-megabytes": ("x.json", lambda: b"{" + b" " * 50_000_000, "too-large"),
    "many-values": ("x.json", lambda: "[" + "0," * 600_000 + "0]", "too-large"),
    "many-openings": ("x.yaml", lambda: "{a: " * 50_000, "too-deep"),
    "long-key": ("x.yaml", lambda: "? " + "k" * 2000 + "\n: [", "bad-yaml"),
    "long-number": ("x.json", lambda: "9" * 1_000_000, "bad-number"),
    "hexadecimal": ("x.yaml", lambda: "a: 0x" + "f" * 100_000, "bad-number"),
    "exponent": ("x.json", lambda: "[1e999999]", "bad-number"),
    "not-a-number": ("x.json", lambda: "[NaN]", "bad-json"),
    "comment": ("x.json", lambda: "{} // x", "bad-json"),
    "garbage": ("x.json", lambda: _NOISE, "bad-encoding"),
    "garbage-yaml": ("x.yaml", lambda: _NOISE, "bad-encoding"),
    "garbage-anything": ("x", lambda: _NOISE.replace(b"\0", b""), "bad-encoding"),
    "zeros": ("x.json", lambda: bytes(10_000), "bad-encoding"),
    "utf-16": ("x.json", lambda: "{}".encode("utf-16"), "bad-encoding"),
    "latin": ("x.json", lambda: '{"a": "\u00e9"}'.encode("latin-1"), "bad-encoding"),
    "surrogate": ("x.json", lambda: b'{"a": "\xed\xa0\x80"}', "bad-encoding"),
    "surrogate-escape": ("x.json", lambda: '{"a": "\\ud800"}', "lone-surrogate"),
    "control": ("x.json", lambda: '{"a\x1b": 1}', "bad-json"),
    "cut-off": ("x.json", lambda: json.dumps(document())[:-200], "bad-json"),
    "two-values": ("x.json", lambda: "{} {}", "bad-json"),
    "empty": ("x.json", lambda: "", "empty"),
    "blank": ("x.yaml", lambda: " \n\t\n", "empty"),
    "mark-only": ("x.json", lambda: b"\xef\xbb\xbf", "empty"),
    "comment-only": ("x.yaml", lambda: "# nothing", "empty"),
    "number": ("x.json", lambda: "1", "not-openapi"),
    "text": ("x.yaml", lambda: "just a text", "not-openapi"),
    "list": ("x.json", lambda: "[]", "not-openapi"),
    "nothing": ("x.json", lambda: "null", "not-openapi"),
    "object": ("x.json", lambda: "{}", "not-openapi"),
    "swagger": ("x.json", lambda: '{"swagger": "2.0"}', "not-openapi"),
    "old": ("x.json", lambda: '{"openapi": "3.0.3"}', "openapi-version"),
}


def run(*arguments: str, content: bytes | None = None) -> Result:
    """A command; whatever it prints can be sent to a terminal, and it ends by itself."""
    with within(PATIENCE):
        result = CliRunner().invoke(main, arguments, input=content)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    check_printed(result.output)
    assert "Traceback (most" not in result.output
    return result


def check_refused(folder: Path, path: str, code: str, content: bytes | None = None) -> None:
    """The file is refused by every command, and nothing is left behind."""
    before = sorted(folder.rglob("*"))
    result = run("generate", path, "--output", str(folder / "kit"), content=content)
    assert result.exit_code == 2
    assert f"[{code}]" in result.output
    assert result.output.count("error: ") == 1 or code in {"not-openapi", "openapi-version"}, "one clear error"
    assert sorted(folder.rglob("*")) == before, "nothing is written"


@pytest.mark.parametrize("file", FILES)
def test_a_hostile_file_is_refused(file, tmp_path, monkeypatch) -> None:
    """Through the command line: one clear error, exit code 2, within seconds, nothing written."""
    monkeypatch.chdir(tmp_path)
    name, make, code = FILES[file]
    content = make()
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    check_refused(tmp_path, name, code)


SPECIAL: Mapping[str, tuple[Callable[[Path], Any], str]] = {
    "directory": (Path.mkdir, "not-a-file"),
    "pipe": (os.mkfifo, "not-a-file"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "not-a-file"),
    "missing": (Path.exists, "not-found"),
    "dangling-link": (lambda path: path.symlink_to("nowhere"), "not-found"),
    "circular-link": (lambda path: path.symlink_to(path), "not-readable"),
    "below-a-file": (lambda path: path.parent.rmdir() or path.parent.write_text("x"), "not-found"),
}


@pytest.mark.parametrize("special", SPECIAL)
def test_what_is_no_regular_file_is_not_read(special, tmp_path) -> None:
    """A pipe or a device might never end; whatever the path leads to, the answer is a clear error."""
    make, code = SPECIAL[special]
    path = tmp_path / "folder" / "x.json"
    path.parent.mkdir()
    make(path)
    check_refused(tmp_path, str(path), code)


@pytest.mark.parametrize(
    "name", ["a\0b.json", "x" * 300 + ".json", "\x1b[2J\x07.json", "\u202ea.json", "a\nb.json"], ids=ascii
)
def test_a_hostile_file_name_is_no_trouble(name, tmp_path) -> None:
    """The name of a file is shown, never sent to the terminal as it is."""
    result = run("generate", str(tmp_path / name), "--output", str(tmp_path / "kit"))
    assert result.exit_code == 2
    if len(name) < 200 and "\0" not in name:
        (tmp_path / name).write_text("{")
        assert run("validate", str(tmp_path / name)).exit_code == 1


def test_an_unreadable_file(tmp_path, monkeypatch) -> None:
    """Tests may run as root, who can read everything: the refusal of the system is played."""
    path = tmp_path / "x.json"
    path.write_text("{}")

    def deny(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", deny)
    monkeypatch.setattr(Path, "read_bytes", deny)
    result = run("validate", str(path))
    assert result.exit_code == 2
    assert "[not-readable]" in result.output


@pytest.mark.parametrize("command", ["validate", "fingerprint", "dump", "check"])
def test_every_command_refuses_it(command, tmp_path) -> None:
    """No command reads a document less carefully than the others."""
    (tmp_path / "x.json").write_text(_levels(800))
    result = run(
        command, str(tmp_path / "x.json"), *(["--output", str(tmp_path / "kit")] if command == "check" else [])
    )
    assert result.exit_code == (1 if command == "validate" else 2)
    assert "[too-deep]" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_standard_input_is_no_way_around(tmp_path) -> None:
    """What comes through a pipe is bounded like a file."""
    check_refused(tmp_path, "-", "too-large", b"{" + b" " * 17_000_000)
    check_refused(tmp_path, "-", "too-deep", b"[" * 100_000)
    check_refused(tmp_path, "-", "bad-encoding", _NOISE.replace(b"\0", b""))


LOUD = "\x1b[2J\x1b]0;owned\x07\x9b31m \u202e\u2066 \u2028 [red]r[/] [/x] \\[bold] {x} %s\r\n\x00"


@pytest.mark.parametrize("options", [[], ["--json"], ["--quiet"]], ids=" ".join)
def test_what_commands_say_of_hostile_text(options, tmp_path) -> None:
    """Keys, names and notes of a document are reported, and neither steer the terminal nor break a table."""
    content = document()
    content[f"x-{LOUD}"] = 1
    for number in range(3):
        content["components"]["schemas"]["Thing"][f"x-{number}{LOUD}"] = LOUD
    content["components"]["schemas"]["Status"]["x-enumDescriptions"][LOUD] = LOUD
    content["components"]["schemas"]["Thing"]["properties"]["preset"]["default"] = [LOUD]
    content["info"] |= {"title": LOUD, "version": f"1{LOUD}"}
    path = tmp_path / "x.json"
    path.write_text(json.dumps(content))
    kit = tmp_path / "kit"
    assert run("validate", str(path), *options).exit_code == 0
    assert run("generate", str(path), "--output", str(kit), *options).exit_code == 0
    (kit / "models.py").write_text(LOUD)
    assert run("check", str(path), "--output", str(kit), *options).exit_code == 1
    assert run("dump", str(path)).exit_code == 0
    content["components"]["schemas"]["Thing"] |= {LOUD: 1, "type": LOUD, "allOf": [{"$ref": LOUD}]}
    path.write_text(json.dumps(content))
    assert run("validate", str(path), *options).exit_code == 1
    assert run("generate", str(path), "--output", str(kit), *options).exit_code == 2

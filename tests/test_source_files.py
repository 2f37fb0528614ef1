"""From a file or bytes to a document: its encoding, its format, its name, and what is no document at all."""

from __future__ import annotations

import codecs
import io
import os
from pathlib import Path
from threading import Thread
from typing import NoReturn

import pytest
from documents import PATIENCE, only_diagnostic, place, refusal, walk
from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError
from openresponses_codegen.source import MAX_BYTES, load, parse


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (codecs.BOM_UTF16_LE + "{}".encode("utf-16-le"), "1:1"),
        (codecs.BOM_UTF16_BE + "{}".encode("utf-16-be"), "1:1"),
        (codecs.BOM_UTF32_BE + "{}".encode("utf-32-be"), "1:1"),
        ("{}".encode("utf-16-le"), "1:1"),
        ('["é\n😀'.encode() + b'\xff"]', "2:2"),
        (codecs.BOM_UTF8 + b'["\xed\xa0\x80"]', "1:3"),
        (b'["\xc0\x80"]', "1:3"),
        (b'["\xe2\x82', "1:3"),
    ],
)
@pytest.mark.parametrize("name", ["x.json", "x.yaml"])
def test_anything_but_utf_8_is_refused_where_it_stands(data: bytes, where: str, name: str) -> None:
    diagnostic = refusal(data, name)
    assert (diagnostic.code, place(diagnostic)) == ("bad-encoding", where)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_another_encoding_is_named(encoding: str) -> None:
    assert "UTF-16" in refusal("日本".encode(encoding)).message


@pytest.mark.parametrize("name", ["x.json", "x.yaml"])
def test_a_byte_order_mark_is_no_part_of_the_document(name: str) -> None:
    root = parse(codecs.BOM_UTF8 + b'{"a":\r\n  1}', name)
    assert (str(root.position), str(root.key_position("a"))) == (f"{name}:1:1", f"{name}:1:2")
    assert [str(node.position) for node in walk(root)] == [f"{name}:1:1", f"{name}:2:3"]


@pytest.mark.parametrize(
    ("name", "text", "is_json"),
    [
        ("a.json", "a: 1", True),
        ("A.JSON", "a: 1", True),
        ("a.yaml", "{a: 1}", False),
        ("a.YML", "[a, b]", False),
        ("-", " \n{a: 1}", True),
        ("-", "[a]", True),
        ("-", "a: 1", False),
        ("spec.txt", "a: 1", False),
        ("", "a: 1", False),
        ("json", "a: 1", False),
    ],
)
def test_name_then_first_character_decide_the_format(name: str, text: str, is_json: bool) -> None:
    if is_json:
        diagnostic = refusal(text, name)
        assert diagnostic.code == "bad-json"
        assert diagnostic.position is not None
        assert diagnostic.position.file == name
    else:
        assert isinstance(parse(text.encode(), name).plain(), dict | list)


def load_refusal(path: Path) -> Diagnostic:
    with pytest.raises(DiagnosticError) as caught:
        load(path)
    return only_diagnostic(caught.value)


def test_too_many_bytes_are_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(b" " * (MAX_BYTES + 1)).code == "too-large"
    assert refusal(b" " * MAX_BYTES).code == "empty"
    huge = tmp_path / "huge.json"
    with huge.open("wb") as file:
        file.truncate(50_000_000)
    monkeypatch.delattr(Path, "open")
    assert load_refusal(huge).code == "too-large"


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "growing.json"
    path.write_text("{}")

    def grown(*_: object) -> io.BytesIO:
        return io.BytesIO(b" " * (MAX_BYTES + 2))

    monkeypatch.setattr(Path, "open", grown)
    assert load_refusal(path).code == "too-large"


def test_what_is_no_readable_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file.json").write_text("")
    (tmp_path / "loop.json").symlink_to("loop.json")
    (tmp_path / "dangling.json").symlink_to("missing.json")
    expected = {
        "missing.json": "not-found",
        "dangling.json": "not-found",
        "file.json/inner.json": "not-found",
        "file.json": "empty",
        "loop.json": "not-readable",
        "nul\0.json": "not-readable",
        "n" * 1000: "not-readable",
        "\ud800.json": "not-readable",
        ".": "not-a-file",
        os.devnull: "not-a-file",
    }
    assert {name: load_refusal(tmp_path / name).code for name in expected} == expected

    def denied(*_: object) -> NoReturn:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    diagnostic = load_refusal(tmp_path / "file.json")
    assert (diagnostic.code, "Permission denied" in diagnostic.message) == ("not-readable", True)


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    codes: list[str] = []
    # whoever opens a pipe that nobody writes to waits for ever: in a thread, since that is to fail, not to hang
    reader = Thread(target=lambda: codes.append(load_refusal(pipe).code), daemon=True)
    reader.start()
    reader.join(PATIENCE)
    assert codes == ["not-a-file"]


def test_a_file_is_named_as_the_user_named_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a b.yml").write_bytes(b"k:\n  - x\n")
    root = load(Path("a b.yml"))
    assert [str(node.position) for node in walk(root)] == ["a b.yml:1:1", "a b.yml:2:3", "a b.yml:2:5"]

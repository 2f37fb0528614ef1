"""Search in the documents of a folder: what is found, what is never read (rules X2, X3)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from openresponses_kit.gateway.tools import DocumentSearch, SearchUnavailableError
from openresponses_kit.gateway.tools.document_index import DocumentIndex
from scripted_model import ScriptedModel, ask, calls, says


def index_of(folder: Path, *, max_files: int = 100, max_file_bytes: int = 10_000) -> DocumentIndex:
    return DocumentIndex(folder, max_files=max_files, max_file_bytes=max_file_bytes)


def files(index: DocumentIndex, query: str) -> list[str]:
    return [each.file for each in index.search(query, 10)]


def test_passages_have_file_and_line(tmp_path: Path) -> None:
    """The line is that of the passage; files of sub-folders are found, too."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "long.md").write_text("filler\n" * 40 + "The whale is white.\n")
    (found,) = index_of(tmp_path).search("white whales", 5)
    assert (found.file, found.line) == ("sub/long.md", 41)
    assert "whale" in found.text


def test_the_index_follows_the_folder(tmp_path: Path) -> None:
    """What is new, changed or gone is seen at the next search."""
    index = index_of(tmp_path)
    file = tmp_path / "a.txt"
    file.write_text("apples")
    assert files(index, "apples") == ["a.txt"]
    file.write_text("some pears")
    assert (files(index, "apples"), files(index, "pears")) == ([], ["a.txt"])
    file.unlink()
    assert files(index, "pears") == []


def test_what_is_not_read(tmp_path: Path) -> None:
    """Links out of the folder, hidden files, other kinds, large files and too many of them."""
    outside = tmp_path / "outside"
    folder = tmp_path / "folder"
    for each in (outside, folder, folder / ".git"):
        each.mkdir()
    (outside / "secret.txt").write_text("word")
    (folder / "link.txt").symlink_to(outside / "secret.txt")
    (folder / "linked").symlink_to(outside)
    (folder / ".git" / "a.txt").write_text("word")
    (folder / ".env.txt").write_text("word")
    (folder / "program.py").write_text("word")
    (folder / "large.txt").write_text("word " * 10_000)
    for number in range(3):
        (folder / f"{number}.txt").write_text("word")
    assert sorted(files(index_of(folder, max_files=2), "word")) == ["0.txt", "1.txt"]


@pytest.mark.parametrize(
    "query", ['"', "*", "a AND", "NEAR(", "text:word", "-word", "'; DROP TABLE passages", "", "(("]
)
def test_no_query_is_a_mistake(tmp_path: Path, query: str) -> None:
    """Operators are words, and words are looked for."""
    (tmp_path / "a.txt").write_text("word")
    index = index_of(tmp_path)
    index.search(query, 5)
    assert files(index, "word") == ["a.txt"]


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    """At the start, and not when the model calls it."""
    with pytest.raises(SearchUnavailableError, match="is no folder"):
        DocumentSearch(tmp_path / "none")


def test_x3_document_search_in_the_loop(tmp_path: Path) -> None:
    """Its state is streamed, and what was found is in the receipt and told to the model."""
    (tmp_path / "a.md").write_text("# Tea\nSteep it for four minutes.\n")
    model = ScriptedModel(calls(("document_search", json.dumps({"query": "steep"}))), says("ok"))
    answer = ask(model, DocumentSearch(tmp_path), tools=[{"type": "gateway:document_search"}])
    item = answer.output[0]
    assert len(answer.named("gateway:document_search_call.searching")) == 1
    assert item["results"] == [{"file": "a.md", "line": 1, "text": "# Tea\nSteep it for four minutes."}]
    assert model.told[1][-1]["output"].startswith("a.md:1\n")

"""A full-text index of the text files of a folder, in SQLite's FTS5.

The index is in memory, brought up to date before each search: files that changed are read again,
those that are gone are dropped. Symbolic links are not followed, hidden files not read.
"""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["DocumentIndex", "Found", "SearchUnavailableError"]

_SUFFIXES: Final = frozenset({".md", ".markdown", ".txt", ".rst", ".text"})
_LINES_PER_PASSAGE = 20
_WORD = re.compile(r"\w+")
_MAX_WORDS = 32


class SearchUnavailableError(Exception):
    """This Python's SQLite cannot search in full text, or the folder is not there."""


@dataclass(frozen=True, slots=True)
class Found:
    """A passage that was found."""

    file: str
    """Its path in the folder."""
    line: int
    """The line that it begins with, from 1."""
    text: str
    """Its words around those that were looked for."""


class DocumentIndex:
    """An index of a folder; its methods block, and may be called in any thread.

    Args:
        folder: The folder.
        max_files: Most files that are read.
        max_file_bytes: Largest file that is read.

    Raises `SearchUnavailableError`.
    """

    def __init__(self, folder: Path, *, max_files: int, max_file_bytes: int) -> None:
        self._folder = folder.resolve()
        if not self._folder.is_dir():
            raise SearchUnavailableError(f"{folder} is no folder")
        self._max_files = max_files
        self._max_file_bytes = max_file_bytes
        self._lock = threading.Lock()
        self._states: dict[str, tuple[int, int]] = {}
        self._base = sqlite3.connect(":memory:", check_same_thread=False)
        try:
            self._base.execute(
                "CREATE VIRTUAL TABLE passages USING fts5"
                "(text, file UNINDEXED, line UNINDEXED, tokenize='porter unicode61')"
            )
        except sqlite3.OperationalError as error:
            self._base.close()
            raise SearchUnavailableError(
                f"this Python's SQLite {sqlite3.sqlite_version} is built without FTS5: {error}"
            ) from error

    def search(self, query: str, limit: int) -> list[Found]:
        """The passages that fit best, best first: all words where there are such, any otherwise.

        A query is words and nothing else: no operators, whatever it holds.
        """
        words = [f'"{word}"' for word in _WORD.findall(query)[:_MAX_WORDS]]
        if not words:
            return []
        with self._lock:
            self._refresh()
            return self._matching(" ".join(words), limit) or self._matching(
                " OR ".join(words), limit
            )

    def close(self) -> None:
        """Let go of the index."""
        with self._lock:
            self._base.close()

    def _matching(self, match: str, limit: int) -> list[Found]:
        rows = self._base.execute(
            "SELECT file, line, snippet(passages, 0, '', '', ' ... ', 48) FROM passages"
            " WHERE passages MATCH ? ORDER BY rank LIMIT ?",
            (match, limit),
        )
        return [Found(*row) for row in rows]

    def _refresh(self) -> None:
        states = dict(self._files())
        for name in self._states.keys() - states.keys():
            self._drop(name)
        for name, state in states.items():
            if self._states.get(name) != state:
                self._drop(name)
                self._add(name)
                self._states[name] = state

    def _drop(self, name: str) -> None:
        if self._states.pop(name, None) is not None:
            self._base.execute("DELETE FROM passages WHERE file = ?", (name,))

    def _files(self) -> Iterator[tuple[str, tuple[int, int]]]:
        """The files by path in the folder, each with its time and size."""
        count = 0
        for folder, folders, files in os.walk(self._folder):
            folders[:] = sorted(each for each in folders if not each.startswith("."))
            for file in sorted(files):
                path = Path(folder, file)
                if file.startswith(".") or path.suffix.lower() not in _SUFFIXES:
                    continue
                try:
                    found = path.lstat()
                except OSError:  # It is gone.
                    continue
                if not stat.S_ISREG(found.st_mode) or found.st_size > self._max_file_bytes:
                    continue
                if count == self._max_files:
                    return
                count += 1
                yield (
                    path.relative_to(self._folder).as_posix(),
                    (found.st_mtime_ns, found.st_size),
                )

    def _add(self, name: str) -> None:
        try:
            # Between the look at it and this, it may have become a link.
            descriptor = os.open(self._folder / name, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
            with os.fdopen(descriptor, "rb") as file:
                content = file.read(self._max_file_bytes)
        except OSError:
            return
        lines = content.decode(errors="replace").splitlines()
        passages = (
            ("\n".join(lines[start : start + _LINES_PER_PASSAGE]), name, start + 1)
            for start in range(0, len(lines), _LINES_PER_PASSAGE)
        )
        self._base.executemany("INSERT INTO passages VALUES (?, ?, ?)", passages)

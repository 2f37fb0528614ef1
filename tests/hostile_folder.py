"""Commands against a fresh package, and what they leave behind."""

import json
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from hostile import Json, document
from hostile_outcome import PATIENCE, check_printed, within
from openresponses_codegen.cli import main
from openresponses_codegen.output import MANIFEST

Tree = dict[str, object]


def tree(folder: Path) -> Tree:
    """Everything in a folder: what a file holds, where a link leads, and that a folder is one."""
    found: Tree = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = path.readlink()
        else:
            found[name] = path.read_bytes() if path.is_file() else path.is_dir()
    return found


def run(*arguments: str | Path) -> Result:
    """A command; it ends by itself, and whatever it prints can be sent to a terminal."""
    with within(PATIENCE):
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    check_printed(result.output)
    assert "Traceback (most" not in result.output
    return result


def refused(result: Result, *codes: str) -> None:
    """One clear error, and the exit code of bad input."""
    assert result.exit_code == 2, result.output
    assert result.output.count("error: ") == 1, result.output
    assert any(f"[{code}]" in result.output for code in codes), result.output


@cache
def _made() -> tuple[bytes, dict[str, bytes]]:
    """A document, and the package that it gives."""
    content = json.dumps(document()).encode()
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "small.json").write_bytes(content)
        assert run("generate", Path(name) / "small.json", "--output", Path(name) / "kit").exit_code == 0
        return content, {path.name: path.read_bytes() for path in (Path(name) / "kit").iterdir()}


def fresh(folder: Path) -> tuple[Path, Path, Path]:
    """A document, another one that gives different files, and the package of the first, alone in its parent folder."""
    content, files = _made()
    kit = folder / "parent" / "kit"
    kit.mkdir(parents=True)
    for name, text in files.items():
        (kit / name).write_bytes(text)
    small, other = folder / "small.json", folder / "other.json"
    small.write_bytes(content)
    other.write_bytes(content.replace(b"2026-01-01", b"2026-02-02"))
    return small, other, kit


def rewritten(folder: Path, change: Callable[[Json], Any]) -> None:
    """Change the manifest of a package."""
    content = json.loads((folder / MANIFEST).read_text())
    change(content)
    (folder / MANIFEST).write_text(json.dumps(content))


def restore(folder: Path, content: Tree) -> None:
    """Make a folder hold files again, and nothing else."""
    shutil.rmtree(folder)
    for name, value in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(value, bytes):
            path.write_bytes(value)

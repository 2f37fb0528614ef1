"""Writing: into the folder and nowhere else, all of it or nothing, and nobody's work is lost."""

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hostile_folder import fresh, refused, restore, rewritten, run, tree
from openresponses_codegen.cli import main
from openresponses_codegen.output import MANIFEST, digest


@pytest.fixture
def package(tmp_path) -> tuple[Path, Path, Path]:
    """A document, another one, and the package of the first."""
    return fresh(tmp_path)


@pytest.fixture
def small(package) -> Path:
    return package[0]


@pytest.fixture
def other(package) -> Path:
    return package[1]


@pytest.fixture
def kit(package) -> Path:
    return package[2]


# Links and things that are no folder -------------------------------------------------------------------------


def _link_folder(folder: Path, victim: Path) -> None:
    shutil.rmtree(folder)
    folder.symlink_to(victim)


def _link_parent(folder: Path, victim: Path) -> None:
    shutil.rmtree(folder.parent)
    folder.parent.symlink_to(victim)


def _link_file(name: str, *, to: str = "models.py") -> Callable[[Path, Path], None]:
    def link(folder: Path, victim: Path) -> None:
        (folder / name).unlink()
        (folder / name).symlink_to(victim / to)

    return link


def _replaced(folder: Path, make: Callable[[Path], Any]) -> None:
    shutil.rmtree(folder)
    make(folder)


OBSTACLES: Mapping[str, tuple[Callable[[Path, Path], Any], str]] = {
    "link": (_link_folder, "output-behind-link"),
    "link-to-nothing": (lambda folder, victim: _link_folder(folder, victim / "new"), "output-behind-link"),
    "link-to-itself": (lambda folder, _: _link_folder(folder, folder), "output-behind-link"),
    "link-as-parent": (_link_parent, "output-behind-link"),
    "link-as-file": (_link_file("models.py"), "output-behind-link"),
    "link-as-new-file": (_link_file("events.py", to="new.py"), "output-behind-link"),
    "link-as-manifest": (_link_file(MANIFEST), "bad-manifest"),
    "file": (lambda folder, _: _replaced(folder, Path.touch), "bad-output"),
    "pipe": (lambda folder, _: _replaced(folder, os.mkfifo), "bad-output"),
    "file-as-parent": (lambda folder, _: _replaced(folder.parent, Path.touch), "bad-output"),
    "folder-as-file": (lambda folder, _: _replaced_file(folder / "models.py", Path.mkdir), "bad-output"),
    "pipe-as-file": (lambda folder, _: _replaced_file(folder / "models.py", os.mkfifo), "bad-output"),
    "folder-as-manifest": (lambda folder, _: _replaced_file(folder / MANIFEST, Path.mkdir), "bad-manifest"),
    "pipe-as-manifest": (lambda folder, _: _replaced_file(folder / MANIFEST, os.mkfifo), "bad-manifest"),
}


def _replaced_file(path: Path, make: Callable[[Path], Any]) -> None:
    path.unlink()
    make(path)


@pytest.mark.parametrize("options", [["generate"], ["generate", "--force"], ["generate", "--dry-run"], ["check"]])
@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_an_output_that_is_no_plain_folder(obstacle, options, kit, other, tmp_path) -> None:
    """A link is not followed, a file is not replaced, and nothing changes on either side of it."""
    victim = tmp_path / "victim"
    shutil.copytree(kit, victim / "kit")
    shutil.copytree(kit, victim, dirs_exist_ok=True)
    make, code = OBSTACLES[obstacle]
    make(kit, victim)
    before = tree(tmp_path)
    # With --force the manifest is not read, and what stands in its place is no file to write to.
    refused(run(*options, other, "--output", kit), code, "bad-output", "output-behind-link")
    assert before == tree(tmp_path)


@pytest.mark.parametrize("name", ["..", ".", "kit/..", "", "/", "x" * 300, "\x1b[2J", "a\nb", "class", "1", "~", "a b"])
def test_an_output_with_a_hostile_name(name, small, tmp_path, monkeypatch) -> None:
    """A name that is no folder's, or no package's, is refused, and shown safely."""
    (tmp_path / "here" / "kit").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    for options in ([], ["--package", "kit"]):
        result = run("generate", small, "--output", name, *options)
        if result.exit_code == 0:
            assert options, "only a name that is given makes up for a folder that cannot be imported"
            shutil.rmtree(name)
        assert result.exit_code in {0, 2}
        assert tree(Path()) == {"kit": True}


@pytest.mark.parametrize(
    "name",
    ["a; import os", "a\nimport os", "class", "a.class", "a..b", ".a", "..", "", "a-b", "\uff41", "{{ 1 }}", '"""'],
)
def test_a_package_with_a_hostile_name(name, small, tmp_path) -> None:
    """The name of a package stands in a docstring; it has to be one."""
    result = run("generate", small, "--output", tmp_path / "new", "--package", name)
    if name:  # none at all is as good as leaving it to the folder
        refused(result, "bad-package")
        assert not (tmp_path / "new").exists()


# Files of other people ---------------------------------------------------------------------------------------


def test_foreign_files_stay_as_they_are(kit, other, small) -> None:
    """What the manifest does not own is none of the generator's business."""
    foreign = {"notes.txt": "n", ".hidden": "h", "sub/own.py": "o", "models.pyi": "p", "generation.json.bak": "b"}
    for name, text in foreign.items():
        (kit / name).parent.mkdir(exist_ok=True)
        (kit / name).write_text(text)
    (kit / "link").symlink_to(kit / "notes.txt")
    for spec, options in ((other, []), (small, ["--components", "models"]), (other, ["--force"])):
        assert run("generate", spec, "--output", kit, *options).exit_code == 0
        assert {name: (kit / name).read_text() for name in foreign} == foreign
        assert (kit / "link").is_symlink()


def test_a_foreign_file_that_a_manifest_claims(kit, other) -> None:
    """It is deleted only if the manifest knows what is in it; otherwise it is kept, and that is said."""
    for name in ("claimed.py", "known.py"):
        (kit / name).write_text("precious")
    files = {"claimed.py": digest(b"something else"), "known.py": digest(b"precious")}
    rewritten(kit, lambda content: content["files"].update(files))
    result = run("generate", other, "--output", kit)
    assert result.exit_code == 0
    assert (kit / "claimed.py").read_text() == "precious"
    assert "claimed.py" in result.output
    assert not (kit / "known.py").exists()


def test_an_edited_file_is_not_overwritten(kit, other) -> None:
    """The error names the file, nothing at all is written, and `--force` overwrites it."""
    (kit / "models.py").write_text("# mine\n")
    before = tree(kit.parent)
    for options in ([], ["--dry-run"]):
        result = run("generate", other, "--output", kit, *options)
        refused(result, "edited-by-hand")
        assert str(kit / "models.py") in result.output
        assert tree(kit.parent) == before
    assert run("generate", other, "--output", kit, "--force", "--dry-run").exit_code == 0
    assert tree(kit.parent) == before
    assert run("generate", other, "--output", kit, "--force").exit_code == 0
    assert "# mine" not in (kit / "models.py").read_text()


def test_a_file_in_the_way_is_not_overwritten(small, tmp_path) -> None:
    """A folder without a manifest belongs to somebody else."""
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "__init__.py").write_text("# mine\n")
    before = tree(tmp_path)
    refused(run("generate", small, "--output", tmp_path / "new"), "edited-by-hand")
    assert tree(tmp_path) == before


def test_stale_files(kit, small) -> None:
    """What is no longer produced is deleted, unless somebody edited it."""
    (kit / "params.py").write_text("# mine\n")
    result = run("generate", small, "--output", kit, "--components", "models")
    assert result.exit_code == 0
    assert not (kit / "events.py").exists()
    assert (kit / "params.py").read_text() == "# mine\n"
    assert "params.py" in result.output


def test_what_stands_in_edited_files_is_shown_safely(kit, small) -> None:
    """`check` prints a diff of a file that anybody may have written."""
    (kit / "models.py").write_bytes(b"\x1b]0;owned\x07\x9b31m\xff\x00\n\xe2\x80\xae x\r\n" + b"y" * 100_000)
    for options in ([], ["--json"]):
        result = run("check", small, "--output", kit, *options)
        assert result.exit_code == 1


# Failures ----------------------------------------------------------------------------------------------------


class Failing:
    """A method that fails at some calls, the first of them the `first`."""

    def __init__(self, original: Callable[..., Any], first: int, last: int, error: BaseException) -> None:
        self._original, self._first, self._last, self._error = original, first, last, error
        self.calls = 0

    def __get__(self, path: Path, _: type) -> Callable[..., Any]:
        def call(*arguments: object, **options: object) -> object:
            self.calls += 1
            if self._first <= self.calls <= self._last:
                raise self._error
            return self._original(path, *arguments, **options)

        return call


FULL = OSError(errno.ENOSPC, "No space left on device")
DENIED = PermissionError(errno.EACCES, "Permission denied")


def changing(kit: Path) -> None:
    """Give an update something to delete, to change, and to add."""
    (kit / "stale.py").write_text("stale")
    (kit / "events.py").unlink()
    rewritten(kit, lambda content: content["files"].update({"stale.py": digest(b"stale")}))


def test_nothing_is_half_written(kit, other, monkeypatch) -> None:
    """Whichever step fails, everything is as it was, with nothing left lying about; then the same steps succeed."""
    changing(kit)
    before = tree(kit.parent)
    succeeded = False
    for method in ("replace", "write_bytes", "mkdir"):
        for number in range(1, 40):
            failing = Failing(getattr(Path, method), number, number, FULL if number % 2 else DENIED)
            with monkeypatch.context() as patch:
                patch.setattr(Path, method, failing)
                # Formatting and the API report work elsewhere, and may fail as well; that is not what this is about.
                patch.setattr("openresponses_codegen.render.formatted", dict)
                patch.setattr("openresponses_codegen.cli.generate.changes_of", lambda *_: None)
                result = run("generate", other, "--output", kit)
            if failing.calls < number:
                succeeded = True
                assert result.exit_code == 0
                restore(kit.parent, before)
                break
            if result.exit_code == 0:  # a folder that is there already
                assert method == "mkdir"
                restore(kit.parent, before)
                continue
            refused(result, "not-writable")
            assert tree(kit.parent) == before, f"{method} no. {number} failed"
    assert succeeded


@pytest.mark.parametrize("number", range(1, 7))
def test_a_failed_first_run_leaves_no_folder(number, small, tmp_path, monkeypatch) -> None:
    """Folders that were made for a package that never came are gone again."""
    before = tree(tmp_path)
    monkeypatch.setattr(Path, "replace", Failing(Path.replace, number, number, FULL))
    refused(run("generate", small, "--output", tmp_path / "deep" / "down" / "kit"), "not-writable")
    assert tree(tmp_path) == before


@pytest.mark.parametrize("number", range(1, 14))
def test_an_interrupted_run_loses_nothing(number, kit, other, monkeypatch) -> None:
    """Ctrl-C in the middle is a failure like any other."""
    changing(kit)
    before = tree(kit.parent)
    failing = Failing(Path.replace, number, number, KeyboardInterrupt())
    monkeypatch.setattr(Path, "replace", failing)
    result = CliRunner().invoke(main, ["generate", str(other), "--output", str(kit)])
    if failing.calls >= number:
        assert result.exit_code != 0
        assert tree(kit.parent) == before


@pytest.mark.parametrize("number", range(1, 14, 3))
def test_a_disk_that_dies_loses_nothing(number, kit, other, monkeypatch) -> None:
    """When even putting back fails, what was there before is still to be found somewhere."""
    changing(kit)
    before = {value for value in tree(kit.parent).values() if isinstance(value, bytes)}
    failing = Failing(Path.replace, number, 10**9, FULL)
    monkeypatch.setattr(Path, "replace", failing)
    result = run("generate", other, "--output", kit)
    if failing.calls >= number:
        assert result.exit_code == 2
        assert before <= set(tree(kit.parent).values())


def test_an_output_that_cannot_be_written(small, tmp_path, monkeypatch) -> None:
    """Tests may run as root, who can write everywhere: the refusal of the system is played."""
    make = tempfile.mkdtemp

    def deny(*arguments: Any, **options: Any) -> str:
        if str(options.get("dir") or "").startswith(str(tmp_path)):
            raise DENIED
        return make(*arguments, **options)

    before = tree(tmp_path)
    monkeypatch.setattr(tempfile, "mkdtemp", deny)
    refused(run("generate", small, "--output", tmp_path / "new" / "kit"), "not-writable")
    assert tree(tmp_path) == before


def test_no_room_to_work_in(small, tmp_path, monkeypatch) -> None:
    """Where no temporary folder can be made, there is an error like any other."""

    def deny(*_: object, **__: object) -> None:
        raise FULL

    before = tree(tmp_path)
    monkeypatch.setattr(tempfile, "mkdtemp", deny)
    result = run("generate", small, "--output", tmp_path / "new" / "kit")
    assert result.exit_code == 2
    assert tree(tmp_path) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")
def test_an_output_in_a_read_only_folder(small, tmp_path) -> None:
    """The same, when the system really refuses."""
    tmp_path.chmod(0o500)
    refused(run("generate", small, "--output", tmp_path / "new"), "not-writable")


def test_leftovers_of_another_run_are_no_obstacle(kit, other) -> None:
    """A run that was killed, or goes on at the same time, has folders of its own; they stay untouched."""
    leftovers = [kit.parent / ".kit-abcdefgh", kit.parent / ".kit-", kit.parent / "kit.tmp"]
    for folder in leftovers:
        (folder / "new").mkdir(parents=True)
        (folder / "new" / "models.py").write_text("left over")
    (kit.parent / ".kit-12345678").write_text("a file")
    before = tree(kit.parent)
    assert run("generate", other, "--output", kit).exit_code == 0
    after = tree(kit.parent)
    assert after.keys() == before.keys()
    assert {name for name in after if after[name] != before[name]} <= {
        name for name in after if name.startswith("kit/")
    }

"""The command `update`."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import click

from openresponses_codegen import pipeline, resources, source
from openresponses_codegen.cli import candidates
from openresponses_codegen.cli.config import FILE, TABLE, Target, find_config, load_config
from openresponses_codegen.cli.diff import rendered
from openresponses_codegen.cli.generate import How, Prepared, prepare, tell
from openresponses_codegen.cli.options import DRIFT, input_errors, reporting
from openresponses_codegen.cli.report import Reporter
from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError, Position
from openresponses_codegen.diff import Report, Severity
from openresponses_codegen.output import write
from openresponses_codegen.update import LOCK, Entry, Lock, Network, fetch, networks, read_lock


@dataclass(frozen=True, slots=True)
class _Project:
    """A configuration, and what goes with it."""

    config: Path
    targets: tuple[Target, ...]
    lock: Lock

    @property
    def folder(self) -> Path:
        """Where the configuration and the lock lie."""
        return self.config.parent

    def files(self) -> tuple[Path, ...]:
        """The documents that are files of the user's own, each once."""
        names = (each.spec for each in self.targets if each.spec is not None and not _is_bundled(each.spec))
        return tuple(dict.fromkeys(map(Path, names)))

    def key(self, path: Path) -> str:
        """What the lock calls a file."""
        return Path(os.path.relpath(path, self.folder)).as_posix()


@dataclass(frozen=True, slots=True)
class _Wish:
    """What the command line says about the document to take."""

    spec: Path | None
    release: str | None
    origin: str | None
    allowed: tuple[Network, ...]


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A document that is to take the place of a file."""

    path: Path
    content: bytes
    url: str | None


@dataclass(frozen=True, slots=True)
class _Update:
    """What an arrival comes to: nothing is written yet."""

    arrival: _Arrival
    entry: Entry
    report: Report | None
    """None when there is no earlier document to compare with."""
    packages: tuple[Prepared, ...]


@click.command()
@click.argument("release", required=False, shell_complete=candidates.releases)
@click.option(
    "--from", "origin", metavar="URL|FILE", help="Where the document is [default: where the lock has it from]."
)
@click.option(
    "--spec", metavar="FILE", type=click.Path(path_type=Path), help="Which document, if the configuration has several."
)
@click.option("--locked", is_flag=True, help="Refuse a document whose checksum is not that of the lock.")
@click.option(
    "--allow-address",
    "allowed",
    metavar="ADDRESS",
    multiple=True,
    help="An address or range that is not of the public internet, such as 10.1.0.0/16, to fetch from [repeatable].",
)
@click.option("--dry-run", is_flag=True, help="Show what would be done, and write nothing.")
@click.option("--force", is_flag=True, help="Overwrite files that were edited by hand.")
@click.option("--keep-edited", is_flag=True, help="Leave files that were edited by hand, with ours as FILE.new beside.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask before breaking changes.")
@click.option(
    "--fail-on",
    type=click.Choice([each.value for each in Severity]),
    help="Write nothing, and exit with 1, when a change is as bad as that or worse.",
)
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A pyproject.toml [default: the nearest one that has our table].",
)
@reporting
def update(
    *,
    release: str | None,
    origin: str | None,
    spec: Path | None,
    locked: bool,
    allowed: tuple[str, ...],
    dry_run: bool,
    force: bool,
    keep_edited: bool,
    yes: bool,
    fail_on: str | None,
    config: Path | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Take a newer document into your project, and generate its packages from it.

    The document comes from a URL or a file, or is the bundled one of RELEASE, and takes the place of the file that
    `spec` names in the configuration. It is validated, and what changes is shown; then the packages of that document
    are generated, and all of it is written, with the lock that says where the document came from. When any step
    fails, nothing changes.

    The network is reached by HTTPS alone, and by this command alone.

    \b
    Examples:
      openresponses-codegen update --from https://example.com/openapi.json
      openresponses-codegen update --dry-run        # from where the lock has it
      openresponses-codegen update 2026-04-24 --fail-on breaking
    """
    reporter = Reporter(quiet=quiet, as_json=as_json)
    if release is not None and origin is not None:
        raise click.UsageError("a release and --from name two documents: give one of them")
    if force and keep_edited:
        raise click.UsageError("--force overwrites what --keep-edited keeps: give one of them")
    with input_errors(reporter):
        project = _project(config)
        if origin is None:
            _tell_bundled(project, release, reporter)
        wish = _Wish(spec, release, origin, networks(allowed))
        arrivals = list(_arrivals(project, wish, reporter))
        if locked:
            _check_locked(project, arrivals)
        updates = [_prepared(project, each, reporter, How(dry_run, force, keep_edited)) for each in arrivals]
        for each in updates:
            _tell(each, reporter)
        is_wanted = _is_wanted(updates, reporter, fail_on=fail_on, ask=not (yes or dry_run))
        if is_wanted and not dry_run:
            _write(project, updates)
        packages = [
            tell(each, reporter, dry_run=dry_run) for update in updates for each in update.packages if is_wanted
        ]
    reporter.json(
        {
            "dry_run": dry_run,
            "written": is_wanted and not dry_run,
            "specs": [_as_dict(project, each) for each in updates],
            "packages": packages,
        }
    )
    if not is_wanted:
        sys.exit(DRIFT)


def _project(config: Path | None) -> _Project:
    path = config or find_config(Path.cwd())
    if path is None:
        hint = f"write [tool.{TABLE}] with `spec` and `output` into your {FILE}, or use `generate`"
        raise DiagnosticError([Diagnostic("no-config", "no configuration says what to update", hint=hint)])
    return _Project(path, load_config(path), read_lock(path.parent))


def _is_bundled(name: str) -> bool:
    return name in resources.releases()


def _tell_bundled(project: _Project, release: str | None, reporter: Reporter) -> None:
    """Say which line to change for packages of a bundled release: the configuration is the user's."""
    wanted = release or next(reversed(resources.releases()))
    text = project.config.read_text(encoding="utf-8")
    for name in dict.fromkeys(each.spec for each in project.targets):
        if name is None and release is None:
            reporter.say(f"{project.config}: names no document, so the newest release is used: run `generate`")
        elif name is not None and _is_bundled(name) and name != wanted:
            _tell_changes(pipeline.compare(pipeline.load_spec(name), pipeline.load_spec(_known(wanted))), reporter)
            stated = re.search(rf"""^[^#\n]*\bspec\s*=\s*["']{re.escape(name)}["']""", text, re.MULTILINE)
            line = text.count("\n", 0, stated.end()) + 1 if stated else 1
            place = Position(str(project.config), line, 1)
            reporter.say(f'{place}: write `spec = "{wanted}"` here, then run `generate`', fg="yellow")
        elif name == wanted:
            reporter.say(f"{project.config}: `{name}` is the release to use", fg="green")


def _arrivals(project: _Project, wish: _Wish, reporter: Reporter) -> Iterator[_Arrival]:
    """The documents to take, each with the file whose place it takes."""
    for path in _chosen(project, wish):
        entry = project.lock.specs.get(project.key(path))
        origin = wish.origin or (entry.url if entry is not None else None)
        if wish.release is not None:
            yield _Arrival(path, pipeline.load_spec(_known(wish.release)).content, None)
        elif origin is None:
            hint = "say where with `--from`, or give the name of a release"
            message = f"nothing says where {project.key(path)} comes from"
            raise DiagnosticError([Diagnostic("no-origin", message, hint=hint)])
        elif "://" in origin:
            with reporter.progress() as progress:
                progress(f"Fetching {origin}")
                yield _Arrival(path, fetch(origin, wish.allowed), origin)
        else:
            yield _Arrival(path, source.read(Path(origin)), None)


def _chosen(project: _Project, wish: _Wish) -> tuple[Path, ...]:
    """The files that are meant. Raises `DiagnosticError` where one document is given, and not one file for it."""
    one, spec = wish.release is not None or wish.origin is not None, wish.spec
    files = project.files()
    names = ", ".join(map(project.key, files))
    if spec is not None:
        files = tuple(each for each in files if each.resolve() == spec.resolve())
        if not files:
            hint = f"it lists {names}" if names else f'write `spec = "{spec.name}"` there'
            message = f"no package of {project.config} is made from {spec}"
            raise DiagnosticError([Diagnostic("unknown-spec", message, hint=hint)])
    if one and len(files) > 1:
        hint = f"choose one with `--spec`: {names}"
        raise DiagnosticError([Diagnostic("several-specs", f"{project.config} lists several documents", hint=hint)])
    if wish.origin is not None and not files:
        hint = 'write `spec = "openapi.json"` there: the document is put into that file'
        raise DiagnosticError([Diagnostic("no-spec", f"{project.config} names no file for the document", hint=hint)])
    return files


def _known(release: str) -> str:
    if _is_bundled(release):
        return release
    hint = f"there are {', '.join(resources.releases())}; a file or a URL is given with `--from`"
    raise DiagnosticError([Diagnostic("unknown-release", f"`{release}` is no bundled release", hint=hint)])


def _check_locked(project: _Project, arrivals: Sequence[_Arrival]) -> None:
    for each in arrivals:
        key = project.key(each.path)
        entry = project.lock.specs.get(key)
        found = sha256(each.content).hexdigest()
        if entry is None or entry.sha256 != found:
            expected = entry.sha256 if entry is not None else "none"
            message = f"{key}: the document has the checksum {found}, and the lock has {expected}"
            hint = "look at what changed without `--locked`, then update"
            place = Position(str(project.folder / LOCK), 1, 1)
            raise DiagnosticError([Diagnostic("not-locked", message, position=place, hint=hint)])


def _prepared(project: _Project, arrival: _Arrival, reporter: Reporter, how: How) -> _Update:
    """Validate a document, compare it with the one that is there, and render the packages that are made from it."""
    targets = [each for each in project.targets if each.spec is not None and Path(each.spec) == arrival.path]
    specs = [_spec(each, arrival.content) for each in targets]
    new = pipeline.lower_spec(specs[0], lenient=targets[0].lenient or False)
    report = _compared(targets[0], specs[0], arrival.path, reporter)
    packages = (prepare(target, spec, reporter, how) for target, spec in zip(targets, specs, strict=True))
    return _Update(arrival, _entry(arrival, new), report, tuple(packages))


def _compared(target: Target, new: pipeline.Spec, path: Path, reporter: Reporter) -> Report | None:
    """What changes from the document that is there; None when there is none that can be read."""
    if not path.exists():
        return None
    old = _spec(target, source.read(path))
    old, new = replace(old, name=f"{path.name} (old)"), replace(new, name=f"{path.name} (new)")
    try:
        pipeline.lower_spec(old, lenient=target.lenient or False)
    except DiagnosticError:
        reporter.say(f"{path}: the document that is there cannot be read, and is not compared", fg="yellow")
        return None
    return pipeline.compare(old, new, target.severities, lenient=target.lenient or False)


def _entry(arrival: _Arrival, layered: pipeline.Lowered) -> Entry:
    """What the lock says of a document: what it is without what is laid over it, if that makes it whole."""
    try:
        found = pipeline.lower_spec(pipeline.Spec(str(arrival.path), arrival.content), lenient=True)
    except DiagnosticError:
        found = layered
    return Entry(arrival.url, sha256(arrival.content).hexdigest(), found.api.release, found.fingerprint)


def _spec(target: Target, content: bytes) -> pipeline.Spec:
    """A document under the name of the one that a target is made from, with what is laid over it."""
    layers = pipeline.load_layers(target.extensions or (), target.overlays or ())
    return pipeline.Spec(target.spec or "", content, layers)


def _tell(update: _Update, reporter: Reporter) -> None:
    origin = update.arrival.url or "the document given"
    if update.report is not None:
        _tell_changes(update.report, reporter)
    reporter.say(f"{update.arrival.path}: Open Responses {update.entry.release} from {origin}", bold=True)


def _tell_changes(report: Report, reporter: Reporter) -> None:
    if not reporter.quiet and not reporter.as_json:
        reporter.raw(rendered([report], "text", colours=True))


def _is_wanted(updates: Sequence[_Update], reporter: Reporter, *, fail_on: str | None, ask: bool) -> bool:
    """Whether to go on, by `--fail-on` and by the answer of whoever watches."""
    reports = [each.report for each in updates if each.report is not None]
    if fail_on is not None and any(each.at_least(Severity(fail_on)) for each in reports):
        reporter.say(f"There are changes that are {fail_on}: nothing was changed", fg="red")
        return False
    if ask and sys.stdin.isatty() and any(each.at_least(Severity.BREAKING) for each in reports):
        if click.confirm("There are breaking changes. Go on?", err=True):
            return True
        reporter.say("Nothing was changed")
        return False
    return True


def _write(project: _Project, updates: Sequence[_Update]) -> None:
    lock = project.lock
    for each in updates:
        lock = lock.including(project.key(each.arrival.path), each.entry)
    documents = {each.arrival.path: each.arrival.content for each in updates}
    if updates:
        documents[project.folder / LOCK] = lock.text().encode()
    changed = {path: content for path, content in documents.items() if _current(path) != content}
    plans = [package.plan for each in updates for package in each.packages if package.plan is not None]
    write(*plans, documents=changed)


def _current(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() and not path.is_symlink() else None


def _as_dict(project: _Project, update: _Update) -> dict[str, Any]:
    report = update.report
    return {
        "spec": project.key(update.arrival.path),
        **asdict(update.entry),
        "changes": None if report is None else {key.value: count for key, count in report.counts.items()},
    }

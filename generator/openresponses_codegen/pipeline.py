"""The pipeline: a document in, the files of a package out. Writing, checking and showing are shells around it."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from openresponses_codegen import __version__, ir, openapi, resources, source
from openresponses_codegen.collector import collector_paused
from openresponses_codegen.components import COMPONENTS, REQUIRES, extras_of, requires_of
from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError, Diagnostics, Position
from openresponses_codegen.lower import addition, fingerprint, lower
from openresponses_codegen.output import MANIFEST, Inputs, Manifest, digest, is_own

if TYPE_CHECKING:
    from openresponses_codegen import overlay
    from openresponses_codegen.diff import Edition, Report, Severity
    from openresponses_codegen.overrides import Overrides


DOCUMENT = "openapi.json"
"""The file in a package with a server that holds the document it came from."""
STUBS: Mapping[str, str] = {"service.py": "server"}
"""The files that can be written once for the user to go on with, each with the component that it needs."""
_TOOLS = ("datamodel-code-generator", "ruff")

Progress = Callable[[str], None]
"""Is told what is being done, in a few words."""


@dataclass(frozen=True, slots=True)
class Layer:
    """What is laid over a document, as bytes: a vendor's extension, or an OpenAPI Overlay."""

    kind: Literal["extension", "overlay"]
    name: str
    """The name that diagnostics call it by."""
    content: bytes


@dataclass(frozen=True, slots=True)
class Spec:
    """A document as bytes, the name that diagnostics call it by, and what is laid over it, in order."""

    name: str
    content: bytes
    layers: tuple[Layer, ...] = ()


@dataclass(frozen=True, slots=True)
class Distribution:
    """How a package is packed, where it is a distribution of its own."""

    name: str
    revision: int = 0
    """Counts what was published of one release of the spec."""
    licence: str = "Apache-2.0"
    """An SPDX expression."""


@dataclass(frozen=True, slots=True)
class Options:
    """What to make of a document."""

    package: str
    components: tuple[str, ...] = tuple(COMPONENTS)
    lenient: bool = False
    templates: Path | None = None
    """A folder of templates of the user's own."""
    own: tuple[str, ...] = ()
    """Patterns of the files, relative to the package's folder, that are the user's own."""
    stubs: tuple[str, ...] = ()
    """Files to begin with for the user, of `STUBS`."""
    distribution: Distribution | None = None
    """None for a package that is a folder in the user's own code."""
    base: str = ""
    """The import name of an installed package of the spec, when only what extensions add is wanted beside it."""

    @property
    def root(self) -> str:
        """Where the package lies in the output folder: nothing, or a path that ends in a slash."""
        return "" if self.distribution is None else f"src/{self.package.replace('.', '/')}/"

    @property
    def stub_paths(self) -> tuple[str, ...]:
        """Where the stubs lie in the output folder."""
        return tuple(f"{self.root}{name}" for name in self.stubs)


@dataclass(frozen=True, slots=True)
class Lowered:
    """A document that was understood."""

    document: openapi.Document
    api: ir.Api
    fingerprint: str
    warnings: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Package:
    """A generated package: its files by path, the manifest among them."""

    files: Mapping[str, str]
    manifest: Manifest
    api: ir.Api
    warnings: tuple[Diagnostic, ...]
    own: Mapping[str, str]
    """What would stand in files that are the user's own, by path: only stubs are ever written, and once."""


def load_spec(name: str, *, extensions: Iterable[str] = (), overlays: Iterable[str] = ()) -> Spec:
    """The document of a release name, of a path, or of standard input (`-`), and what is laid over it.

    Raises `DiagnosticError` when there is no such file, or it is too large.
    """
    layers = load_layers(extensions, overlays)
    if name == "-":
        return Spec("<stdin>", sys.stdin.buffer.read(source.MAX_BYTES + 1), layers)
    path = resources.releases().get(name, Path(name))
    return Spec(name if path != Path(name) else str(path), source.read(path), layers)


def load_layers(extensions: Iterable[str] = (), overlays: Iterable[str] = ()) -> tuple[Layer, ...]:
    """What is laid over a document, extensions first.

    An extension is a bundled one by name, or a path; an overlay is a path. Raises `DiagnosticError` as `load_spec`.
    """
    bundled = resources.extensions()
    layers = [Layer("extension", each, source.read(bundled.get(each, Path(each)))) for each in extensions]
    return (*layers, *(Layer("overlay", each, source.read(Path(each))) for each in overlays))


def lower_spec(spec: Spec, *, lenient: bool = False) -> Lowered:
    """The representation of a document. Raises `DiagnosticError` with everything that is wrong with it."""
    try:
        return _lowered(spec, lenient=lenient)
    except RecursionError:
        raise DiagnosticError([_too_deep("its schemas refer to each other too deeply", spec)]) from None


def _too_deep(message: str, spec: Spec) -> Diagnostic:
    return Diagnostic("too-deep", message, position=Position(spec.name, 1, 1), hint="make the document flatter")


def _lowered(spec: Spec, *, lenient: bool) -> Lowered:
    diagnostics = Diagnostics()
    document = openapi.read(_merged(spec, diagnostics, lenient=lenient), diagnostics, lenient=lenient)
    api = lower(document, diagnostics)  # even after errors, so that all of them are reported together
    diagnostics.raise_if_errors()
    warnings = diagnostics.items
    return Lowered(document, api, fingerprint(document, Diagnostics()), warnings)


def _merged(spec: Spec, diagnostics: Diagnostics, *, lenient: bool) -> source.Node:
    """The document with its layers applied. Raises `DiagnosticError` when one of them is wrong or does not fit."""
    node = source.parse(spec.content, spec.name)
    if not spec.layers:
        return node
    from openresponses_codegen import layers  # noqa: PLC0415 - most documents have no layers

    return layers.merged(node, _overlays(spec, node, diagnostics), diagnostics, lenient=lenient)


def _overlays(spec: Spec, document: source.Node, diagnostics: Diagnostics) -> tuple[overlay.Overlay, ...]:
    from openresponses_codegen import layers  # noqa: PLC0415

    nodes = [(each.kind, source.parse(each.content, each.name)) for each in spec.layers]
    extensions, given = ([node for each, node in nodes if each == kind] for kind in ("extension", "overlay"))
    return layers.overlays(extensions, given, document, diagnostics)


def compile_layers(spec: Spec) -> tuple[tuple[source.Plain, ...], tuple[Diagnostic, ...]]:
    """The layers of a document as overlays, in plain data, and what there is to say about them.

    Raises `DiagnosticError` with everything that is wrong with them, or where they do not fit the document.
    """
    from openresponses_codegen import overlay  # noqa: PLC0415 - used by one command

    lowered = lower_spec(spec)
    overlays = _overlays(spec, source.parse(spec.content, spec.name), Diagnostics())
    return tuple(overlay.plain(each) for each in overlays), lowered.warnings


def compare(old: Spec, new: Spec, severities: Mapping[str, Severity] | None = None, *, lenient: bool = False) -> Report:
    """What differs between two documents, with other severities of some rules. Raises `DiagnosticError` as they do."""
    from openresponses_codegen import diff  # noqa: PLC0415 - keeps the other commands fast

    with collector_paused():
        return diff.compare(_edition(old, lenient=lenient), _edition(new, lenient=lenient), severities)


def _edition(spec: Spec, *, lenient: bool) -> Edition:
    """A document for a comparison, which asks for less of it than code does."""
    from openresponses_codegen.diff import Edition  # noqa: PLC0415

    diagnostics = Diagnostics()
    try:
        node = _merged(spec, diagnostics, lenient=lenient)
        document = openapi.read(node, diagnostics, lenient=lenient, for_code=False)
        edition = Edition(spec.name, document, diagnostics)
    except RecursionError:
        raise DiagnosticError([_too_deep("its schemas refer to each other too deeply", spec)]) from None
    diagnostics.raise_if_errors()
    return edition


def examine(spec: Spec) -> tuple[Diagnostic, ...]:
    """Everything that is wrong with a document: what a package cannot be made of, and what stops nothing."""
    from openresponses_codegen import doctor  # noqa: PLC0415 - used by one command

    try:
        lowered = lower_spec(spec)
        found = lowered.warnings
    except DiagnosticError as error:
        found = error.diagnostics
        try:
            lowered = lower_spec(spec, lenient=True)
        except DiagnosticError:
            return found
    try:
        return (*found, *doctor.examine(lowered.document))
    except RecursionError:
        return (*found, _too_deep("its examples or schemas are nested too deeply", spec))


def schema_of(api: ir.Api) -> dict[str, Any]:
    """The normalised schema that datamodel-code-generator is given."""
    from openresponses_codegen.models import normalised_schema  # noqa: PLC0415 - keeps the fast paths fast

    return normalised_schema(api)


def inputs_of(spec: Spec, options: Options) -> Inputs:
    """Everything that decides what comes out, without making it."""
    user = overrides_of(options)
    from importlib import metadata  # noqa: PLC0415 - imports slowly

    ours = resources.tree_digest(resources.templates(), "*")
    return Inputs(
        spec=digest(spec.content),
        layers=_layer_digests(spec.layers),
        templates=ours if user is None else digest(f"{ours} {user.digest}".encode()),
        overridden=user.summary if user is not None else {},
        generator=resources.tree_digest(Path(__file__).parent, "*.py", "*.toml"),
        version=__version__,
        tools={name: metadata.version(name) for name in _TOOLS},
        package=options.package,
        components=options.components,
        lenient=options.lenient,
        own=options.own,
        stubs=options.stub_paths,
        distribution=_distribution(options),
        base=options.base,
    )


def _layer_digests(layers: Iterable[Layer]) -> dict[str, str]:
    """The digest of each layer by kind and file name; of those with the same name the later ones are numbered."""
    digests: dict[str, str] = {}
    times = Counter[str]()
    for layer in layers:
        name = f"{layer.kind} {Path(layer.name).name}"
        times[name] += 1
        digests[name if times[name] == 1 else f"{name} ({times[name]})"] = digest(layer.content)
    return digests


def _distribution(options: Options) -> dict[str, str]:
    packed = options.distribution
    if packed is None:
        return {}
    return {"name": packed.name, "revision": str(packed.revision), "licence": packed.licence}


def overrides_of(options: Options) -> Overrides | None:
    """The templates of the user's own. Raises `DiagnosticError` with everything that is wrong with them."""
    if options.templates is None:
        return None
    from openresponses_codegen.overrides import read_overrides  # noqa: PLC0415 - most packages have none

    return read_overrides(options.templates, resources.templates())


def generate(spec: Spec, options: Options, progress: Progress = lambda _: None) -> Package:
    """The files of a package. Nothing is written.

    Raises `DiagnosticError` when the document is not one that a package can be made of, or a template of the user's
    own does not work.
    """
    user = overrides_of(options)
    progress("Reading the spec")
    lowered = lower_spec(spec, lenient=options.lenient)
    _check_stubs(options, lowered.api)
    added: ir.Addition | None = None
    if options.base:
        lowered, added = _added(spec, lowered, options)
    try:
        files = _files(lowered, options, user, added, progress)
    except OSError as error:
        reason = f"there is no room to work in: {error.strerror}"
        raise DiagnosticError([Diagnostic("no-room", reason, hint="free some space, or set TMPDIR")]) from None
    except RecursionError:
        raise DiagnosticError([_too_deep("its types are nested too deeply", spec)]) from None
    files = {f"{options.root}{name}": text for name, text in files.items()} | _packing(options, lowered.api)
    yours = (*options.own, *options.stub_paths)
    own = {name: files.pop(name) for name in list(files) if is_own(name, yours)}
    manifest = Manifest(
        lowered.api.release,
        lowered.fingerprint,
        inputs_of(spec, options),
        requires_of(options.components, lowered.api) if added is None else REQUIRES,
        extras_of(options.components, lowered.api) if added is None else {},
        {name: digest(text.encode()) for name, text in files.items()},
        {name: digest(text.encode()) for name, text in own.items()},
    )
    files[MANIFEST] = manifest.text()
    warnings = (*lowered.warnings, *(user.findings if user is not None else ()))
    return Package(files, manifest, lowered.api, warnings, own)


def _files(
    lowered: Lowered, options: Options, user: Overrides | None, added: ir.Addition | None, progress: Progress
) -> dict[str, str]:
    """The files of a package by path, the manifest left out; of an add-on, if what it adds is given."""
    from openresponses_codegen.models import ModelError, render_models  # noqa: PLC0415 - imports slowly
    from openresponses_codegen.overrides import NONE  # noqa: PLC0415
    from openresponses_codegen.render import (  # noqa: PLC0415
        Names,
        Sources,
        UnsafeSourceError,
        formatted,
        render_addon,
        render_confined,
        render_package,
    )

    progress("Rendering models")
    folder = resources.templates()
    sources = Sources(folder, user or NONE, options.stubs, reserved=(MANIFEST, DOCUMENT))
    try:
        definitions = render_models(added.whole if added is not None else lowered.api, folder)
        progress("Rendering the package")
        render, components = render_confined if user is not None else render_package, frozenset(options.components)
        if added is not None:
            names = Names(options.package, options.base)
            return formatted(render_addon(added, definitions, folder, names, components))
        files = render(lowered.api, definitions, sources, options.package, components)
    except (ModelError, UnsafeSourceError) as error:
        hint = "this is a defect of the generator: report it with the spec"
        raise DiagnosticError([Diagnostic("not-rendered", str(error), hint=hint)]) from error
    if "server" in components and lowered.api.service is not None:
        files[DOCUMENT] = json.dumps(lowered.document.node.plain(), indent=2, ensure_ascii=False) + "\n"
    progress("Formatting")
    return formatted(files)


def _added(spec: Spec, whole: Lowered, options: Options) -> tuple[Lowered, ir.Addition]:
    """The document without its extensions, and what they add. Raises `DiagnosticError`."""
    overlays = tuple(layer for layer in spec.layers if layer.kind == "overlay")
    # An overlay may be meant for what the extensions add.
    base = lower_spec(replace(spec, layers=overlays), lenient=options.lenient or bool(overlays))
    added = addition(base.api, whole.api)
    return replace(base, api=replace(base.api, left_out=added.left_out), warnings=whole.warnings), added


def _packing(options: Options, api: ir.Api) -> dict[str, str]:
    """The files of a distribution around its package; none for a module."""
    if options.distribution is None:
        return {}
    from openresponses_codegen.render.distribution import Packing, render_distribution  # noqa: PLC0415

    packed = options.distribution
    packing = Packing(
        packed.name,
        options.package,
        packed.revision,
        packed.licence,
        requires_of(options.components, api),
        extras_of(options.components, api),
        has_client="client" in options.components and api.service is not None,
    )
    return render_distribution(packing, api.release, resources.templates())


def _check_stubs(options: Options, api: ir.Api) -> None:
    """Raise `DiagnosticError` for a stub that the package has not what it needs for."""
    for name in options.stubs:
        component = STUBS[name]
        if component not in options.components or api.service is None:
            message = f"the stub `{name}` needs the component `{component}`, which this package has not"
            raise DiagnosticError([Diagnostic("no-stub", message, hint="leave it out, or add the component")])

"""What comes of a hostile document: a refusal, a package, or a defect.

A package is judged by its syntax trees, never by its text, and by what happens when all of it is used: run as a
program, this file uses every package in a folder and prints what it found as JSON.
"""

import ast
import importlib
import json
import re
import signal
import subprocess
import sys
import traceback
import typing
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias

from openresponses_codegen import pipeline
from openresponses_codegen.components import with_foundations
from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError

PATIENCE = 10.0  # seconds: several times what a slow machine takes, and far less than what an attack would
MARKER = "pwned"
"""The name of the file that appears when hostile text is executed."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The document was refused, as it should be."""

    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Broke:
    """Something else than a `DiagnosticError` came out."""

    error: Exception


_OPTIONS = pipeline.Options("kit", with_foundations(["client", "server"]))
"""Without the gateway: its templates get of a document what those of the others get, which is names and literals."""


def spec(content: Any, name: str = "hostile.json") -> pipeline.Spec:
    """The document as the generator gets it; what is no ASCII is escaped, lone surrogates as well."""
    return pipeline.Spec(name, json.dumps(content).encode())


def generated(content: Any) -> "Outcome":
    """What comes of a document."""
    try:
        made = pipeline.generate(spec(content), _OPTIONS)
    except DiagnosticError as error:
        return Refused(error.diagnostics)
    except Exception as error:
        return Broke(error)
    return Package(made.files)


def lowered(content: Any) -> Refused | Broke | None:
    """What is wrong with a document before anything is rendered; None when nothing is."""
    try:
        pipeline.lower_spec(spec(content))
    except DiagnosticError as error:
        return Refused(error.diagnostics)
    except Exception as error:
        return Broke(error)
    return None


_STEERS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]")


def check_refusal(diagnostics: tuple[Diagnostic, ...], *, anywhere: bool = False) -> None:
    """A refusal names its kind, says what is wrong and where, and sends nothing raw to a terminal or a log."""
    assert any(each.severity == "error" for each in diagnostics), "a refusal has an error"
    for each in diagnostics:
        assert re.fullmatch("[a-z]+(-[a-z]+)*", each.code), "the code is a name in kebab-case"
        assert each.code not in {"not-rendered", "not-formatted"}, f"the generator gave up: {each}"
        assert each.message.strip(), "a refusal says what is wrong"
        assert anywhere or each.position is not None or each.code.startswith("too-many"), f"no place: {each}"
        check_printed(str(each))
        for value in each.as_dict().values():
            assert not isinstance(value, str) or "\n" not in value, "a text is one line"
            check_printed(str(value))


def check_printed(text: str) -> None:
    """What is printed can neither steer a terminal nor hide."""
    assert not _STEERS.search(text), f"a control character is sent raw: {text!r}"


class Package:
    """The modules of a generated package as syntax trees."""

    _numbers = count()

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = files
        self.name = f"hostile{next(self._numbers)}"
        self.modules = [name[:-3] for name in files if name.endswith(".py")]
        self._trees: dict[str, ast.Module] = {}

    def tree(self, module: str) -> ast.Module:
        """The syntax tree of a module."""
        if module not in self._trees:
            self._trees[module] = ast.parse(self.source(module))
        return self._trees[module]

    def source(self, module: str) -> str:
        """The text of a module."""
        return self.files[f"{module}.py"]

    def _body(self, module: str, owner: str) -> list[ast.stmt]:
        """The class of that name with what it holds, or the assignment with what stands behind it."""
        body = self.tree(module).body
        for index, node in enumerate(body):
            if isinstance(node, ast.ClassDef) and node.name == owner:
                return [*node.body]
            if target(node) == owner:
                return body[index : index + 2] if _is_docstring(_after(body, index)) else [node]
        raise AssertionError(f"{module} has no {owner}")

    def docstring(self, module: str, owner: str | None = None, field: str | None = None) -> str | None:
        """The docstring of a module, of a class or alias, or that which stands behind a field."""
        if owner is None:
            return ast.get_docstring(self.tree(module))
        body = self._body(module, owner)
        if field is None:
            before = -1 if isinstance(body[0], ast.Expr) else 0
        else:
            before = next(index for index, node in enumerate(body) if target(node) == field)
        after = _after(body, before)
        return ast.literal_eval(after.value) if _is_docstring(after) else None

    def strings(self, module: str, owner: str, field: str | None = None) -> list[str]:
        """The strings in an alias or a field that are no docstrings."""
        nodes = [node for node in self._body(module, owner) if not _is_docstring(node)]
        if field is not None:
            nodes = [node for node in nodes if target(node) == field]
        constants = [each.value for node in nodes for each in ast.walk(node) if isinstance(each, ast.Constant)]
        return [value for value in constants if isinstance(value, str)]

    def wire_names(self, module: str, owner: str) -> list[str]:
        """The names on the wire of the fields of a model, or the keys of a typed dictionary."""
        body = self._body(module, owner)
        if isinstance(body[0], ast.Assign):
            table = body[0].value.args[1]
            return [ast.literal_eval(key) for key in table.keys]
        return list(_wire_names(body))


def _wire_names(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.AnnAssign) and "ClassVar" not in ast.unparse(node.annotation):
            keywords = node.value.keywords if isinstance(node.value, ast.Call) else []
            alias = [ast.literal_eval(keyword.value) for keyword in keywords if keyword.arg == "alias"]
            yield alias[0] if alias else target(node)


Outcome: TypeAlias = Package | Refused | Broke


def refused(outcome: Outcome | None) -> set[str]:
    """The codes of a refusal, which has to be a good one."""
    if isinstance(outcome, Broke):
        raise outcome.error
    assert isinstance(outcome, Refused), f"accepted: {outcome}"
    check_refusal(outcome.diagnostics)
    return {each.code for each in outcome.diagnostics}


def refused_or_not(outcome: Outcome | None) -> None:
    """If it is a refusal, it has to be a good one."""
    if outcome is not None and not isinstance(outcome, Package):
        refused(outcome)


class TooSlowError(BaseException):
    """Time is up; no `except Exception` catches it."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Stop what takes longer."""

    def stop(*_: object) -> None:
        raise TooSlowError(f"took longer than {seconds} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except TooSlowError as error:
        raise AssertionError(str(error)) from None  # where it was stopped says nothing, and may be no line at all
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def target(node: ast.AST) -> str | None:
    """The name that a statement assigns to or annotates."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
        case _:
            return None


def _after(body: list[ast.stmt], index: int) -> ast.stmt | None:
    return body[index + 1] if index + 1 < len(body) else None


def _is_docstring(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def skeleton(source: str) -> dict[str, str]:
    """Each statement by its name, without docstrings and with the value of every string left out."""
    tree = _Bare().visit(ast.parse(source))
    statements: dict[str, str] = {}
    for node in tree.body:
        name = node.name if isinstance(node, ast.ClassDef | ast.FunctionDef) else target(node) or type(node).__name__
        statements[name] = statements.get(name, "") + ast.dump(node)
    return statements


class _Bare(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if _is_docstring(node) else self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant("") if isinstance(node.value, str) else node


def calls(module: ast.Module) -> set[str]:
    """What a module calls, by the expression that is called."""
    return {ast.unparse(node.func) for node in ast.walk(module) if isinstance(node, ast.Call)}


def said(text: str) -> str:
    """What a docstring is to say where a spec says `text`: controls and invisible characters as escapes."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return words("".join(map(_shown, unicodedata.normalize("NFC", text))))


def _shown(character: str) -> str:
    if character == "\n" or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
        return character
    code = ord(character)
    return f"\\U{code:08x}" if code > 0xFFFF else f"\\u{code:04x}"


def words(text: str) -> str:
    """A text without its line breaks and indentation."""
    return " ".join(text.split())


# Use ---------------------------------------------------------------------------------------------------------


def used(packages: Iterable[Package], folder: Path, probes: Callable[[Package], Any] = lambda _: {}) -> dict[str, str]:
    """Use packages in a process of their own: what went wrong with each, by its name; nothing when all is well.

    `probes` gives objects by the name of their model; each has to survive reading and writing unchanged.
    """
    for package in packages:
        for name, text in package.files.items():
            path = folder / package.name / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
        (folder / package.name / "probes.json").write_text(json.dumps(probes(package)))
    (folder / "arena").mkdir(parents=True)
    command = [sys.executable, "-I", "-B", "-W", "error", __file__, str(folder)]
    run = subprocess.run(command, cwd=folder / "arena", capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def _use_all(folder: Path) -> dict[str, str]:
    sys.path.insert(0, str(folder))
    found: dict[str, str] = {}
    for path in sorted(folder.glob("*/generation.json")):
        name = path.parent.name
        try:
            _use(name, json.loads((path.parent / "probes.json").read_text()))
        except Exception:
            found[name] = traceback.format_exc(limit=-3)
        if Path(MARKER).exists():
            found[name] = "text of the document was executed"
            Path(MARKER).unlink()
    return found


def _use(name: str, probes: dict[str, Any]) -> None:
    """Import everything, by every way, and build every validator."""
    from pydantic import BaseModel, TypeAdapter
    from typing_extensions import TypeAliasType

    package = importlib.import_module(name)
    for _ in range(2):  # the second time, the names are globals of the package
        members = {member: getattr(package, member) for member in package.__all__}
        assert set(members) <= set(dir(package)), "dir() knows every name"
    trouble: list[str] = []
    for member, value in members.items():
        try:
            if isinstance(value, type) and issubclass(value, BaseModel):
                value.model_rebuild(force=True)
            elif isinstance(value, TypeAliasType):
                TypeAdapter(value)
        except Exception as error:
            trouble.append(f"{member} does not work: {error!r}")
    params = importlib.import_module(f"{name}.params")
    for member in params.__all__:
        if isinstance(getattr(params, member), type):
            typing.get_type_hints(getattr(params, member))
    assert not trouble, trouble
    assert package.parse_event('{"type": "vendor:new", "sequence_number": 1}').sequence_number == 1
    for model, content in probes.items():
        read = members[model].model_validate(content)
        assert read.model_dump() == content, f"{model} reads {content} as {read!r}"


if __name__ == "__main__":
    warnings.simplefilter("error")
    sys.stdout.write(json.dumps(_use_all(Path(sys.argv[1]))))

"""The Jinja environment: ours as it is, or a sandbox where templates of a user take part."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from openresponses_codegen.overrides.catalogue import SUFFIX, Original, catalogue
from openresponses_codegen.overrides.folder import Overrides
from openresponses_codegen.text import SpecText

_OURS = "ours:"
"""Marks the name of a template of ours that a user's file of the same name extends."""
_FORMS = frozenset({"docstring", "literal", "comment", "markdown", "is_blank"})
"""What a user's template may ask of text of the spec: forms that hold wherever a statement or value can stand."""


def environment_of(templates: Path, overrides: Overrides) -> jinja2.Environment:
    """The environment in which the templates of a package are rendered."""
    return _Sandbox(_Loader(templates, overrides)) if overrides.files else _of_ours(templates)


@cache
def _of_ours(templates: Path) -> jinja2.Environment:
    """The environment of our templates alone: compiling them takes as long as all else that Jinja does."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        undefined=jinja2.StrictUndefined,
        autoescape=jinja2.select_autoescape(),
        keep_trailing_newline=True,
        auto_reload=False,
    )


class _Loader(jinja2.BaseLoader):
    """Finds a user's template before ours of the same name, and nothing that is neither."""

    def __init__(self, templates: Path, overrides: Overrides) -> None:
        self._ours = catalogue(templates)
        self._overrides = overrides

    def get_source(
        self,
        environment: jinja2.Environment,  # noqa: ARG002 - jinja's signature
        template: str,
    ) -> tuple[str, str, Callable[[], bool]]:
        """The source of a template, the name that errors call it by, and whether it is still the same."""
        original: Original | None = self._ours.get(template.removeprefix(_OURS))
        if template in self._overrides.files and template.endswith(SUFFIX):
            return self._overrides.files[template].text, self._overrides.path(template), lambda: True
        if original is not None and original.is_template:
            return original.text, str(original.path), lambda: True
        raise jinja2.TemplateNotFound(template.removeprefix(_OURS))


class _Sandbox(ImmutableSandboxedEnvironment):
    """Lets templates of a user read what they are given, and reach nothing else."""

    def __init__(self, loader: jinja2.BaseLoader) -> None:
        super().__init__(
            loader=loader,
            undefined=jinja2.StrictUndefined,
            autoescape=jinja2.select_autoescape(),
            keep_trailing_newline=True,
            auto_reload=False,
            finalize=_printable,
        )
        # The same input has to give the same package, to the byte.
        del self.globals["lipsum"]
        del self.filters["random"]

    def join_path(self, template: str, parent: str) -> str:
        """A template that names itself means ours of that name."""
        return f"{_OURS}{template}" if template == parent else template

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Whether a template may read an attribute: of text of the spec, the forms that it can be printed in."""
        if isinstance(obj, SpecText):
            return attr in _FORMS
        return super().is_safe_attribute(obj, attr, value)


def _printable(value: object) -> object:
    """What `{{ }}` may print: text and numbers. Text of the spec says itself that it has no plain form."""
    if isinstance(value, str | int | float | SpecText | jinja2.Undefined):
        return value
    raise TypeError(f"a {type(value).__name__} cannot be printed; print what is in it")

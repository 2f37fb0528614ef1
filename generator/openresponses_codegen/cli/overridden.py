"""What `generate` and `check` say of templates of the user's own."""

from __future__ import annotations

from typing import Any

from openresponses_codegen import pipeline, resources
from openresponses_codegen.cli.report import Reporter


def outdated_templates(options: pipeline.Options, reporter: Reporter) -> list[dict[str, Any]]:
    """Say which of the user's templates were made from a version of ours that is not this one."""
    overrides = pipeline.overrides_of(options)
    if overrides is None:
        return []
    from openresponses_codegen.overrides import outdated  # noqa: PLC0415 - most packages have no such templates

    changed, notes = outdated(overrides, resources.templates())
    reporter.diagnostics(notes)
    reporter.outdated(changed)
    return [{"name": each.name, "blocks": list(each.blocks), "diff": each.diff} for each in changed]

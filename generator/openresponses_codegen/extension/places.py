"""Where in a document a vendor's declarations go: the lists that they join, as JSONPaths.

They hold for all bundled releases. Lists that are equal in the document stay equal, because equal lists are one union
in the generated package: what may stand in reasoning may stand in the events of parts, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from openresponses_codegen.extension.model import (
    Annotation,
    Choice,
    Declared,
    Event,
    Item,
    Part,
    Tool,
)

SCHEMAS: Final = "$.components.schemas"
UNIONS: Final[Mapping[type[Declared], tuple[str, ...]]] = {
    Item: (f"{SCHEMAS}.ItemField.oneOf", f"{SCHEMAS}.ItemParam.oneOf"),
    Event: ("$.paths.*.post.responses['200'].content['text/event-stream'].schema.oneOf",),
    Tool: (f"{SCHEMAS}.ResponsesToolParam.oneOf", f"{SCHEMAS}.Tool.oneOf"),
    Choice: (
        f"{SCHEMAS}.SpecificToolChoiceParam.oneOf",
        f"{SCHEMAS}.ResponseResource.properties.tool_choice.oneOf",
        f"{SCHEMAS}.AllowedToolChoice.properties.tools.items.oneOf",
    ),
    Annotation: (f"{SCHEMAS}.Annotation.oneOf",),
}
"""The lists of each kind; those of a content part are in `PLACES`."""

_MESSAGE = f"{SCHEMAS}.Message.properties.content.items.oneOf"
_PARTS = (
    f"{SCHEMAS}.ReasoningBody.properties.content.items.oneOf",
    f"{SCHEMAS}.ReasoningBody.properties.summary.items.oneOf",
    f"{SCHEMAS}.ResponseContentPartAddedStreamingEvent.properties.part.oneOf",
    f"{SCHEMAS}.ResponseContentPartDoneStreamingEvent.properties.part.oneOf",
    f"{SCHEMAS}.ResponseReasoningSummaryPartAddedStreamingEvent.properties.part.oneOf",
    f"{SCHEMAS}.ResponseReasoningSummaryPartDoneStreamingEvent.properties.part.oneOf",
)


def _listed(component: str, field: str = "content") -> str:
    """The parts of a field that is a string or a list of parts."""
    return f"{SCHEMAS}.{component}.properties.{field}.oneOf[?@.items].items.oneOf"


PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "output": (_MESSAGE, *_PARTS, _listed("AssistantMessageItemParam")),
    "input": (_MESSAGE, _listed("UserMessageItemParam")),
    "system": (_MESSAGE, _listed("SystemMessageItemParam"), _listed("DeveloperMessageItemParam")),
    "reasoning": _PARTS,
    "function_output": (
        _listed("FunctionCallOutput", "output"),
        _listed("FunctionCallOutputItemParam", "output"),
    ),
}
"""Where a content part may stand: messages of the assistant, of the user, of system and developer, reasoning, and
what a function gave."""


def unions_of(declared: Declared) -> tuple[str, ...]:
    """The lists that a declaration joins, as JSONPaths."""
    if isinstance(declared, Part):
        return tuple(dict.fromkeys(path for place in declared.places for path in PLACES[place]))
    return UNIONS[type(declared)]

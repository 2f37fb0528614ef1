"""Every Python name in generated code is decided here.

A name of a spec is never repaired by a number: a name that cannot be used, or that two things would share, is an
error that says which and where.
"""

from __future__ import annotations

import keyword
import re

_CLASS = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9]+", re.ASCII)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
MAX_NAME = 120
"""The longest name, in characters."""

RUNTIME_NAMES = frozenset(
    """
    APIConnectionError APIResponseValidationError APIStatusError APITimeoutError Annotated AnswerModel Any
    AsyncFastClient AsyncFastTransport AsyncOpenResponses AsyncRawResponses AsyncResponseConnection
    AsyncResponseStream AsyncResponseTurn AsyncResponses AsyncStream AsyncToolRun AuthenticationError
    BadRequestError BaseModel Callable ClassVar ClientOptions CompactArguments ConfigDict ConflictError
    ConnectOptions ConnectionArguments ConnectionSettings CreateArguments Deviation DeviationWarning Event
    FastClient FastTransport Field InternalServerError InvalidRequestError Literal Mapping MappingProxyType Model
    ModelError NotFoundError NotRequired Omittable OpenResponses OpenResponsesError Optional OutputFormat
    OutputParseError ParsedResponse PermissionDeniedError RateLimitError RawResponse RawResponses RequestModel
    RequestOptions Required ResponseAccumulator ResponseArguments ResponseConnection ResponseModel ResponseStream
    ResponseTurn Responses RunArguments RunOptions RunResult Self Sequence Shaped Stream StreamDecodeError
    StreamError StreamEvent StreamFailedError StreamInterruptedError StreamOrderError StreamTimeoutError
    TYPE_CHECKING Tagged ToolContent ToolError ToolFunction ToolOutcome ToolRun TurnArguments TurnOptions
    TypeAdapter TypeAlias TypeAliasType TypedDict Union UnknownEvent UnknownVariant UnknownVariantParam
    UnprocessableEntityError UnsupportedSchemaError fold tool
    EVENT_TYPES SPEC_RELEASE annotations cache events import_module models params parse_event
    AttributeError False None True bool bytes dict float frozenset getattr globals int isinstance list object property
    set sorted str super tuple type
    """.split()
)
"""Names that generated modules use for something else: a declaration cannot have them."""

_MODEL_ATTRIBUTES = frozenset(
    """
    construct copy dict fields_set from_orm json model_computed_fields model_config model_construct model_copy
    model_dump model_dump_json model_extra model_fields model_fields_set model_json_schema
    model_parametrized_name model_post_init model_rebuild model_validate model_validate_json
    model_validate_strings parse_file parse_obj parse_raw schema schema_json update_forward_refs validate
    EXTENSIBLE FORBIDDEN deviations is_delta is_terminal mro register request_id
    """.split()
)
"""Attributes of the model base: a field cannot have them."""

_ANNOTATION_NAMES = frozenset(
    "Annotated Any ClassVar Field Literal Omittable None True False bool dict float frozenset int list str".split()
)
"""Names that class bodies read: a field of that name would shadow them for the fields after it."""


def class_name_problem(name: str) -> str | None:
    """Why a name of the spec cannot name a class; None when it can."""
    if not _CLASS.match(name):
        return "is not made of ASCII letters, digits and underscores, starting with a letter"
    if len(name) > MAX_NAME:
        return f"is longer than {MAX_NAME} characters"
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        return "is a word of the Python language"
    if name in RUNTIME_NAMES:
        return "is a name that generated code uses itself"
    return None


def field_name(wire_name: str, class_names: frozenset[str]) -> str | None:
    """The Python name of a property; None when none can be made.

    The wire's name is kept where it can be. Other characters become underscores; words of the language,
    attributes of the base class and names that would shadow a type get an underscore at the end.
    """
    words = _WORD.findall(wire_name)
    if not words or len(wire_name) > MAX_NAME:
        return None
    plain = wire_name.isascii() and wire_name.isidentifier() and not wire_name.startswith("_")
    name = wire_name if plain else "_".join(words).lower()
    if name[0].isdigit():
        name = f"field_{name}"
    taken = _MODEL_ATTRIBUTES | _ANNOTATION_NAMES | class_names
    reserved = keyword.iskeyword(name) or (name.startswith("model_") and not name.endswith("_"))
    while reserved or name in taken:
        name, reserved = f"{name}_", False
    return name


def pascal(text: str) -> str:
    """Words of a wire name in one capitalised name: `incomplete_details` is `IncompleteDetails`."""
    return "".join(word[0].upper() + word[1:] for word in _WORD.findall(text))


WRITER_NAMES = frozenset(
    """
    abandon begin_forwarding body caller compaction context created_at end event finish forward function_call
    functions id incomplete is_begun item item_ids items message must_call queue reasoning request_id start started
    status typed_event typed_item usage vendor_item
    """.split()
)
"""What the writer of a response has by itself."""
ITEM_WRITER_NAMES = frozenset({"id", "status", "update"})
"""What the writer of a vendor's item has by itself."""
RESPONSE_NAMES = frozenset("output_text refusal function_calls reasoning_items reasoning_text as_input".split())
"""What a response has by itself, beside its fields and what every class has."""
WRITER_CLASSES = frozenset(
    """
    CallLimits Draft EventSink Forwarding FunctionCallWriter ItemWriter MessageWriter Opening PartWriter ReasoningWriter
    ResponseWriter ServiceError Terms TextPartWriter VendorItem VendorItemWriter WriterError
    """.split()
)
"""What the modules of the writers name themselves: a class of a vendor's that stands there cannot have them."""


def item_method(wire_name: str) -> str:
    """The method that opens an item: `acme:search_result` is `acme_search_result`."""
    name = _member(wire_name)
    return f"{name}_item" if name in WRITER_NAMES else name


def event_method(wire_name: str, *, of_item: bool) -> str:
    """The method that sends an event; for one of an item, the name is what follows that of the item."""
    name = _member(wire_name)
    return f"{name}_event" if name in (ITEM_WRITER_NAMES if of_item else WRITER_NAMES) else name


def _member(wire_name: str) -> str:
    name = "_".join(_WORD.findall(wire_name)).lower()
    name = f"type_{name}" if not name or name[0].isdigit() else name
    return f"{name}_" if keyword.iskeyword(name) else name


def plural(name: str) -> str:
    """The name for several of what a name is for; what ends like a plural itself is told to be items."""
    if name.endswith(("s", "x", "z", "ch", "sh")):
        return f"{name}_items"
    return f"{name[:-1]}ies" if name.endswith("y") and name[-2:-1] not in {*"aeiou"} else f"{name}s"


def sentence(name: str) -> str:
    """A class name as words: `ResponseCreatedStreamingEvent` is `response created streaming event`."""
    return _HUMP.sub(" ", name).replace("_", " ").lower()

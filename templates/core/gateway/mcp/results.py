"""What a model is told of the result of a tool of an MCP server.

A result has parts of its own kinds; the output of a function call holds text, images and files.
"""

from __future__ import annotations

from mimetypes import guess_extension
from typing import Any, Final, TypeAlias

from mcp_types import (
    BlobResourceContents,
    CallToolResult,
    ContentBlock,
    TextResourceContents,
)
from pydantic_core import to_json

__all__ = ["output_of", "text_of"]

_Part: TypeAlias = dict[str, Any]
_CUT: Final = "\n[cut here: the result is too long]"


def output_of(result: CallToolResult, *, max_bytes: int) -> str | list[_Part]:
    """A result as the output of a function call: text where there is nothing but text, else parts.

    Structured content is told where there is no other, which says the same for people.

    Args:
        result: The result.
        max_bytes: How much is told. Text is cut there; a larger part of another kind is left out.
    """
    parts = [part for block in result.content for part in _parts_of(block)]
    if not parts and result.structured_content is not None:
        parts = [_text(to_json(result.structured_content).decode())]
    bounded = _bounded(parts, max_bytes)
    if all(part["type"] == "input_text" for part in bounded):
        return "\n".join(part["text"] for part in bounded)
    return bounded


def text_of(result: CallToolResult, *, max_bytes: int) -> str:
    """The text of a result, for a failure that is told in words."""
    output = output_of(result, max_bytes=max_bytes)
    if isinstance(output, str):
        return output
    return "\n".join(part["text"] for part in output if part["type"] == "input_text")


def _parts_of(block: ContentBlock) -> list[_Part]:
    match block.type:
        case "text":
            return [_text(block.text)]
        case "image":
            return [_image(block.mime_type, block.data)]
        case "audio":
            return [_file("audio", block.mime_type, block.data)]
        case "resource_link":
            words = [block.title or block.name, block.uri, block.description or ""]
            return [_text("\n".join(word for word in words if word))]
        case "resource":
            return _resource(block.resource)


def _resource(resource: TextResourceContents | BlobResourceContents) -> list[_Part]:
    if isinstance(resource, TextResourceContents):
        return [_text(f"{resource.uri}\n{resource.text}")]
    kind = resource.mime_type or "application/octet-stream"
    if kind.startswith("image/"):
        return [_text(resource.uri), _image(kind, resource.blob)]
    return [_file(resource.uri, kind, resource.blob)]


def _text(text: str) -> _Part:
    return {"type": "input_text", "text": text}


def _image(kind: str, data: str) -> _Part:
    return {"type": "input_image", "image_url": f"data:{kind};base64,{data}"}


def _file(name: str, kind: str, data: str) -> _Part:
    last = name.rstrip("/").rpartition("/")[2]
    filename = last if "." in last else f"{last}{guess_extension(kind) or '.bin'}"
    return {
        "type": "input_file",
        "filename": filename,
        "file_data": f"data:{kind};base64,{data}",
    }


def _bounded(parts: list[_Part], left: int) -> list[_Part]:
    """As many of the parts as there is room for."""
    bounded: list[_Part] = []
    for part in parts:
        content: str = part.get("text") or part.get("image_url") or part.get("file_data") or ""
        size = len(content.encode("utf-8", "replace"))
        if size <= left:
            bounded.append(part)
            left -= size
        elif part["type"] == "input_text":
            start = content.encode("utf-8", "replace")[:left].decode("utf-8", "ignore")
            return [*bounded, _text(start + _CUT)]
        else:
            bounded.append(_text("[left out: this part of the result is too large]"))
    return bounded

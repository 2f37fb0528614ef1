"""What a request asks of MCP servers: the tools of type `vendor:mcp` among its `tools`.

Rules kept here: E3 (errors name the field and never quote a header), E4 (what is wrong is refused
before any event).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard
from urllib.parse import urlsplit

from ...server.errors import InvalidRequestError
from .servers import Approval, is_header, is_label

__all__ = ["Asked", "asked_of", "members_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One server that a request asks for."""

    param: str
    """Where in the request it stands."""
    label: str
    allowed_tools: Sequence[str] | None
    require_approval: Approval | None
    """None where the request does not say."""
    url: str | None = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


def asked_of(tools: Iterable[Any], types: Sequence[str]) -> list[Asked]:
    """The servers that the tools of a request ask for, each once.

    Raises `InvalidRequestError` for what cannot be read.

    Args:
        tools: The tools of the request.
        types: The types of tools that mean a server.
    """
    found: list[Asked] = []
    for at, tool in enumerate(tools):
        members = members_of(tool, types)
        if members is None:
            continue
        asked = _asked(members, f"tools[{at}]")
        if any(other.label == asked.label for other in found):
            raise _refusal(f"{asked.param}.server_label", f"{asked.label!r} is asked for twice")
        found.append(asked)
    return found


def members_of(item: Any, types: Sequence[str]) -> Mapping[str, Any] | None:
    """The members of an item, or of a tool, when it is of one of these types; else None."""
    if _is_object(item):
        return item if item.get("type") in types else None
    if getattr(item, "type", None) not in types:
        return None
    dumped: dict[str, Any] = item.model_dump(mode="json")
    return dumped


def _asked(members: Mapping[str, Any], param: str) -> Asked:
    label = members.get("server_label")
    if not isinstance(label, str) or not is_label(label):
        reason = "it has to be a letter and up to 63 letters, digits, `_` or `-`"
        raise _refusal(f"{param}.server_label", reason)
    url = members.get("server_url")
    if url is not None:
        _check_url(url, f"{param}.server_url")
    return Asked(
        param=param,
        label=label,
        allowed_tools=_allowed(members.get("allowed_tools"), f"{param}.allowed_tools"),
        require_approval=_approval(members.get("require_approval"), f"{param}.require_approval"),
        url=url,
        headers=_headers(members, param),
    )


def _check_url(url: object, param: str) -> None:
    if isinstance(url, str):
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise _refusal(param, "it is no URL") from None
        is_web = parts.scheme in {"http", "https"} and parts.hostname and port != 0
        if is_web and parts.username is None and url.isprintable() and " " not in url:
            return
    raise _refusal(param, "it has to be a URL of HTTP or HTTPS, without a user name")


def _allowed(value: object, param: str) -> Sequence[str] | None:
    """The names that a list allows, or an object that holds it under `tool_names`."""
    if _is_object(value):
        value = value.get("tool_names")
    return None if value is None else _names(value, param)


def _names(value: object, param: str) -> list[str]:
    if _is_list(value) and all(isinstance(name, str) for name in value):
        return value
    raise _refusal(param, "it has to be a list of names of tools")


def _approval(value: Any, param: str) -> Approval | None:
    match value:
        case None | "always" | "never":
            return value
        case _:
            pass
    if _is_object(value) and value and value.keys() <= {"always", "never"}:
        return {kind: _allowed(names, f"{param}.{kind}") or [] for kind, names in value.items()}
    reason = "it has to be `always`, `never`, or an object of names of tools under these"
    raise _refusal(param, reason)


def _headers(members: Mapping[str, Any], param: str) -> dict[str, str]:
    """The headers to send. What is wrong with one is not told: it would be shown."""
    headers: dict[str, str] = {}
    given = members.get("headers")
    if given is not None:
        if not _is_object(given):
            raise _refusal(f"{param}.headers", "it has to be an object of strings")
        for name, value in given.items():
            if not isinstance(value, str) or not is_header(name, value):
                raise _refusal(f"{param}.headers", "it holds what is no header that may be sent")
            headers[name] = value
    token = members.get("authorization")
    if token is not None:
        if not isinstance(token, str) or not is_header("Authorization", token):
            raise _refusal(f"{param}.authorization", "it is no header that may be sent")
        headers["Authorization"] = token if " " in token else f"Bearer {token}"
    return headers


def _is_object(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _refusal(param: str, reason: str) -> InvalidRequestError:
    return InvalidRequestError(f"{param}: {reason}", param=param)

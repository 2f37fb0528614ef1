"""What goes wrong while a request is served, and how it is told.

Rules kept here: E1 (the body), E2 (types and statuses), E3 (`param` is a path, nothing internal
leaks).

Two trees. A `ServiceError` is an answer: raise one where a request is refused or work fails, and
the caller gets it in the shape that fits where it happens (an HTTP answer, events of a stream, a
frame of a WebSocket). A `WriterError` is a mistake in the code that writes a response; the caller
is told of a `server_error` and no more, the log has the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic_core import to_json

__all__ = [
    "InvalidRequestError",
    "ModelError",
    "NotFoundError",
    "ServerError",
    "ServiceError",
    "TooManyRequestsError",
    "UnauthorizedError",
    "WriterError",
]


class ServiceError(Exception):
    """An error that is the caller's to know.

    Args:
        message: What was wrong and what is allowed, for a person to read. It is sent as it is.
        param: Path of the field of the request that caused it, such as `input[2].content[0]`.
        code: Finer code for programs to decide by, such as `previous_response_not_found`.
        status: HTTP status in place of that of the class; the type stays.
        headers: More headers of the answer.
    """

    type: ClassVar[str] = "server_error"
    """Kind of error (rule E2)."""
    default_status: ClassVar[int] = 500

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code
        self.status = status or self.default_status
        self.headers: Mapping[str, str] = headers or {}


class InvalidRequestError(ServiceError):
    """400, `invalid_request`: the request breaks a rule."""

    type = "invalid_request"
    default_status = 400


class UnauthorizedError(ServiceError):
    """401, `unauthorized`: there is no valid key."""

    type = "unauthorized"
    default_status = 401


class NotFoundError(ServiceError):
    """404, `not_found`: there is no such model, response, item or route."""

    type = "not_found"
    default_status = 404


class TooManyRequestsError(ServiceError):
    """429, `too_many_requests`: a limit is reached for now.

    Args:
        message: As in `ServiceError`.
        retry_after: Whole seconds after which to try again.
        param: As in `ServiceError`.
        code: As in `ServiceError`.
    """

    type = "too_many_requests"
    default_status = 429

    def __init__(
        self,
        message: str,
        *,
        retry_after: int = 1,
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        headers = {"retry-after": str(retry_after)}
        super().__init__(message, param=param, code=code, headers=headers)


class ServerError(ServiceError):
    """500, `server_error`: the server failed."""


class ModelError(ServiceError):
    """500, `model_error`: the model failed."""

    type = "model_error"


class WriterError(RuntimeError):
    """A response was being written against a rule; raised where the mistake is.

    Args:
        message: What was done, and what is allowed.
        rule: Id of the rule, such as `L8`.
    """

    def __init__(self, message: str, rule: str) -> None:
        super().__init__(f"{message} (rule {rule})")
        self.rule = rule
        """Id of the rule that was broken."""


def error_body(error: ServiceError) -> bytes:
    """The body of an HTTP answer that tells the error (rule E1)."""
    return to_json(
        {
            "error": {
                "message": error.message,
                "type": error.type,
                "param": error.param,
                "code": error.code,
            }
        }
    )

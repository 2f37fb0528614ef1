"""The names under which models know the tools of MCP servers.

A model takes letters, digits, `_` and `-`, 64 of them at most; a server names its tools as it
likes. A name is made of the label of the server and that of the tool and of nothing else, so that
a call that is handed back later has the name it had (rule X3).
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final

__all__ = ["offered_name"]

_LONGEST: Final = 64
_BETWEEN: Final = "__"
_ILLEGAL: Final = re.compile(r"[^A-Za-z0-9_-]")


def offered_name(label: str, name: str) -> str:
    """The name of a tool for the model: `label__name` where that is legal and can be told apart.

    Where it is not, illegal characters are replaced, and a digest of both names is appended.
    """
    plain = f"{label}{_BETWEEN}{name}"
    is_plain = (
        len(plain) <= _LONGEST
        and name != ""
        and _ILLEGAL.search(plain) is None
        # The first `__` has to be the one in between, or two pairs would have the same name.
        and _BETWEEN not in f"{label}{_BETWEEN[:1]}"
    )
    if is_plain:
        return plain
    digest = sha256(f"{label}\0{name}".encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{_ILLEGAL.sub('_', plain)[: _LONGEST - 13]}_{digest}"

"""Components that are in one document under another name than in the other."""

from __future__ import annotations

from collections.abc import Mapping

from openresponses_codegen.diff.edition import Edition
from openresponses_codegen.lower.fingerprint import Canonical


def renamed(old: Edition, new: Edition) -> Mapping[str, str]:
    """The new names of the components whose name went, and whose shape is there under a name that came.

    Components may be renamed together with those that they refer to, and may refer to themselves.
    """
    gone = [name for name in old.sites if name not in new.sites]
    came = [name for name in new.sites if name not in old.sites]
    if not gone or not came:
        return {}
    found = _candidates(old, new, gone, came)
    while True:
        forms = Canonical(old.components, found), Canonical(new.components)
        kept = {
            name: other
            for name, other in found.items()
            if forms[0].text(old.sites[name]) == forms[1].text(new.sites[other])
        }
        if len(kept) == len(found):
            return kept
        found = kept


def _candidates(old: Edition, new: Edition, gone: list[str], came: list[str]) -> dict[str, str]:
    """Pairs that are the same but for references to what went or came, in the order of the documents."""
    before = Canonical(old.components, dict.fromkeys(gone, ""))
    after = Canonical(new.components, dict.fromkeys(came, ""))
    waiting: dict[str, list[str]] = {}
    for name in came:
        waiting.setdefault(after.text(new.sites[name]), []).append(name)
    pairs: dict[str, str] = {}
    for name in gone:
        same = waiting.get(before.text(old.sites[name]))
        if same:
            pairs[name] = same.pop(0)
    return pairs

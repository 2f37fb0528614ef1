"""What values of a schema are made of: the user's own words and numbers, and what was told."""

from __future__ import annotations

import re
from collections.abc import Set

from . import talk
from .conversation import Conversation
from .samples import Material

_QUOTED = re.compile(r"[\"“”«»]([^\"“”«»]{1,200})[\"“”«»]")
_NAME = re.compile(r"(?<=[\w,;:] )[A-Z][\w'-]*(?: [A-Z][\w'-]*){0,4}")
_WORD = re.compile(r"[\w'-]{3,}")
_NUMBER = re.compile(r"(?<![\w.])-?[0-9]{1,15}(?:\.[0-9]{1,15})?(?![\w.]*\w)")
_MOST_WORDS = 50


def material_of(conversation: Conversation, without: Set[str] = frozenset()) -> Material:
    """What there is to fill values with: what is quoted, then names, other words, the whole text.

    Args:
        conversation: What was said.
        without: Words that do not count, in lower case, such as those of a tool's description.
    """
    text = " ".join(conversation.last.text.split())
    told = [("the answer", talk.answer(conversation, None)), *talk.facts(conversation.by_user)]
    names = [each for each in _NAME.findall(text) if talk.words(each) - without]
    others = [each for each in _WORD.findall(text) if talk.words(each) - without]
    found = dict.fromkeys([*_QUOTED.findall(text), *names, *others[:_MOST_WORDS]])
    return Material(
        words=[*found, text] if text else (),
        numbers=[float(each) if "." in each else int(each) for each in _NUMBER.findall(text)],
        named={name.partition(" ")[2].replace(" ", "_"): value for name, value in told if value},
    )

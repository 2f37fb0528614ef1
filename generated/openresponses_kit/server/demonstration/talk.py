"""What the demonstration says. All of it comes from patterns, and is the same each time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set

from .conversation import Conversation

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_FACT = re.compile(
    r"\b(?P<whose>my|the|our) (?P<what>[\w'-]+(?: [\w'-]+){0,4}?) (?:is|are|was|=) "
    r"(?P<value>(?:[^.!?;]|\.(?=\w)){1,200}?)"
    r"(?=[.!?;]*$|; |,? (?:and|but) (?:my|our|the) |, (?:my|our) )",
    re.IGNORECASE,
)
_NAME = re.compile(r"\b(?:call me|i am called|i'm called) (?P<name>[\w' -]{1,60})", re.IGNORECASE)
_NOTE = re.compile(r"\bremember\b[ ,:]*(?:that )?(?P<note>[^.!?]{1,200})", re.IGNORECASE)
_ASKS = re.compile(
    r"\?|\b(?:what|which|who|whose|recall|tell me|repeat|remind|do you (?:remember|know))\b",
    re.IGNORECASE,
)
_ASKS_FOR_ALL = re.compile(
    r"\b(?:remember|recall|remind|know about me|told you|tell you)\b", re.IGNORECASE
)
_QUOTED = re.compile(r"[\"“”«»]([^\"“”«»]{1,200})[\"“”«»]")
_PROPER = re.compile(r"(?<=[\w,;:] )[A-Z][\w'-]*(?: [A-Z][\w'-]*){0,4}")
_PLAIN_WORD = re.compile(r"[\w'-]{3,}")
_WORD = re.compile(r"[A-Za-z]+|\d+|[^\W\d_]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_URL = re.compile(r"https?://[^\s<>\"')\]]+[^\s<>\"')\].,;:!?]")
_REFUSE = re.compile(r"\bplease refuse\b", re.IGNORECASE)
_STOP_WORDS = frozenset(
    """
    about after again also and any are aren but can could did does for from function get had has
    have her him his how into its just like made make me more most much must not now off one only
    other our out please returns set she should some such tell than that the their them then there
    these they this tool too use used using very was well were what when where which who why will
    with would yes you your
    """.split()
)
_LONGEST_ECHO = 400
_MOST_WORDS = 50


def words(text: str) -> set[str]:
    """The words of a text or a name that mean something, in lower case."""
    found = (each.lower() for each in _WORD.findall(_HUMP.sub(" ", text)))
    return {each for each in found if len(each) > 2 and each not in _STOP_WORDS}


def facts(said: Iterable[str]) -> list[tuple[str, str]]:
    """What the user told of, each with what is so; of the same thing the latest."""
    found: dict[str, str] = {}
    for sentence in (each for text in said for each in _sentences(text)):
        if sentence.endswith("?"):
            continue
        told = list(_FACT.finditer(sentence))
        for match in told:
            whose = match["whose"].lower().replace("my", "your")
            _learn(found, f"{whose} {match['what'].lower()}", match["value"])
        if named := _NAME.search(sentence):
            _learn(found, "your name", named["name"])
        note = _NOTE.search(sentence)
        if note and not told:
            _learn(found, note["note"], "")
    return list(found.items())


def recalled(conversation: Conversation) -> str:
    """What the user asks for and told before, in words; empty when that is nothing."""
    *_, last = conversation.by_user or [""]
    if not _ASKS.search(last):
        return ""
    known = facts(conversation.by_user)
    asked = words(last)
    if re.search(r"\bwho am i\b", last, re.IGNORECASE):
        asked.add("name")
    meant = [(what, value) for what, value in known if words(what) & asked]
    if not meant and _ASKS_FOR_ALL.search(last):
        meant = known
    told = [f"{what} is {value}" if value else what for what, value in meant]
    return f"You told me: {'; '.join(told)}." if told else ""


def material(text: str, without: Set[str]) -> list[str]:
    """What values are made of: what is quoted, then names, then other words, then the text.

    Args:
        text: What the user said.
        without: Words that do not count, in lower case.
    """
    text = " ".join(text.split())
    names = [each for each in _PROPER.findall(text) if not words(each) <= without]
    others = [each for each in _PLAIN_WORD.findall(text) if words(each) - without]
    found = dict.fromkeys([*_QUOTED.findall(text), *names, *others[:_MOST_WORDS]])
    return [*found, text] if text else []


def asks_for_refusal(conversation: Conversation) -> bool:
    """Whether the user says `please refuse`, to see what a refusal is like."""
    return _REFUSE.search(conversation.last.text) is not None


def cited(conversation: Conversation) -> str | None:
    """A web address in what the user said last, to be cited; None when there is none."""
    match = _URL.search(conversation.last.text)
    return match[0] if match else None


def answer(conversation: Conversation, instructions: str | None) -> str:
    """What there is to say about what came in, in words."""
    if conversation.outputs:
        given = (f"{name} gave {output}" for name, output in conversation.outputs)
        return f"{'; '.join(given)}."
    sentences: list[str] = []
    if instructions:
        sentences.append(f"I am told: {_short(instructions)}")
    if memory := recalled(conversation):
        sentences.append(memory)
    elif conversation.last.text:
        sentences.append(f"You said: {_short(conversation.last.text)}")
    if conversation.last.things:
        sentences.append(f"I got {_listed(conversation.last.things)}.")
    if not sentences:
        sentences.append("Nothing was said yet.")
    if conversation.items > 1:
        sentences.append(f"This is item {conversation.items} of our conversation.")
    return " ".join(sentences)


def thought(conversation: Conversation) -> str:
    """How the demonstration came to its answer."""
    if conversation.outputs:
        return "The functions answered, so what they gave is the answer."
    if recalled(conversation):
        return "The user asks for something that was told before. It is among the items."
    return f"There are {conversation.items} items. The last words of the user are repeated."


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_ECHO else f"{text[:_LONGEST_ECHO]}…"


def _listed(things: Sequence[str]) -> str:
    *first, last = things
    return f"{', '.join(first)} and {last}" if first else last


def _sentences(text: str) -> list[str]:
    """The sentences of a text, with single spaces."""
    found = (" ".join(each.split()) for each in _SENTENCE_END.split(text))
    return [each for each in found if each]


def _learn(found: dict[str, str], what: str, value: str) -> None:
    """Know something, as the latest."""
    what = what.strip()
    found.pop(what, None)
    found[what] = value.strip().strip("\"'“”")

"""What the demonstration says. All of it comes from patterns, and is the same each time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from .conversation import Conversation

_FACT = re.compile(
    r"\b(?P<whose>my|the|our)\s+(?P<what>[\w' -]{1,60}?)\s+(?:is|are|was|=)\s+"
    r"(?P<value>[^.!?;\n]{1,200})",
    re.IGNORECASE,
)
_NOTE = re.compile(r"\bremember\b[\s,:]*(?:that\s+)?(?P<note>[^.!?\n]{1,200})", re.IGNORECASE)
_ASKS = re.compile(
    r"\?|\b(?:what|which|who|whose|recall|tell me|repeat|remind|do you (?:remember|know))\b",
    re.IGNORECASE,
)
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


def words(text: str) -> set[str]:
    """The words of a text or a name that mean something, in lower case."""
    found = (each.lower() for each in _WORD.findall(_HUMP.sub(" ", text)))
    return {each for each in found if len(each) > 2 and each not in _STOP_WORDS}


def facts(said: Iterable[str]) -> list[tuple[str, str]]:
    """What the user told of, each with what is so; of the same thing the latest."""
    found: dict[str, str] = {}
    for text in said:
        if text.rstrip().endswith("?"):
            continue
        for match in _FACT.finditer(text):
            whose = match["whose"].lower().replace("my", "your")
            what = f"{whose} {' '.join(match['what'].lower().split())}"
            found.pop(what, None)
            found[what] = match["value"].strip().strip("\"'“”")
        for match in _NOTE.finditer(text):
            if not _FACT.search(match["note"]):
                found[match["note"].strip()] = ""
    return list(found.items())


def recalled(conversation: Conversation) -> str:
    """What the user asks for and told before, in words; empty when that is nothing."""
    *earlier, last = conversation.by_user or [""]
    if not _ASKS.search(last):
        return ""
    known = facts([*earlier, last])
    asked = words(last)
    if re.search(r"\bwho am i\b", last, re.IGNORECASE):
        asked.add("name")
    meant = [(what, value) for what, value in known if words(what) & asked]
    told = [f"{what} is {value}" if value else what for what, value in meant or known]
    return f"You told me: {'; '.join(told)}." if told else ""


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

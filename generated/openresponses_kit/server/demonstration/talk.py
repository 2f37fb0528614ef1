"""What the demonstration says. All of it comes from patterns, and is the same each time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from .conversation import Conversation, Said

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|[\n;]+")
_CONTRACTION = re.compile(r"\b(?P<name>name)['\u2019]s\b", re.IGNORECASE)
_THING = r"\b(?P<whose>my|the|our) (?P<what>[\w'\u2019 -]{1,60}?) (?:is|are|was|=) "
_NEXT_THING = r",? (?:and|but) (?:(?:my|the|our) [\w'\u2019 -]{1,60}? (?:is|are|was|=)|I) "
_FACT = re.compile(rf"{_THING}(?P<value>.{{1,200}}?)(?={_NEXT_THING}|$|.{{200}})", re.IGNORECASE)
_NOTE = re.compile(r"\bremember\b[ ,:]*(?:that )?(?P<note>.{1,200})", re.IGNORECASE)
_ASKS = re.compile(
    r"\?|\b(?:what|which|who|whose|recall|tell me|repeat|remind|do you (?:remember|know))\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+|\d+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_URL = re.compile(r"https?://[^\s<>\"\u201c\u201d')\]]+[^\s<>\"\u201c\u201d')\].,;:!?]")
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
_YOURS = {"my": "your", "our": "your", "the": "the"}
_LONGEST_ECHO = 400


def words(text: str) -> set[str]:
    """The words of a text or a name that mean something, in lower case."""
    found = (each.lower() for each in _WORD.findall(_HUMP.sub(" ", text)))
    return {each for each in found if len(each) > 2 and each not in _STOP_WORDS}


def facts(said: Iterable[str]) -> list[tuple[str, str]]:
    """What the user told of, each with what is so; of the same thing the latest."""
    found: dict[str, str] = {}
    for sentence in _statements(said):
        for match in _FACT.finditer(sentence):
            what = f"{_YOURS[match['whose'].lower()]} {match['what'].lower()}"
            found.pop(what, None)
            found[what] = match["value"].strip(" \"'“”")
        for match in _NOTE.finditer(sentence):
            if not _FACT.search(match["note"]):
                found[match["note"].strip()] = ""
    return list(found.items())


def _statements(said: Iterable[str]) -> Iterator[str]:
    """The sentences that ask nothing, with single spaces and without their full stops."""
    for text in said:
        for part in _SENTENCE_END.split(text):
            sentence = _CONTRACTION.sub(r"\g<name> is", " ".join(part.split()))
            if not sentence.endswith("?"):
                yield sentence.rstrip(" .!")


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
        told = (f"{each.role} returned {_content(each)}" for each in conversation.outputs)
        return " ".join(_ended(each) for each in told)
    sentences: list[str] = []
    if instructions:
        sentences.append(_ended(f"My instructions are: {_quoted(instructions)}"))
    if memory := recalled(conversation):
        sentences.append(memory)
    elif conversation.last.text:
        sentences.append(_ended(f"You said: {_quoted(conversation.last.text)}"))
    if conversation.last.things:
        sentences.append(f"I got {_listed(conversation.last.things)}.")
    if not sentences:
        sentences.append("Nothing was said yet.")
    if conversation.items > 1:
        sentences.append(f"Our conversation has {conversation.items} items so far.")
    return " ".join(sentences)


def thought(conversation: Conversation) -> str:
    """How the demonstration came to its answer."""
    if conversation.outputs:
        return "The functions have returned, so I tell what they returned."
    if recalled(conversation):
        return "The user asks for something that I was told before, so I repeat that."
    return "The user asks for nothing that I was told before, so I describe what the user sent."


def _content(said: Said) -> str:
    """What was said, in words."""
    text = [_quoted(said.text)] if said.text else []
    return _listed([*text, *said.things]) if text or said.things else "nothing"


def _ended(sentence: str) -> str:
    """A sentence with a full stop, unless a quotation at its end has one."""
    return sentence if sentence.endswith((".”", "!”", "?”", ":”", "…”")) else f"{sentence}."


def _quoted(text: str) -> str:
    text = " ".join(text.split())
    return f"“{text if len(text) <= _LONGEST_ECHO else f'{text[:_LONGEST_ECHO]}…'}”"


def _listed(things: Sequence[str]) -> str:
    *first, last = things
    return f"{', '.join(first)} and {last}" if first else last

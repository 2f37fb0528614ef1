"""A model that answers with all that it was told, so that a test sees what a conversation is made of."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any

from openresponses_kit.gateway import Model, RoundWriter, Sampling

ENDLESS = "Say one word after the other."
"""What makes it never come to an end."""
CALLING = "Call the function."


class RememberingModel(Model):
    """Answers with a JSON array of the texts in its context; a summary holds the same.

    What it thinks is that it heard the last of them.
    """

    def __init__(self) -> None:
        self.samplings: list[Sampling] = []

    async def sample(self, sampling: Sampling, out: RoundWriter) -> str | None:
        self.samplings.append(sampling)
        texts = list(_texts(sampling.items))
        if texts[-1].startswith("Summarise the conversation"):
            await out.text(json.dumps(texts[:-1]))
            out.usage(len(texts), 1)
            return None
        await out.reason(f"I heard: {texts[-1]}")
        if texts[-1] == CALLING:
            call = await out.call("look", None)
            await call.arguments('{"where":1.0}')
            await call.done()
            return None
        if texts[-1] == ENDLESS:
            while True:
                await out.text("word ")
                await asyncio.sleep(0.005)
        await out.text(json.dumps(texts))
        out.usage(len(texts), 1)
        return None


def _texts(items: Iterable[Any]) -> Iterable[str]:
    """The text of each item; reasoning and calls are marked as what they are."""
    for item in items:
        if item.type == "reasoning":
            yield f"(thought) {''.join(part.text for part in item.content or ())}"
        elif item.type == "function_call":
            yield f"(call) {item.arguments}"
        elif item.type == "function_call_output":
            yield f"(output) {item.output}"
        elif item.type == "message":
            content = item.content
            yield content if isinstance(content, str) else "".join(part.text for part in content)

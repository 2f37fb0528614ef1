"""Which providers a model name stands for. No IO.

Rule kept here: M1 (`model:provider`; a colon counts only if a configured provider follows the last
one).

A name is looked up in this order: as an alias; then, its provider taken off, as an alias again;
then as a route, an exact one before a pattern, patterns in their order; and at last among the
models that the providers say they serve. In a pattern `*` stands for any text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from .policies import Policy

__all__ = ["Candidate", "Directory", "Found", "Offer", "Price", "RouteRule", "Target", "any_match"]


@dataclass(frozen=True, slots=True)
class Price:
    """What a provider asks for a million tokens, in any currency that is the same for all."""

    input: float = 0.0
    output: float = 0.0

    @property
    def total(self) -> float:
        """What a million tokens in and a million out cost: the figure that is compared."""
        return self.input + self.output


@dataclass(frozen=True, slots=True)
class Offer:
    """A model that a provider serves."""

    name: str
    """As callers know it; `*` in it stands for any text."""
    upstream: str | None = None
    """As the provider knows it, where that is another name."""
    price: Price | None = None
    """None is the price of the provider."""


@dataclass(frozen=True, slots=True)
class Target:
    """A provider that a route leads to."""

    provider: str
    model: str | None = None
    """The model as the provider knows it; None looks it up among the models that it serves."""
    weight: float | None = None
    """Its share under the policy `weighted`; None is the weight of the provider."""


@dataclass(frozen=True, slots=True)
class RouteRule:
    """Where requests for a model go.

    Args:
        name: The name of the model, or a pattern.
        targets: The providers, in order of preference.
        policy: How one of them is chosen; None is the policy of the router.
    """

    name: str
    targets: Sequence[Target]
    policy: Policy | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A provider that could serve a request, and how the model is called there."""

    provider: str
    model: str
    weight: float | None = None
    price: Price | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a name stands for; without candidates there is no such model."""

    candidates: Sequence[Candidate]
    policy: Policy | None = None


class Directory:
    """The names of models, by provider.

    Args:
        offers: What each provider serves, in order of preference; a provider without an entry in
            its list serves whatever it is asked for.
        aliases: Other names of models, such as `fast` for `qwen3:4b` or for `llama:nearby`.
        routes: Where requests go that are not left to what providers serve.
    """

    def __init__(
        self,
        offers: Mapping[str, Sequence[Offer]],
        *,
        aliases: Mapping[str, str] | None = None,
        routes: Sequence[RouteRule] = (),
    ) -> None:
        self._offers = offers
        self._aliases = aliases or {}
        self._exact = {rule.name: rule for rule in reversed(routes) if "*" not in rule.name}
        self._patterns = [rule for rule in routes if "*" in rule.name]

    def split(self, name: str) -> tuple[str, str | None]:
        """A name without the provider that it picks, and that provider (rule M1)."""
        model, colon, provider = name.rpartition(":")
        if colon and model and provider in self._offers:
            return model, provider
        return name, None

    def find(self, name: str) -> Found:
        """The candidates for a name, in order of preference."""
        model, provider = self.split(self._aliases.get(name, name))
        inner = self._aliases.get(model)
        if inner is not None:
            model, pinned = self.split(inner)
            provider = provider or pinned
        rule = self._rule(model)
        if rule is not None:
            targets = [each for each in rule.targets if provider in {None, each.provider}]
            if targets:
                return Found([self._candidate(each, model) for each in targets], rule.policy)
        names = self._offers if provider is None else (provider,)
        served = ((each, self._offer(each, model)) for each in names)
        return Found([_served(each, offer, model) for each, offer in served if offer is not None])

    def names(self) -> Mapping[str, Sequence[str]]:
        """The names that callers can use, without patterns, and who serves each of them."""
        known: dict[str, list[str]] = {}
        for rule in self._exact.values():
            known[rule.name] = [each.provider for each in rule.targets]
        for provider, offers in self._offers.items():
            for offer in offers:
                if "*" not in offer.name:
                    served = known.setdefault(offer.name, [])
                    if provider not in served:
                        served.append(provider)
        for alias in self._aliases:
            found = self.find(alias).candidates
            if found:
                known[alias] = [each.provider for each in found]
        return known

    def _rule(self, model: str) -> RouteRule | None:
        exact = self._exact.get(model)
        if exact is not None:
            return exact
        return next((rule for rule in self._patterns if is_match(rule.name, model)), None)

    def _offer(self, provider: str, model: str) -> Offer | None:
        offers = self._offers[provider]
        if not offers:
            return Offer("*")
        matching = [offer for offer in offers if is_match(offer.name, model)]
        exact = (offer for offer in matching if offer.name == model)
        return next(exact, matching[0] if matching else None)

    def _candidate(self, target: Target, model: str) -> Candidate:
        offer = self._offer(target.provider, model)
        upstream = target.model or (offer.upstream if offer is not None else None) or model
        price = offer.price if offer is not None else None
        return Candidate(target.provider, upstream, target.weight, price)


def _served(provider: str, offer: Offer, model: str) -> Candidate:
    return Candidate(provider, offer.upstream or model, None, offer.price)


def is_match(pattern: str, name: str) -> bool:
    """Whether a name is what a pattern stands for."""
    return pattern == name or ("*" in pattern and _compiled(pattern).fullmatch(name) is not None)


def any_match(patterns: Iterable[str], name: str) -> bool:
    """Whether a name is what one of the patterns stands for."""
    return any(is_match(pattern, name) for pattern in patterns)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    # Possessive and lazy by pieces: no name makes it go back and forth over many stars.
    pieces = [re.escape(piece) for piece in pattern.split("*")]
    first, *middle, last = pieces
    body = "".join(f"(?>.*?{piece})" for piece in middle if piece)
    return re.compile(f"{first}{body}.*{last}", re.DOTALL)

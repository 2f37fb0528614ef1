"""What the router decides by itself: names, order, health, limits, tries. Properties, without IO."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openresponses_kit.gateway.routing.attempts import Attempts, RetrySettings
from openresponses_kit.gateway.routing.health import Breaker, HealthSettings
from openresponses_kit.gateway.routing.limits import Limiter, Limits
from openresponses_kit.gateway.routing.names import Directory, Offer, RouteRule, Target, any_match
from openresponses_kit.gateway.routing.policies import POLICIES, Policy, Standing, ordered
from openresponses_kit.gateway.routing.recent import Recent

MOMENT = 1e-6
"""What sums of seconds may be off by."""


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


DIRECTORY = Directory(
    {"near": [Offer("qwen3:4b"), Offer("llama-*", "meta/llama")], "far": [Offer("qwen3:4b", "Qwen/4B")], "any": []},
    aliases={"fast": "qwen3:4b", "pinned": "qwen3:4b:far", "near": "llama-3"},
    routes=[
        RouteRule("smart", [Target("far", "Big"), Target("near")], "weighted"),
        RouteRule("gpt-*-mini", [Target("near", "mini")]),
        RouteRule("gpt-*", [Target("far")]),
    ],
)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        pytest.param("qwen3:4b", ["near=qwen3:4b", "far=Qwen/4B", "any=qwen3:4b"], id="a colon without a provider"),
        pytest.param("qwen3:4b:far", ["far=Qwen/4B"], id="a provider after the last colon"),
        pytest.param("qwen3:far:4b", ["any=qwen3:far:4b"], id="a provider before the last colon"),
        pytest.param(":far", ["any=:far"], id="a provider without a model"),
        pytest.param("qwen3:4b:nobody", ["any=qwen3:4b:nobody"], id="an unknown provider"),
        pytest.param("smart:near", ["near=smart"], id="a route, and one of its providers"),
        pytest.param("smart:any", ["any=smart"], id="a provider that the route does not have"),
        pytest.param("llama-3:far", [], id="a provider that does not serve the model"),
        pytest.param("fast", ["near=qwen3:4b", "far=Qwen/4B", "any=qwen3:4b"], id="an alias"),
        pytest.param("fast:far", ["far=Qwen/4B"], id="an alias at a provider"),
        pytest.param("pinned", ["far=Qwen/4B"], id="an alias that picks a provider"),
        pytest.param("pinned:near", ["near=qwen3:4b"], id="the caller's provider goes first"),
        pytest.param("near", ["near=meta/llama", "any=llama-3"], id="an alias that is called as a provider"),
        pytest.param("smart", ["far=Big", "near=smart"], id="a route"),
        pytest.param("gpt-5-mini", ["near=mini"], id="the first pattern that fits"),
        pytest.param("gpt-5", ["far=gpt-5"], id="a later pattern"),
    ],
)
def test_m1_a_name_leads_to_its_providers_in_order(name: str, found: list[str]) -> None:
    """A name finds the providers meant, and only a configured provider makes a colon count."""
    assert [f"{each.provider}={each.model}" for each in DIRECTORY.find(name).candidates] == found


@given(st.text(st.sampled_from("ab:*-"), max_size=12), st.sampled_from(["near", "far", "any"]))
def test_m1_a_pinned_provider_is_the_only_one(model: str, provider: str) -> None:
    """Whatever stands before the colon, a provider after it is the only candidate."""
    found = DIRECTORY.find(f"{model}:{provider}").candidates
    assert {each.provider for each in found} <= ({provider} if model else {"any"})


def test_the_names_that_are_listed_are_found() -> None:
    """What `GET /models` tells can be asked for, and no pattern is told."""
    names = DIRECTORY.names()
    assert set(names) == {"qwen3:4b", "smart", "fast", "pinned", "near"}
    for name, providers in names.items():
        assert set(providers) <= {each.provider for each in DIRECTORY.find(name).candidates}


@given(st.text(st.sampled_from("ab*"), max_size=8), st.text(st.sampled_from("ab"), max_size=10))
def test_a_pattern_fits_what_the_simplest_matcher_says(pattern: str, name: str) -> None:
    """A star stands for any text: compared with a matcher by definition."""

    def fits(pattern: str, name: str) -> bool:
        if not pattern:
            return not name
        if pattern[0] == "*":
            return any(fits(pattern[1:], name[start:]) for start in range(len(name) + 1))
        return bool(name) and name[0] == pattern[0] and fits(pattern[1:], name[1:])

    assert any_match([pattern], name) == fits(pattern, name)


def test_a_pattern_of_many_stars_is_matched_without_backtracking() -> None:
    """A name made to make a matcher go back and forth does not."""
    assert not any_match(["*a" * 30 + "b"], "a" * 5000)


STANDINGS = st.lists(
    st.builds(
        Standing,
        weight=st.floats(0, 10),
        in_flight=st.integers(0, 5),
        price=st.none() | st.floats(0, 100),
        latency=st.none() | st.floats(0, 100),
    ),
    max_size=8,
)


@given(st.sampled_from(POLICIES), STANDINGS, st.integers())
def test_every_policy_tries_each_provider_once(policy: Policy, standings: Sequence[Standing], seed: int) -> None:
    """An order leaves nobody out and has nobody twice, and best comes first by its own measure."""
    order = ordered(policy, standings, random.Random(seed).random)
    assert sorted(order) == list(range(len(standings)))
    chosen = [standings[place] for place in order]
    if policy == "first":
        assert order == sorted(order)
    if policy == "least_in_flight":
        assert [each.in_flight for each in chosen] == sorted(each.in_flight for each in standings)
    if policy == "price":
        known = [each.price for each in chosen if each.price is not None]
        assert known == sorted(known)
        assert all(each.price is None for each in chosen[len(known) :])
    if policy == "weighted":
        zeros = sum(each.weight == 0 for each in standings)
        assert all(each.weight == 0 for each in chosen[len(chosen) - zeros :])


def test_weights_are_shares() -> None:
    """Of many requests, each provider is first as often as its weight says."""
    chance = random.Random(7).random
    standings = [Standing(weight=3), Standing(weight=1), Standing(weight=0)]
    firsts = [ordered("weighted", standings, chance)[0] for _ in range(4000)]
    assert 2850 < firsts.count(0) < 3150
    assert firsts.count(2) == 0


def test_one_request_measures_what_was_never_measured() -> None:
    """An unmeasured provider is tried first, but not by everybody at once."""
    known = Standing(latency=0.5)
    assert ordered("latency", [known, Standing()], random.random) == [1, 0]
    assert ordered("latency", [known, Standing(in_flight=1)], random.random) == [0, 1]


@given(st.lists(st.sampled_from(["ask", "succeed", "fail", "release", "rest", "wait", "wait long"]), max_size=60))
def test_a_breaker_keeps_its_laws(steps: list[str]) -> None:
    """While it is open nothing goes through, half-open one at a time; and it always opens up again."""
    clock = Clock()
    settings = HealthSettings(failures=2, open_seconds=10, longest_open_seconds=40)
    breaker = Breaker(settings, clock)
    running = 0
    on_trial = False
    for step in steps:
        if step == "ask":
            state: str = breaker.state
            admitted = breaker.admit()
            assert not (admitted and state == "open")
            assert not (admitted and state == "half_open" and on_trial)
            if admitted:
                running += 1
                on_trial = state == "half_open"
        elif step.startswith("wait"):
            clock.now += 3 if step == "wait" else 45
        elif running:
            running -= 1
            state = breaker.state
            on_trial = on_trial and running > 0 and step == "fail" and state == "open"
            if step == "rest":
                breaker.rest(5)
            elif step == "fail":
                breaker.fail()
            elif step == "succeed":
                breaker.succeed()
            else:
                breaker.release()
        assert breaker.wait <= settings.longest_open_seconds
    breaker.release()
    clock.now += settings.longest_open_seconds + 1
    assert breaker.admit()
    breaker.succeed()
    assert breaker.state == "closed"


def test_a_breaker_opens_after_failures_in_a_row_and_longer_after_each_trial() -> None:
    """Closed, open, half-open: as many failures as set, then one trial, then twice the time."""
    clock = Clock()
    breaker = Breaker(HealthSettings(failures=3, open_seconds=10, longest_open_seconds=25), clock)
    for outcome in (breaker.fail, breaker.fail, breaker.succeed, breaker.fail, breaker.fail):
        assert breaker.admit()
        outcome()
        assert breaker.state == "closed"
    breaker.fail()
    for seconds in (10, 20, 25, 25):
        states = [breaker.state]
        assert breaker.wait == seconds
        assert not breaker.admit()
        clock.now += seconds
        states.append(breaker.state)
        assert states == ["open", "half_open"]
        assert breaker.admit()
        assert not breaker.admit()
        breaker.fail()
    clock.now += 25
    assert breaker.admit()
    breaker.succeed()
    assert breaker.state == "closed"


@given(
    st.integers(1, 5),
    st.lists(st.tuples(st.floats(0, 40), st.booleans()), max_size=60),
)
def test_never_more_requests_in_a_minute_than_allowed(allowed: int, steps: list[tuple[float, bool]]) -> None:
    """In no window of 60 seconds begin more; a wait that was told is long enough, and not too long."""
    clock = Clock()
    limiter = Limiter(Limits(requests_per_minute=allowed), clock)
    begun: list[float] = []
    for seconds, waits in steps:
        clock.now += seconds
        wait = limiter.begin()
        if wait > 0 and waits:
            assert wait <= 60 + MOMENT
            clock.now += wait + MOMENT
            wait = limiter.begin()
            assert wait == 0
        if wait == 0:
            begun.append(clock.now)
            limiter.end()
    for start in begun:
        assert sum(start <= each < start + 60 - MOMENT for each in begun) <= allowed


@given(st.integers(1, 4), st.lists(st.booleans(), max_size=40))
def test_never_more_requests_at_once_than_allowed(allowed: int, steps: list[bool]) -> None:
    """Those under way never exceed the limit, and one that ends makes room for one."""
    limiter = Limiter(Limits(max_in_flight=allowed), Clock())
    running = 0
    for begins in steps:
        if begins:
            assert (limiter.begin() == 0) == (running < allowed)
            running = min(allowed, running + 1)
        elif running:
            limiter.end()
            running -= 1
        assert limiter.in_flight == running


def test_tokens_that_are_used_up_come_back_after_a_minute() -> None:
    """Nothing begins while the tokens of the last minute reach the limit, and the wait told is right."""
    clock = Clock()
    limiter = Limiter(Limits(tokens_per_minute=100), clock)
    limiter.spend(60)
    clock.now += 20
    assert limiter.begin() == 0
    limiter.spend(50)
    wait = limiter.begin()
    assert 40 <= wait <= 41
    clock.now += wait
    assert limiter.begin() == 0


@given(
    st.integers(0, 4),
    st.integers(1, 8),
    st.lists(st.tuples(st.sampled_from(["later", "elsewhere", "skip"]), st.none() | st.floats(0, 100)), max_size=20),
    st.floats(0, 1),
)
def test_m3_tries_are_bounded_and_go_round(
    candidates: int, most: int, outcomes: list[tuple[str, float | None]], chance: float
) -> None:
    """Each candidate is tried before one is tried again; what cannot succeed is not repeated; no long wait."""
    settings = RetrySettings(attempts=most, longest_wait_seconds=5)
    attempts = Attempts(range(candidates), settings)
    tried: list[int] = []
    gone: set[int] = set()
    for outcome, retry_after in outcomes:
        due = attempts.next(chance)
        if due is None:
            break
        place, seconds = due
        assert place not in gone
        assert 0 <= seconds <= 5
        assert seconds == 0 or len(set(tried) | gone) == candidates
        if outcome == "skip":
            attempts.skipped()
            gone.add(place)
            continue
        tried.append(place)
        if outcome == "later":
            attempts.failed(place, retry_after)
        else:
            gone.add(place)
    assert len(tried) <= most
    counts = [tried.count(place) for place in range(candidates) if place not in gone]
    assert not counts or max(counts) - min(counts) <= 1


def test_what_is_remembered_is_bounded_and_the_unused_goes_first() -> None:
    """The memory never grows beyond its size."""
    recent = Recent[str, int](2)
    for number, key in enumerate("aba"):
        recent.put(key, number)
    assert recent.get("b") == 1
    recent.put("c", 3)
    assert (len(recent), recent.get("a"), recent.get("b"), recent.get("c")) == (2, None, 1, 3)

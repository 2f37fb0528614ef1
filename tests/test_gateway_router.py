"""The router over scripted models, in a loop: whom it asks, what it tries next, what callers are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import pytest
from openresponses_kit.gateway import Model, RoundWriter, Sampling, UpstreamError
from openresponses_kit.gateway.loop import AgenticLoop
from openresponses_kit.gateway.routing.attempts import RetrySettings
from openresponses_kit.gateway.routing.health import HealthSettings
from openresponses_kit.gateway.routing.limits import Limits
from openresponses_kit.gateway.routing.memory import RouterMemory
from openresponses_kit.gateway.routing.names import Offer, Price, RouteRule, Target
from openresponses_kit.gateway.routing.router import Router
from openresponses_kit.gateway.routing.settings import Provider, RouterConfig
from openresponses_kit.models import CreateResponseBody
from openresponses_kit.server.errors import (
    InvalidRequestError,
    NotFoundError,
    ServerError,
    ServiceError,
    TooManyRequestsError,
)
from openresponses_kit.server.relaying import Relayed, RelayRequest
from scripted_model import Round, ScriptedModel, ScriptedTool, answer_of, ask, calls, core_of_loop, gives, says


def fails(error: ServiceError, *, transient: bool = True, after: str = "", wait: float | None = None) -> Round:
    """A round that fails, having said something or not."""

    async def round_(sampling: Sampling, out: RoundWriter) -> None:
        if after:
            await out.text(after)
        raise UpstreamError(error, is_transient=transient, retry_after=wait)

    return round_


OVERLOADED = ServerError("overloaded", status=503)


class Desk:
    """A router over models by name, with a clock of its own that waiting moves."""

    def __init__(self, *providers: Provider, **config: Any) -> None:
        self.now = 0.0
        self.waits: list[float] = []
        self.memory = RouterMemory(lambda: self.now)
        config.setdefault("retries", RetrySettings(attempts=4, longest_wait_seconds=10))
        self.config = RouterConfig(providers=providers, **config)
        self.router = Router(self.config, memory=self.memory, chance=lambda: 0.5, sleep=self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def ask(self, model: str = "m", **body: Any) -> Any:
        return asyncio.run(answer_of(core_of_loop(AgenticLoop(self.router)), model=model, **body))

    def says(self, model: str = "m", **body: Any) -> str:
        answer = self.ask(model, **body)
        return "".join(each["delta"] for each in answer.named("response.output_text.delta"))


def provider(name: str, *rounds: Round, **settings: Any) -> Provider:
    return Provider(name=name, model=ScriptedModel(*(rounds or (says(name),))), **settings)


def asked(desk: Desk) -> list[int]:
    """How often each provider was sampled."""
    return [len(each.model.samplings) for each in desk.config.providers if isinstance(each.model, ScriptedModel)]


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(OVERLOADED, id="503"),
        pytest.param(TooManyRequestsError("slow down"), id="429"),
        pytest.param(ServerError("it was not reached", status=502), id="connection"),
    ],
)
def test_m3_the_next_provider_is_tried_before_the_first_event(error: ServiceError) -> None:
    """A provider that fails with nothing told is followed by the next one at once."""
    desk = Desk(provider("a", fails(error)), provider("b"))
    assert desk.says() == "b "
    assert (asked(desk), desk.waits) == ([1, 1], [])


def test_m3_nothing_is_tried_again_after_the_first_event() -> None:
    """Once anything was told, the failure is the end, and it is told as such."""
    desk = Desk(provider("a", fails(OVERLOADED, after="Once upon")), provider("b"))
    answer = desk.ask()
    assert (answer.response["status"], asked(desk)) == ("failed", [1, 0])


def test_m3_a_request_that_is_refused_for_itself_is_not_tried_elsewhere() -> None:
    """What no provider can serve is told at once."""
    desk = Desk(provider("a", fails(InvalidRequestError("no"), transient=False)), provider("b"))
    assert desk.ask().response["status"] == "failed"
    assert asked(desk) == [1, 0]


def test_m3_waits_between_rounds_of_tries_are_those_of_the_client() -> None:
    """All providers are tried, then waited for; tries are bounded, and the last failure is told."""
    desk = Desk(provider("a", fails(OVERLOADED)), provider("b", fails(OVERLOADED)))
    answer = desk.ask()
    assert answer.response["error"]["message"] == "overloaded"
    assert (asked(desk), desk.waits) == ([2, 2], [0.25])


def test_a_provider_is_given_the_time_that_it_asks_for() -> None:
    """The wait that a provider asks for is kept, and one that is too long is not waited for."""
    busy = TooManyRequestsError("slow down")
    desk = Desk(provider("a", fails(busy, wait=3), says("fine")))
    assert (desk.says(), desk.waits) == ("fine ", [3])
    desk = Desk(provider("a", fails(busy, wait=30), says("fine")))
    assert (desk.ask().response["status"], desk.waits) == ("failed", [])


def test_a_provider_that_asks_for_rest_is_left_alone_by_all() -> None:
    """A 429 is no illness, but others do not run into it either."""
    desk = Desk(provider("a", fails(TooManyRequestsError("busy"), wait=20), says("a")), provider("b"))
    assert [desk.says(), desk.says()] == ["b ", "b "]
    desk.now += 20
    assert desk.says() == "a "


def test_a_provider_that_keeps_failing_is_not_asked_until_its_time_is_over() -> None:
    """The breaker opens; one request tries again later, and brings it back."""
    down = fails(OVERLOADED)
    desk = Desk(
        provider("a", down, down, says("back")),
        provider("b"),
        health=HealthSettings(failures=2, open_seconds=30),
    )
    assert [desk.says() for _ in range(4)] == ["b "] * 4
    assert asked(desk) == [2, 4]
    desk.now += 30
    assert [desk.says() for _ in range(2)] == ["back ", "back "]


def test_no_healthy_provider_is_told_at_once_with_a_time() -> None:
    """With every breaker open nobody is kept waiting."""
    desk = Desk(provider("a", fails(OVERLOADED)), health=HealthSettings(failures=1, open_seconds=30))
    desk.ask()
    desk.now += 10
    with pytest.raises(ServerError, match="available") as caught:
        asyncio.run(desk.router.sample(sampling("m"), Ignored()))
    assert (caught.value.status, caught.value.headers) == (503, {"retry-after": "20"})
    assert asked(desk) == [1]


@pytest.mark.parametrize("limits", [Limits(max_in_flight=1), Limits(requests_per_minute=1)])
def test_a_provider_at_its_limit_is_passed_over_and_the_last_one_says_429(limits: Limits) -> None:
    """Who is full is not asked; when all are, the caller is told how long to wait."""
    desk = Desk(provider("a", limits=limits), provider("b", limits=limits))
    states = [desk.memory.provider(name, desk.config.health, limits) for name in "ab"]
    assert states[0].begin() == 0
    assert desk.says() == "b "
    states[1].begin()
    with pytest.raises(TooManyRequestsError) as caught:
        asyncio.run(desk.router.sample(sampling("m"), Ignored()))
    assert 1 <= int(caught.value.headers["retry-after"]) <= 60
    assert asked(desk) == [0, 1]


def test_tokens_that_are_told_count_for_the_provider() -> None:
    """What a round used is charged to the provider, who is passed over when it is too much."""

    async def dear(sampling: Sampling, out: RoundWriter) -> None:
        await out.text("a ")
        out.usage(1, 1)
        out.usage(50, 50)

    desk = Desk(provider("a", dear, limits=Limits(tokens_per_minute=100)), provider("b"))
    assert [desk.says(), desk.says()] == ["a ", "b "]


@pytest.mark.parametrize(
    ("policy", "settings", "first"),
    [
        ("first", ({}, {}), "a "),
        ("weighted", ({"weight": 0}, {"weight": 1}), "b "),
        ("price", ({"price": Price(2, 2)}, {"price": Price(1, 2.5)}), "b "),
        ("price", ({}, {"price": Price(1, 2.5)}), "b "),
        ("price", ({"price": Price(9, 9), "models": [Offer("m", price=Price(1, 1))]}, {"price": Price(2, 2)}), "a "),
    ],
)
def test_a_policy_chooses(policy: Any, settings: Sequence[dict[str, Any]], first: str) -> None:
    """The provider that the policy prefers is asked first."""
    desk = Desk(provider("a", **settings[0]), provider("b", **settings[1]), policy=policy)
    assert desk.says() == first


def test_the_least_busy_provider_is_chosen() -> None:
    """A request that is under way counts."""
    desk = Desk(provider("a"), provider("b"), policy="least_in_flight")
    desk.memory.provider("a", desk.config.health, Limits()).begin()
    assert desk.says() == "b "


def test_the_quickest_provider_is_chosen_and_old_figures_do_not_hold_for_ever() -> None:
    """Each is measured once, then the quicker is asked; later the other gets another chance."""
    desk = Desk(policy="latency")

    def takes(name: str, seconds: float) -> Provider:
        async def round_(sampling: Sampling, out: RoundWriter) -> None:
            desk.now += seconds
            await out.text(f"{name} ")
            desk.now += 5.0

        return provider(name, round_)

    desk = Desk(takes("a", 2.0), takes("b", 1.0), policy="latency")
    assert [desk.says() for _ in range(4)] == ["a ", "b ", "b ", "b "]
    desk.now += 61
    assert "a " in {desk.says(), desk.says()}


def test_m1_a_request_picks_its_provider() -> None:
    """`model:provider` is asked there and nowhere else; the upstream hears its own name of the model."""
    desk = Desk(provider("a"), provider("b", fails(OVERLOADED), models=["qwen3:4b"]))
    assert desk.says("qwen3:4b") == "a "
    assert desk.ask("qwen3:4b:b").response["status"] == "failed"
    models = [each.model for each in desk.config.providers]
    assert [[s.model for s in m.samplings] for m in models if isinstance(m, ScriptedModel)] == [
        ["qwen3:4b"],
        ["qwen3:4b"] * 4,
    ]


def test_m1_a_model_that_nobody_serves_is_not_found() -> None:
    """The caller is told which parameter is wrong."""
    desk = Desk(provider("a", models=["x"]))
    error = desk.ask("y").response["error"]
    assert (error["code"], desk.ask("x").response["status"]) == ("model_not_found", "completed")


def test_m2_options_reach_only_their_provider() -> None:
    """Each provider gets its own options, and no trace of those of others."""
    a, b = ScriptedModel(fails(OVERLOADED)), ScriptedModel(says("b"))
    desk = Desk(Provider(name="a", model=a), Provider(name="b", model=b))
    options = {"a": {"top_k": 1}, "b": {"min_p": 2}, "c": {"secret": 3}}
    assert desk.says(provider_options=options) == "b "
    assert [model.samplings[0].options for model in (a, b)] == [{"top_k": 1}, {"min_p": 2}]
    for model in (a, b):
        assert "secret" not in model.samplings[0].request.model_dump_json()


@pytest.mark.parametrize("options", [[], {"a": 1}, {"a": {"model": "dear"}}, {"a": {"stream": False}}])
def test_m2_options_cannot_take_over_the_request(options: Any) -> None:
    """Neither the model nor the form of the answer can be changed past the gateway."""
    desk = Desk(provider("a"))
    error = desk.ask(provider_options=options).response["error"]
    assert error["code"] == "invalid_request" or "provider" in error["message"] or "object" in error["message"]
    assert asked(desk) == [0]


def test_p2_a_response_that_one_provider_does_not_know_is_asked_for_at_the_next() -> None:
    """The answer of who knows it is taken; when nobody does, the caller is told so."""
    unknown = InvalidRequestError("unknown", param="previous_response_id", code="previous_response_not_found")
    desk = Desk(provider("a", fails(unknown, transient=False)), provider("b"))
    assert desk.says() == "b "
    desk = Desk(*(provider(name, fails(unknown, transient=False)) for name in "ab"))
    assert desk.ask().response["error"]["code"] == "previous_response_not_found"
    assert asked(desk) == [1, 1]


def test_x2_later_rounds_of_a_response_stay_with_their_provider() -> None:
    """What one provider began, such as ids and caches, is not handed to another in between."""
    work = calls(("work", "{}"))
    models = [ScriptedModel(work, work, says("done")), ScriptedModel(work, work, says("done"))]
    turns = iter([0.0, 0.9] * 9)
    config = RouterConfig(providers=[Provider(name=n, model=m) for n, m in zip("ab", models, strict=True)])
    config = RouterConfig(providers=config.providers, policy="weighted")
    router = Router(config, chance=lambda: next(turns))
    ask(router, ScriptedTool(gives("ok")), always=["work"])
    assert sorted(len(model.samplings) for model in models) == [0, 3]


@pytest.mark.parametrize(
    ("policy", "caller", "asked_first"),
    [("least_in_flight", "name:me", "b"), ("least_in_flight", "name:you", "a"), ("first", "name:me", "a")],
)
def test_p1_a_conversation_stays_where_it_was(policy: Any, caller: str, asked_first: str) -> None:
    """What goes on from a response is asked for where its caller had it made, unless the policy prefers another."""
    desk = Desk(provider("a"), provider("b"), policy=policy)
    desk.memory.rounds.put(("name:me", "req_1"), "b")
    desk.router.made("name:me", "req_1", "resp_1")
    request = CreateResponseBody(model="m", input="hi", previous_response_id="resp_1")
    sampling = Sampling(request=request, model="m", items=[], caller=caller)
    asyncio.run(desk.router.sample(sampling, Ignored()))
    assert asked(desk) == [asked_first == "a", asked_first == "b"]


def test_a_provider_that_does_not_begin_in_time_is_left_and_stopped() -> None:
    """The next one is tried, and the silent one is cancelled."""
    stopped: list[str] = []

    async def silent(sampling: Sampling, out: RoundWriter) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            stopped.append("a")
            raise

    desk = Desk(provider("a", silent, first_event_seconds=0.01), provider("b"))
    assert (desk.says(), stopped) == ("b ", ["a"])


def test_a_provider_that_has_begun_has_all_the_time() -> None:
    """The limit holds for the first event only."""

    async def slow(sampling: Sampling, out: RoundWriter) -> None:
        await out.text("at ")
        await asyncio.sleep(0.05)
        await out.text("last ")

    desk = Desk(provider("a", slow, first_event_seconds=0.02), provider("b"))
    assert desk.says() == "at last "


def test_z16_to_cancel_stops_the_provider_and_gives_back_its_place() -> None:
    """A caller who leaves is no failure of the provider, and occupies nothing."""
    desk = Desk(provider("a"), health=HealthSettings(failures=1))

    async def cancelled() -> None:
        began, ended = asyncio.Event(), asyncio.Event()

        async def endless(sampling: Sampling, out: RoundWriter) -> None:
            began.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        router = Router(RouterConfig(providers=[provider("a", endless)]), memory=desk.memory)
        task = asyncio.create_task(answer_of(core_of_loop(AgenticLoop(router))))
        await began.wait()
        task.cancel()
        await asyncio.wait({task})
        assert ended.is_set()

    asyncio.run(cancelled())
    state = desk.memory.provider("a", desk.config.health, Limits())
    assert (state.limiter.in_flight, state.breaker.state) == (0, "closed")


@pytest.mark.parametrize(
    "made",
    [
        lambda: RouterConfig(providers=[provider("a"), provider("a")]),
        lambda: RouterConfig(providers=[provider("a")], routes=[RouteRule("m", [Target("b")])]),
        lambda: RouterConfig(providers=[provider("a")], routes=[RouteRule("m", [])]),
        lambda: provider("a:b"),
        lambda: provider("a", weight=-1),
        lambda: Limits(max_in_flight=0),
        lambda: HealthSettings(failures=0),
        lambda: RetrySettings(attempts=0),
    ],
)
def test_settings_that_make_no_sense_are_refused(made: Callable[[], object]) -> None:
    """A mistake in a configuration is told when it is made."""
    with pytest.raises(ValueError, match=r"\w"):
        made()


class RelayedText(Relayed):
    """An answer that is there."""

    def __init__(self, *chunks: bytes) -> None:
        self.status = 200
        self.headers = {"content-type": "text/event-stream"}
        self._chunks = chunks
        self.is_closed = False

    async def chunks(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk

    def ending(self, error: ServiceError) -> bytes:
        return error.message.encode()

    async def close(self) -> None:
        self.is_closed = True


class Relaying(ScriptedModel):
    """Passes on what it is told to, and keeps what it was asked for."""

    relays = True

    def __init__(self, *answers: Relayed | Exception) -> None:
        super().__init__(says("sampled"))
        self.answers = list(answers)
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    async def relay(self, call: RelayRequest, model: str, options: Mapping[str, Any]) -> Relayed | None:
        self.asked.append((model, options))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def relay_call(**body: Any) -> RelayRequest:
    request = CreateResponseBody.model_validate({"model": "m", "input": "hi", **body})
    return RelayRequest(request=request, content=b"{}", headers={}, caller="name:me", request_id="req")


@pytest.mark.parametrize(
    "chunk",
    [
        b'event: response.created\ndata: {"type":"response.created","response":{"id":"resp_1"}}\n\n',
        b'data: {"response":{"id":"resp_1","object":"response"}}\n\ndata: {"cut',
        b'{"id":"resp_1","object":"response","output":[{"cut',
    ],
)
def test_p2_what_was_passed_on_is_gone_on_from_where_it_was_made(chunk: bytes) -> None:
    """The id in the first piece is remembered; the bytes are as they were; the place is given back at the end."""
    unknown = NotFoundError("unknown", code="previous_response_not_found")
    a, b = Relaying(unknown, unknown), Relaying(RelayedText(chunk, b"rest"), RelayedText(b"again"))
    limits = Limits(max_in_flight=1)
    desk = Desk(Provider(name="a", model=a), Provider(name="b", model=b, limits=limits))

    async def run() -> None:
        options = {"b": {"min_p": 1}, "a": {"top_k": 1}}
        call = relay_call(previous_response_id="resp_0", provider_options=options)
        relayed = await desk.router.relay(call, "m", {})
        assert relayed is not None
        assert [each async for each in relayed.chunks()] == [chunk, b"rest"]
        state = desk.memory.provider("b", desk.config.health, limits)
        assert state.limiter.in_flight == 1
        await relayed.close()
        await relayed.close()
        assert state.limiter.in_flight == 0
        again = await desk.router.relay(relay_call(previous_response_id="resp_1"), "m", {})
        assert again is not None
        await again.close()

    asyncio.run(run())
    assert a.asked == [("m", {"provider_options": None, "top_k": 1})]
    assert b.asked == [("m", {"provider_options": None, "min_p": 1}), ("m", {})]


def test_m3_what_cannot_be_passed_on_fails_over_before_it_begins() -> None:
    """The next provider is tried; where one of them has to be sampled, none is asked."""
    failing = UpstreamError(OVERLOADED, is_transient=True)
    a, b = Relaying(failing, failing), Relaying(RelayedText(b"b"))
    desk = Desk(Provider(name="a", model=a), Provider(name="b", model=b))

    async def run() -> None:
        relayed = await desk.router.relay(relay_call(), "m", {})
        assert relayed is not None
        await relayed.close()
        mixed = Desk(Provider(name="a", model=a), provider("c"))
        assert await mixed.router.relay(relay_call(), "m", {}) is None

    asyncio.run(run())
    assert (len(a.asked), len(b.asked), desk.router.relays) == (1, 1, True)


def sampling(model: str) -> Sampling:
    return Sampling(request=CreateResponseBody(model=model, input="hi"), model=model, items=[])


class Ignored:
    """A round that nobody reads."""

    is_told = False

    def __getattr__(self, name: str) -> Any:
        async def ignore(*_: Any, **__: Any) -> None:
            return None

        return ignore


def test_m3_close_reaches_every_provider() -> None:
    """No connection outlives the router."""
    closed: list[str] = []

    class Closing(Model):
        def __init__(self, name: str) -> None:
            self.name = name

        async def sample(self, sampling: Sampling, out: RoundWriter) -> None:
            return None

        async def close(self) -> None:
            closed.append(self.name)

    config = RouterConfig(providers=[Provider(name=name, model=Closing(name)) for name in "ab"])
    asyncio.run(Router(config).close())
    assert closed == ["a", "b"]

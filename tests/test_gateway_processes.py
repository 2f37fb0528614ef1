"""Several processes that share nothing but one PostgreSQL database, as several machines do.

Protects: no state is in a process but what the protocol lets go with it. A conversation goes on anywhere, one whose
server died goes on at another, and what was never completed is nowhere taken for an answer (rules P1, P2, S7, R3).
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from openresponses_kit import (
    APIConnectionError,
    APIStatusError,
    NotFoundError,
    OpenResponses,
    ResponseResource,
    StreamInterruptedError,
)
from postgres_server import PASSWORD, USER, PostgresServer
from remembering_model import CALLING, ENDLESS
from serving_process import GENERATED, PATIENCE, ServingProcess, serving

KEYS = {"k1": base64.b64encode(secrets.token_bytes(32)).decode()}
PATH = os.pathsep.join([str(GENERATED), str(Path(__file__).parent)])
ENVIRONMENT = {"PYTHONPATH": PATH, "OPENRESPONSES_API_KEY": "ada", "PGPASSWORD": PASSWORD}
FUNCTION: Any = {"type": "function", "name": "look", "parameters": {"type": "object"}}
INCLUDE: Any = ["reasoning.encrypted_content"]


class Machines:
    """Servers that share a database, and a client for each."""

    def __init__(self, store: str, folder: Path, stack: ExitStack) -> None:
        self._store = store
        self._folder = folder
        self._stack = stack

    def start(self, *, keys: Mapping[str, str] = KEYS) -> tuple[ServingProcess, OpenResponses]:
        environment = {**ENVIRONMENT, "SEALING_KEYS": json.dumps(keys)}
        arguments = ("--store", self._store, "--grace", "1")
        started = serving(self._folder, *arguments, environment=environment, module="gateway_process")
        server = self._stack.enter_context(started)
        return server, self.client(server)

    def client(self, server: ServingProcess, key: str = "ada") -> OpenResponses:
        own = httpx2.Client(trust_env=False, timeout=PATIENCE)
        self._stack.callback(own.close)
        return self._stack.enter_context(
            OpenResponses(base_url=server.url, api_key=key, max_retries=0, http_client=own)
        )


@contextmanager
def machines_on(store: str, folder: Path) -> Iterator[Machines]:
    with ExitStack() as stack:
        yield Machines(store, folder, stack)


@pytest.fixture
def machines(postgres: PostgresServer, tmp_path: Path) -> Iterator[Machines]:
    """Servers on one empty database; its password is in their environment and not among their arguments."""
    address = postgres.empty_database().rpartition("@")[2]
    with machines_on(f"postgresql://{USER}@{address}", tmp_path) as made:
        yield made


def said(response: ResponseResource) -> list[str]:
    """What the model was told, as it says."""
    texts: list[str] = json.loads(response.output_text)
    return texts


def told_of_words(texts: list[str]) -> list[str]:
    """What the caller said, without what the model thought and said."""
    return [text for text in texts if not text.startswith(("(thought)", "["))]


def killed_in_mid_stream(
    server: ServingProcess, client: OpenResponses, previous: str | None = None
) -> ResponseResource:
    """What is left of a response whose server is killed once a few words came; its client is told of the cut."""

    def read() -> None:
        with client.responses.stream(model="m", input=ENDLESS, previous_response_id=previous) as stream:
            words = 0
            for event in stream:
                words += event.type == "response.output_text.delta"
                if words == 5:
                    server.process.kill()

    with pytest.raises(StreamInterruptedError) as caught:
        read()
    server.process.wait(PATIENCE)
    assert caught.value.response is not None
    return caught.value.response


def test_p1_a_conversation_moves_with_every_turn(machines: Machines) -> None:
    """Each turn is answered by another process than the one before, and the model is told all that was said."""
    (_, first), (_, second) = machines.start(), machines.start()
    previous: str | None = None
    words: list[str] = []
    for number in range(8):
        words.append(f"turn {number}")
        client = (first, second)[number % 2]
        response = client.responses.create(model="m", input=words[-1], previous_response_id=previous)
        assert told_of_words(said(response)) == words
        previous = response.id


def test_p1_a_call_that_one_process_made_is_answered_at_another(machines: Machines) -> None:
    (_, first), (_, second) = machines.start(), machines.start()
    asked = first.responses.create(model="m", input=CALLING, tools=[FUNCTION])
    [call] = asked.function_calls
    output: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "seen"}
    response = second.responses.create(model="m", input=[output], previous_response_id=asked.id, tools=[FUNCTION])
    assert said(response)[-2:] == ['(call) {"where":1.0}', "(output) seen"]


def test_p1_one_response_is_continued_at_both_at_once(machines: Machines) -> None:
    """Conversations branch: neither sees anything of the other."""
    (_, first), (_, second) = machines.start(), machines.start()
    root = first.responses.create(model="m", input="root")

    def grow(name: str, clients: tuple[OpenResponses, OpenResponses]) -> list[str]:
        response = root
        for number in range(6):
            response = clients[number % 2].responses.create(
                model="m", input=f"{name} {number}", previous_response_id=response.id
            )
        return told_of_words(said(response))

    with ThreadPoolExecutor(2) as pool:
        left = pool.submit(grow, "left", (first, second))
        right = pool.submit(grow, "right", (second, first))
        for name, grown in (("left", left), ("right", right)):
            assert grown.result(PATIENCE) == ["root", *(f"{name} {number}" for number in range(6))]


def test_t2_a_conversation_is_its_callers_at_every_process(machines: Machines) -> None:
    """The other process knows the caller by the key, and nobody else is told of the response."""
    (_, first), (other, second) = machines.start(), machines.start()
    response = first.responses.create(model="m", input="mine")
    assert said(second.responses.create(model="m", input="too", previous_response_id=response.id))
    with pytest.raises(APIStatusError) as caught:
        machines.client(other, "bob").responses.create(model="m", input="not", previous_response_id=response.id)
    assert caught.value.status_code == 401


def test_s7_a_process_that_dies_in_mid_stream_takes_no_more_than_that_response(machines: Machines) -> None:
    """Its client is told of the cut and keeps what came, the other process goes on from what was completed."""
    (dying, first), (_, second) = machines.start(), machines.start()
    known = first.responses.create(model="m", input="I am Ada.")
    partial = killed_in_mid_stream(dying, first, known.id)
    assert partial.status == "in_progress"
    assert partial.output_text.startswith("word word")

    with pytest.raises(NotFoundError) as refused:
        second.responses.create(model="m", input="And?", previous_response_id=partial.id)
    assert refused.value.code == "previous_response_not_found"
    response = second.responses.create(model="m", input="Who am I?", previous_response_id=known.id)
    assert told_of_words(said(response)) == ["I am Ada.", "Who am I?"]
    with pytest.raises(APIConnectionError):
        first.responses.create(model="m", input="Are you there?")


def test_s7_others_streams_go_on_when_a_process_dies(machines: Machines) -> None:
    """Two streams at two processes: the death of one is not noticed at the other."""
    (dying, first), (_, second) = machines.start(), machines.start()
    with second.responses.stream(model="m", input=ENDLESS) as kept:
        events = iter(kept)
        assert next(events).type == "response.created"
        killed_in_mid_stream(dying, first)
        later = [next(events) for _ in range(50)]
        numbers = [event.sequence_number for event in later]
        assert numbers == list(range(1, 51))


def test_p5_a_background_response_of_a_dead_process_is_not_taken_for_an_answer(machines: Machines) -> None:
    """It stays unfinished until its time is over, and cannot be continued."""
    (dying, first), (other, second) = machines.start(), machines.start()
    response = first.responses.create(model="m", input=ENDLESS, background=True)
    assert response.status == "queued"
    dying.process.kill()
    dying.process.wait(PATIENCE)
    url = f"{other.url}/responses/{response.id}"
    found = httpx2.get(url, headers={"authorization": "Bearer ada"}, timeout=PATIENCE, trust_env=False).json()
    assert found["status"] in {"queued", "in_progress"}
    with pytest.raises(APIStatusError) as caught:
        second.responses.create(model="m", input="And?", previous_response_id=response.id)
    assert caught.value.status_code == 400


def test_s5_a_process_that_is_told_to_stop_ends_its_streams_by_the_rules(machines: Machines) -> None:
    """While it does, and afterwards, the other one serves; the conversation is not lost."""
    (leaving, first), (_, second) = machines.start(), machines.start()
    known = first.responses.create(model="m", input="I am Ada.")
    with first.responses.stream(model="m", input=ENDLESS, previous_response_id=known.id) as stream:
        for number, _ in enumerate(stream):
            if number == 5:
                leaving.stop(signal.SIGTERM)
                response = second.responses.create(model="m", input="Who am I?", previous_response_id=known.id)
                assert told_of_words(said(response)) == ["I am Ada.", "Who am I?"]
        assert stream.get_final_response().status == "failed"
    code, _ = leaving.end()
    assert code == 0


def test_r3_what_one_process_sealed_another_opens(machines: Machines) -> None:
    """Also one whose key is newer, as long as it keeps the old one; nothing is looked up for it."""
    newer = {"k2": base64.b64encode(secrets.token_bytes(32)).decode(), **KEYS}
    (_, first), (_, second) = machines.start(), machines.start(keys=newer)
    thought = first.responses.create(model="m", input="I am Ada.", include=INCLUDE, store=False)
    given: list[Any] = [
        {"role": "user", "content": "I am Ada."},
        *thought.as_input(),
        {"role": "user", "content": "Well?"},
    ]
    response = second.responses.create(model="m", input=given, include=INCLUDE, store=False)
    assert said(response)[1] == "(thought) I heard: I am Ada."
    sealed = [item.encrypted_content or "" for item in response.reasoning_items]
    assert [text.split(".")[2] for text in sealed] == ["k2"]


def test_c2_what_one_process_compacted_another_goes_on_from(machines: Machines) -> None:
    (_, first), (_, second) = machines.start(), machines.start()
    known = first.responses.create(model="m", input="I am Ada.")
    window = first.responses.compact(model="m", previous_response_id=known.id)
    given: list[Any] = [*window.output, {"role": "user", "content": "Who am I?"}]
    summary, question = said(second.responses.create(model="m", input=given))
    assert "I am Ada." in summary
    assert question == "Who am I?"


def test_the_password_of_the_database_is_in_no_list_of_processes(machines: Machines) -> None:
    server, client = machines.start()
    assert said(client.responses.create(model="m", input="Hi")) == ["Hi"]
    arguments = Path(f"/proc/{server.process.pid}/cmdline").read_bytes()
    assert PASSWORD.encode() not in arguments
    assert not any(PASSWORD in line for line in server.told)


@contextmanager
def workers_on(store: str, count: int) -> Iterator[str]:
    """The address of uvicorn with several workers, which share one socket and the database."""
    command = [sys.executable, "-m", "uvicorn", "--factory", "gateway_process:app", "--workers", str(count)]
    environment = {**os.environ, **ENVIRONMENT, "STORE": store}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = subprocess.Popen(
            [*command, "--fd", str(listener.fileno()), "--log-level", "warning"],
            env=environment,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE)
            finally:
                process.kill()


def kill(process_id: int) -> None:
    """Kill a process that somebody else started, and wait until it is dead."""
    descriptor = os.pidfd_open(process_id)
    try:
        os.kill(process_id, signal.SIGKILL)
        assert select.select([descriptor], [], [], PATIENCE)[0]
    finally:
        os.close(descriptor)


def test_p1_workers_of_uvicorn_share_conversations_and_one_may_die(postgres: PostgresServer) -> None:
    """Many conversations at once, turn by turn on whatever worker takes the connection; one worker is killed."""
    store = f"postgresql://{USER}@{postgres.empty_database().rpartition('@')[2]}"
    seen: set[int] = set()

    def talk(url: str, name: str, turns: int, previous: str | None = None) -> str | None:
        for number in range(turns):
            body = {"model": "m", "input": f"{name} {number}", "previous_response_id": previous}
            headers = {"authorization": "Bearer ada", "connection": "close"}
            answer = httpx2.post(f"{url}/responses", json=body, headers=headers, timeout=PATIENCE, trust_env=False)
            assert answer.status_code == 200, answer.text
            seen.add(int(answer.headers["x-process"]))
            previous = answer.json()["id"]
            texts = json.loads(answer.json()["output"][-1]["content"][0]["text"])
            assert told_of_words(texts)[-number - 1 :] == [f"{name} {each}" for each in range(number + 1)]
        return previous

    with workers_on(store, 2) as url, ThreadPoolExecutor(8) as pool:
        rounds, ends = 0, list[str | None]()
        while len(seen) < 2 and rounds < 20:
            rounds += 1
            talks = [pool.submit(talk, url, f"{rounds} {each}", 3) for each in range(8)]
            ends = [each.result(PATIENCE) for each in talks]
        assert len(seen) == 2, "one worker took all connections"
        kill(min(seen))
        for end in ends:
            assert end is not None
            talk(url, "later", 2, end)

"""What a caller carries for the server.

Protects: rules R2 and R3 and the key material itself. Whatever a caller does to a sealed text, it is either opened as
exactly what was sealed, for the same kind and caller, or refused with the path of where it was; no key is ever shown.
"""

from __future__ import annotations

import base64
import logging
import os
import pickle
import re
import secrets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openresponses_kit.gateway.sealing import KEY_BYTES, MAX_SEALED_CHARS, MAX_VALUE_BYTES, Sealer, read_keys
from openresponses_kit.server.errors import InvalidRequestError, ServerError
from serving_process import PATIENCE, without

OLD, NEW = secrets.token_bytes(KEY_BYTES), secrets.token_bytes(KEY_BYTES)
SEALER = Sealer({"old": OLD, "new": NEW}, "new")
OWNER = "name:ada"
PLACE = "input[3].encrypted_content"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def refused(text: str, *, sealer: Sealer = SEALER, kind: str = "reasoning", owner: str = OWNER) -> InvalidRequestError:
    """The refusal of a text, which names where it stood and shows nothing of any key."""
    with pytest.raises(InvalidRequestError) as caught:
        sealer.open(kind, text, owner, place=PLACE)
    error = caught.value
    assert error.param == PLACE
    assert error.message.startswith(f"{PLACE}: ")
    assert error.code == "invalid_encrypted_content"
    assert error.status == 400
    return error


@given(JSON, st.text(), st.text())
def test_r2_what_was_sealed_is_opened_as_it_was(value: Any, kind: str, owner: str) -> None:
    text = SEALER.seal(kind, value, owner)
    assert SEALER.is_ours(text)
    assert SEALER.open(kind, text, owner) == value


@given(JSON)
def test_a_sealed_text_needs_no_escape_in_a_url_nor_in_json(value: Any) -> None:
    assert re.fullmatch(r"[A-Za-z0-9._-]+", SEALER.seal("reasoning", value, OWNER))


@given(st.text(min_size=1), st.data())
def test_r2_any_character_that_is_changed_is_noticed(value: str, data: st.DataObject) -> None:
    text = SEALER.seal("reasoning", value, OWNER)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("AQgw_-.=+/ \n\0é\u0661").filter(lambda each: each != text[place]))
    refused(text[:place] + other + text[place + 1 :])


@given(st.text(min_size=1), st.data())
def test_r2_a_text_that_is_cut_or_longer_is_noticed(value: str, data: st.DataObject) -> None:
    text = SEALER.seal("reasoning", value, OWNER)
    end = data.draw(st.integers(0, len(text) - 1))
    refused(text[:end])
    refused(text[end + 1 :])
    refused(text + data.draw(st.text(min_size=1)))


@given(st.text(), st.text(), st.text(), st.text())
def test_r3_kind_and_caller_are_bound_whatever_their_letters(kind: str, owner: str, other: str, more: str) -> None:
    text = SEALER.seal(kind, "secret", owner)
    others = {(other, owner), (kind, more), (other, more), (kind + owner, ""), ("", kind + owner)}
    for wrong_kind, wrong_owner in others - {(kind, owner)}:
        refused(text, kind=wrong_kind, owner=wrong_owner)


@given(st.binary(max_size=200))
def test_whatever_stands_in_the_place_of_the_ciphertext_is_refused(content: bytes) -> None:
    refused(f"gateway.1.new.{base64.urlsafe_b64encode(content).decode()}")
    refused(f"gateway.1.new.{base64.urlsafe_b64encode(content).rstrip(b'=').decode()}")


@given(st.text())
def test_any_text_is_refused_and_never_breaks(text: str) -> None:
    refused(text)
    refused(f"gateway.{text}")


def test_one_value_is_never_sealed_alike() -> None:
    texts = {SEALER.seal("reasoning", "the same", OWNER) for _ in range(1000)}
    assert len(texts) == 1000
    assert len({text.rpartition(".")[2][:16] for text in texts}) == 1000, "nonces were repeated"


def test_nothing_of_the_value_shows() -> None:
    text = SEALER.seal("reasoning", "a very telling trace", OWNER).rpartition(".")[2]
    assert b"telling" not in base64.urlsafe_b64decode(text + "==")


def test_old_keys_open_and_the_current_one_seals() -> None:
    before = Sealer({"old": OLD}, "old").seal("reasoning", [1], OWNER)
    assert SEALER.open("reasoning", before, OWNER) == [1]
    assert SEALER.seal("reasoning", [1], OWNER).startswith("gateway.1.new.")


def test_a_key_that_is_gone_is_told_as_that() -> None:
    text = SEALER.seal("reasoning", [1], OWNER)
    error = refused(text, sealer=Sealer({"old": OLD}, "old"))
    assert "not in use any more" in error.message


def test_another_key_of_the_same_id_is_refused() -> None:
    text = Sealer({"new": OLD}, "new").seal("reasoning", [1], OWNER)
    refused(text)


def test_the_id_of_the_key_is_bound() -> None:
    twins = Sealer({"new": NEW, "twin": NEW}, "twin")
    refused(twins.seal("reasoning", [1], OWNER).replace(".twin.", ".new."), sealer=twins)


def test_servers_of_other_names_seal_what_is_not_ours() -> None:
    other = Sealer({"new": NEW}, "new", name="inner").seal("reasoning", [1], OWNER)
    assert not SEALER.is_ours(other)
    refused(other)
    refused(other.replace("inner", "gateway"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "does not come from this server"),
        ("gAAAAABoZ29vZ2xl", "does not come from this server"),
        ("Gateway.1.new.AAAA", "does not come from this server"),
        ("gateway", "does not come from this server"),
        ("gateway.", "does not come from this server"),
        ("gateway.1", "does not come from this server"),
        ("gateway.1.new", "does not come from this server"),
        ("gateway.2.new.AAAA", "does not know"),
        ("gateway.01.new.AAAA", "does not know"),
        ("gateway.1.newer.AAAA", "not in use any more"),
        ("gateway.1.new.", "changed or cut"),
        ("gateway.1.new.AAAA", "changed or cut"),
        ("gateway.1.new." + "A" * 37, "changed or cut"),
        ("gateway.1.new." + "A" * 38, "changed or cut"),
        ("gateway.1.new." + "A" * 40 + "==", "changed or cut"),
        ("gateway.1.new." + "é" * 40, "changed or cut"),
        ("gateway.1.new." + "A" * MAX_SEALED_CHARS, "longer than"),
    ],
)
def test_what_was_not_sealed_here_is_refused(text: str, reason: str) -> None:
    error = refused(text)
    assert reason in error.message
    assert len(error.message) < 200, "the text is told again"


def test_bits_that_base64_leaves_over_may_not_be_set() -> None:
    """Otherwise one value would have several texts, and a changed text would be opened."""
    text = SEALER.seal("reasoning", "four", OWNER)
    length = len(text.rpartition(".")[2])
    assert length % 4, "this value leaves no bits over; choose another"
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    refused(text[:-1] + last[last.index(text[-1]) ^ 1])


def test_the_largest_value_fits_and_is_opened() -> None:
    largest = "x" * (MAX_VALUE_BYTES - 2)
    text = SEALER.seal("k" * 10, largest, OWNER)
    assert MAX_SEALED_CHARS - 500 < len(text) <= MAX_SEALED_CHARS
    assert SEALER.open("k" * 10, text, OWNER) == largest
    with pytest.raises(ServerError, match="too many to be encrypted"):
        SEALER.seal("reasoning", largest + "x", OWNER)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Sealer({}, "k1"), "the current key is 'k1', which is none of the keys: there are none"),
        (lambda: Sealer({"k1": OLD}, "k2"), "the current key is 'k2', which is none of the keys: 'k1'"),
        (lambda: Sealer({"k1": OLD[:16]}, "k1"), "the key 'k1' has 16 bytes; it has to be 32 random bytes"),
        (lambda: Sealer({"k1": OLD + b"x"}, "k1"), "the key 'k1' has 33 bytes"),
        (lambda: Sealer({"k1": b"\0" * 32}, "k1"), "the key 'k1' is the same byte throughout"),
        (lambda: Sealer({"k.1": OLD}, "k.1"), "the id of a key is 'k.1'; it has to be 1 to 32 letters"),
        (lambda: Sealer({"": OLD}, ""), "the id of a key is ''"),
        (lambda: Sealer({"k" * 33: OLD}, "k" * 33), "the id of a key is 'k{33}'"),
        (lambda: Sealer({"k1": OLD}, "k1", name="a.b"), "the name is 'a.b'"),
        (lambda: read_keys({"k1": "not base64!"}), "the key 'k1' is not base64; it has to be 32 random bytes, as of"),
        (lambda: read_keys({"k1": "AAAA"}), "the key 'k1' has 3 bytes"),
        (lambda: read_keys({"k1": ""}), "the key 'k1' has 0 bytes"),
        (lambda: read_keys({"k1": "A" * 45}), "the key 'k1' is not base64"),
        (lambda: read_keys({"k1": "?", "k2": "AA"}), "the key 'k1' is not base64.*; the key 'k2' has 1 bytes"),
    ],
)
def test_a_key_that_is_none_is_named_with_what_it_has_to_be(make: Callable[[], object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        make()
    assert OLD.hex() not in str(caught.value)


@given(st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES).filter(lambda key: len(set(key)) > 1), st.booleans())
def test_keys_are_read_from_base64_of_either_alphabet(key: bytes, is_padded: bool) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(key).decode()
        assert read_keys({"k1": f" {text if is_padded else text.rstrip('=')}\n"}) == {"k1": key}


def test_a_wrong_key_is_not_shown() -> None:
    value = base64.b64encode(OLD[:31]).decode()
    with pytest.raises(ValueError, match="has 31 bytes") as caught:
        read_keys({"k1": value})
    shown = f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"
    assert value not in shown
    assert str(OLD[:31])[2:-1] not in shown


def test_keys_are_shown_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    sealer = Sealer({"old": OLD, "new": NEW}, "new")
    refused(sealer.seal("reasoning", 1, "somebody else"), sealer=sealer)
    shown = [repr(sealer), str(sealer), f"{vars(sealer)}", caplog.text]
    assert shown[0] == "Sealer(keys=['new', 'old'], current='new')"
    for key in (OLD, NEW):
        forms = (key.hex(), repr(key)[2:-1], base64.b64encode(key).decode(), base64.urlsafe_b64encode(key).decode())
        assert not [form for form in forms for each in shown if form in each]
    with pytest.raises(TypeError):
        pickle.dumps(sealer)


def test_without_cryptography_it_is_told_and_all_else_works(tmp_path: Path) -> None:
    """A gateway that encrypts nothing does not need it; one that should says what to install."""
    program = (
        "import openresponses_kit.gateway.loop, openresponses_kit.gateway.sealed_items\n"
        "from openresponses_kit.gateway.sealing import Sealer\n"
        "try: Sealer({'k1': bytes(range(32))}, 'k1')\n"
        "except ImportError as error: print(error)\n"
    )
    environment = {**os.environ, **without(tmp_path, "cryptography")}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert "`cryptography`, which is not installed; install it, or the extra `gateway`" in done.stdout

"""Items as messages of Chat Completions.

Protects: X1 (outputs follow their calls), R2, N3 (nothing is lost silently), E3 (a refusal names the place).
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openresponses_kit.gateway.upstreams._messages import messages_of
from openresponses_kit.server.errors import InvalidRequestError


def call(name: str) -> dict[str, Any]:
    return {"type": "function_call", "call_id": name, "name": name, "arguments": "{}"}


def output(name: str, told: Any = "done") -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": name, "output": told}


def test_x1_outputs_follow_their_calls_in_the_order_of_the_calls() -> None:
    told = messages_of([call("a"), call("b"), output("b"), {"role": "user", "content": "Hi"}, output("a")])
    assert [(each["role"], each.get("tool_call_id")) for each in told] == [
        ("assistant", None),
        ("tool", "a"),
        ("tool", "b"),
        ("user", None),
    ]


def test_x1_a_call_without_an_output_is_answered_all_the_same() -> None:
    [_, told] = messages_of([call("a")])
    assert told["tool_call_id"] == "a"


def test_n3_an_item_that_nobody_knows_goes_to_the_model_whole() -> None:
    [told] = messages_of([{"type": "acme:note", "id": "1", "text": "kept"}])
    assert told == {"role": "user", "content": '{"type":"acme:note","id":"1","text":"kept"}'}


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", None])
def test_r2_reasoning_goes_back_in_the_field_that_is_set(field: str | None) -> None:
    thought = {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "Hm"}]}
    [told] = messages_of([thought, {"role": "assistant", "content": "Hi"}], reasoning_field=field)
    assert told == {"role": "assistant", "content": "Hi", **({field: "Hm"} if field else {})}


@pytest.mark.parametrize(
    ("part", "place"),
    [
        ({"type": "input_file", "file_url": "https://a.example/b"}, "input[1].content[0].file_data"),
        ({"type": "input_image"}, "input[1].content[0].image_url"),
        ({"type": "acme:smell"}, "input[1].content[0].type"),
    ],
)
def test_e3_what_cannot_be_said_is_refused_by_its_place(part: dict[str, Any], place: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        messages_of([{"role": "user", "content": "Hi"}, {"role": "user", "content": [part]}])
    assert refused.value.param == place


def test_x1_ids_that_come_again_belong_to_their_calls_one_by_one() -> None:
    """Some servers number the calls of each answer anew."""
    items = [
        call("call_0"),
        output("call_0", "one"),
        call("call_0"),
        output("call_0", "two"),
        output("call_0", "three"),
    ]
    told = messages_of(items)
    assert [each["content"] for each in told if each["role"] == "tool"] == ["one", "two"]
    assert told[-1] == {"role": "user", "content": "Output of the call call_0: three"}


def said(role: str) -> dict[str, Any]:
    return {"role": role, "content": ""}


IMAGE = {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "low"}
SEEN = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("Hi", "Hi"),
        ([], ""),
        ([{"type": "input_text", "text": "Hi"}], "Hi"),
        ([{"type": "input_text", "text": "Hi"}, IMAGE], [{"type": "text", "text": "Hi"}, SEEN]),
        (
            [{"type": "input_file", "filename": "a.txt", "file_data": "QQ=="}],
            [{"type": "file", "file": {"filename": "a.txt", "file_data": "QQ=="}}],
        ),
        (
            [{"type": "input_video", "video_url": "https://a.example/v"}],
            [{"type": "video_url", "video_url": {"url": "https://a.example/v"}}],
        ),
    ],
)
def test_p1_what_a_user_says(content: Any, told: Any) -> None:
    assert messages_of([{"role": "user", "content": content}]) == [{"role": "user", "content": told}]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("Hi", {"content": "Hi"}),
        ([{"type": "output_text", "text": "H"}, {"type": "output_text", "text": "i"}], {"content": "Hi"}),
        ([{"type": "refusal", "refusal": "No."}], {"content": None, "refusal": "No."}),
        ([{"type": "acme:mood", "mood": "good"}], {"content": '{"type":"acme:mood","mood":"good"}'}),
    ],
)
def test_p1_n3_what_an_assistant_says(content: Any, told: dict[str, Any]) -> None:
    assert messages_of([{"role": "assistant", "content": content}]) == [{"role": "assistant", **told}]


def test_r2_reasoning_alone_is_a_message_with_content() -> None:
    """Servers refuse a message of the assistant that has neither content nor calls."""
    thought = {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "Hm"}]}
    assert messages_of([thought], reasoning_field="reasoning") == [
        {"role": "assistant", "content": "", "reasoning": "Hm"}
    ]


@pytest.mark.parametrize("role", ["system", "developer"])
def test_p1_instructions_come_first_and_share_the_role_of_systems(role: str) -> None:
    given = [{"role": each, "content": each} for each in ("user", "system", "developer")]
    told = messages_of(given, instructions="Be kind.", system_role=role)
    assert [each["role"] for each in told] == [role, "user", role, role]
    assert told[0]["content"] == "Be kind."


def test_x1_an_image_in_an_output_follows_the_outputs() -> None:
    items = [call("a"), call("b"), output("a", [{"type": "input_text", "text": "this"}, IMAGE]), output("b")]
    [_, first, second, shown] = messages_of(items)
    assert (first["content"], second["content"]) == ("this", "done")
    assert shown == {"role": "user", "content": [{"type": "text", "text": "Part of the output of the call a:"}, SEEN]}


def test_e3_a_compaction_of_another_server_is_refused() -> None:
    with pytest.raises(InvalidRequestError) as refused:
        messages_of([{"type": "compaction", "encrypted_content": "x"}])
    assert refused.value.param == "input[0]"


def _items() -> st.SearchStrategy[dict[str, Any]]:
    ids, roles = st.sampled_from("abc"), st.sampled_from(["user", "assistant", "developer"])
    return st.one_of(
        st.builds(said, roles),
        st.builds(call, ids),
        st.builds(output, ids),
        st.just({"type": "acme:note"}),
        st.just({"type": "reasoning", "content": [{"type": "reasoning_text"}]}),
    )


@given(st.lists(_items(), max_size=12))
def test_x1_every_call_is_followed_by_its_output_and_no_text_is_lost(drawn: list[dict[str, Any]]) -> None:
    items: list[dict[str, Any]] = []
    texts: list[str] = []
    for number, each in enumerate(drawn):
        text = f"<{number}>"
        texts.append(text)
        match each.get("type"):
            case "function_call":
                items.append({**each, "arguments": text})
            case "function_call_output":
                items.append({**each, "output": text})
            case "reasoning":
                items.append({**each, "content": [{"type": "reasoning_text", "text": text}]})
            case "acme:note":
                items.append({**each, "text": text})
            case _:
                items.append({**each, "content": text})
    told = messages_of(items, reasoning_field="reasoning")
    whole = json.dumps(told)
    assert [text for text in texts if whole.count(text) != 1] == []
    waiting: list[str] = []
    for each in told:
        if each["role"] == "tool":
            assert each["tool_call_id"] == waiting.pop(0)
        else:
            assert waiting == []
            waiting = [made["id"] for made in each.get("tool_calls", ())]
    assert waiting == []

"""The examples of the documentation run as they stand, against a real server on loopback."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from answering_server import answering

DOCS = Path(__file__).parents[1] / "docs"
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_examples_of_the_client_run_in_order(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All blocks share one namespace, as a reader has who copies them into one session."""
    text = (DOCS / "client.md").read_text()
    namespace: dict[str, object] = {"__name__": "example"}
    with answering() as base_url:
        monkeypatch.setenv("OPENRESPONSES_BASE_URL", base_url)
        for match in _BLOCK.finditer(text):
            line = text[: match.start(1)].count("\n")
            code = compile("\n" * line + match.group(1), str(DOCS / "client.md"), "exec")
            exec(code, namespace)
    said = capsys.readouterr().out
    for expected in ("Hello,\nAda.", "input[0].content: Field required", "name='Paris'", "It is 7."):
        assert expected in said


@pytest.mark.parametrize("name", ["client.md", "from-openai.md"])
def test_names_in_the_documentation_exist(name: str) -> None:
    """What a page calls by a name of the package is there."""
    import openresponses_kit
    from openresponses_kit import testing

    text = (DOCS / name).read_text()
    offered = {*dir(openresponses_kit), *testing.__all__}
    mentioned = set(re.findall(r"`(?:Async)?((?:OpenResponses|API|Stream|Unknown)\w*(?:Error|Item|Event)?)`", text))
    assert mentioned
    assert mentioned <= offered

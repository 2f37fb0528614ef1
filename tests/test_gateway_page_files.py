"""Files of the page that are no Python: they get into a package, its manifest and its wheel as they are."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from openresponses_codegen.cli import main
from openresponses_codegen.output import digest
from openresponses_codegen.resources import templates

ASSETS = "gateway/page/assets"
NAMES = {"icon.svg", "index.html", "page.js", "style.css"}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, list(arguments), catch_exceptions=False)


def contents(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir()}


def test_they_are_copied_byte_by_byte_twice_the_same_and_checked(run: Callable[..., Result]) -> None:
    for name in ("one_kit", "other_kit"):
        assert run("generate", "-q", "-o", name, "--package", "kit").exit_code == 0
    ours = contents(templates() / "core" / ASSETS)
    assert set(ours) == NAMES
    assert contents(Path("one_kit", ASSETS)) == contents(Path("other_kit", ASSETS)) == ours
    listed = json.loads(Path("one_kit/generation.json").read_text())["files"]
    assert {name: listed[f"{ASSETS}/{name}"] for name in NAMES} == {name: digest(ours[name]) for name in NAMES}
    assert run("check", "-o", "one_kit", "--package", "kit").exit_code == 0
    style = Path("one_kit", ASSETS, "style.css")
    style.write_text(f"{style.read_text()}\n")
    changed = run("check", "-o", "one_kit", "--package", "kit")
    assert changed.exit_code == 1
    assert "edited by hand" in changed.output


def test_they_are_left_out_without_the_gateway(run: Callable[..., Result]) -> None:
    assert run("generate", "-q", "-o", "kit", "--components", "server").exit_code == 0
    assert not Path("kit/gateway").exists()


def test_a_user_may_replace_them_and_a_licence_leaves_them_alone(run: Callable[..., Result]) -> None:
    """A style sheet is not read as Python, and no comment of Python is put at its head."""
    own = Path("templates", "core", ASSETS, "style.css")
    own.parent.mkdir(parents=True)
    own.write_text("body { color: {{ red; }\n")
    Path("templates/core/licence.jinja").write_text("# Copyright of Acme\n")
    result = run("generate", "-q", "-o", "kit", "--templates", "templates")
    assert result.exit_code == 0, result.output
    assert Path("kit", ASSETS, "style.css").read_text() == "body { color: {{ red; }\n"
    assert contents(Path("kit", ASSETS))["page.js"] == (templates() / "core" / ASSETS / "page.js").read_bytes()
    assert Path("kit/gateway/page/app.py").read_text().startswith("# Copyright of Acme\n")


def test_python_of_a_user_is_still_read_as_python(run: Callable[..., Result]) -> None:
    own = Path("templates/core/gateway/addresses.py")
    own.parent.mkdir(parents=True)
    own.write_text("def (:\n")
    result = run("generate", "-q", "-o", "kit", "--templates", "templates")
    assert result.exit_code != 0
    assert "addresses.py" in result.output


def test_the_wheel_serves_the_page(run: Callable[..., Result], tmp_path: Path) -> None:
    """Installed from a wheel, below a namespace, the page finds its files."""
    made = run("generate", "-q", "-o", "acme-kit", "--package", "acme.kit", "--packaging", "distribution")
    assert made.exit_code == 0, made.output
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "acme-kit"]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = Path("acme-kit/dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall("site")
    code = (
        "import asyncio, sys; sys.path.insert(0, 'site')\n"
        "from acme.kit.gateway.page import PageApp\n"
        "sent = []\n"
        "async def send(message): sent.append(message)\n"
        "async def ask(path):\n"
        "    await PageApp(None)({'type': 'http', 'method': 'GET', 'path': path, 'headers': []}, None, send)\n"
        "for path in ('/', '/assets/page.js', '/assets/style.css', '/assets/icon.svg', '/page/settings'):\n"
        "    asyncio.run(ask(path))\n"
        "print([each['status'] for each in sent if 'status' in each], b'acme.kit' in sent[-1]['body'])\n"
    )
    shown = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "[200, 200, 200, 200, 200] True"

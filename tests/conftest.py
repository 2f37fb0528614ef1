"""Hypothesis profiles, and the generated packages that the tests read payloads with.

`HYPOTHESIS_PROFILE=long` draws many more examples than the default, and others each time.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from either_client import Clients
from hypothesis import HealthCheck, Phase, settings
from payloads import NEWEST, RELEASES
from pydantic import BaseModel, TypeAdapter
from scripted_server import ScriptedServer
from writing import Kit

if TYPE_CHECKING:
    from postgres_server import PostgresServer

settings.register_profile(
    "default",
    derandomize=True,
    deadline=None,
    phases=set(Phase) - {Phase.explain},
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile(
    "long", settings.get_profile("default"), derandomize=False, max_examples=3000, print_blob=True
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="renew the golden cases and the committed package")


def generated(release: str, name: str) -> Mapping[str, str]:
    """The files of a package made of a bundled release, by path."""
    from openresponses_codegen import pipeline

    return pipeline.generate(pipeline.load_spec(release), pipeline.Options(package=name)).files


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], ModuleType]:
    """The package of a release: the committed one for the newest, one made on the spot for any other."""
    made: dict[str, ModuleType] = {}

    def package(release: str = NEWEST) -> ModuleType:
        if release == NEWEST:
            return importlib.import_module("openresponses_kit")
        if release not in made:
            name = f"kit_{release.replace('-', '_')}"
            folder = tmp_path_factory.mktemp("generated")
            for path, text in generated(release, name).items():
                (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / name / path).write_bytes(text.encode())
            made[release] = _imported(name, folder)
        return made[release]

    return package


def _imported(name: str, folder: Path) -> ModuleType:
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))


@pytest.fixture(scope="session")
def kits(package: Callable[[str], ModuleType]) -> Mapping[str, Kit]:
    """The server half of each release's package."""
    return {release: Kit(package(release), release) for release in RELEASES}


@pytest.fixture(params=RELEASES)
def kit(request: pytest.FixtureRequest, kits: Mapping[str, Kit]) -> Kit:
    """The server half of each release's package, one after the other."""
    return kits[request.param]


@pytest.fixture(scope="session")
def acme_kit(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """A package with the extension of a vendor; the folder that it is in holds nothing else."""
    import vendor_service

    folder = tmp_path_factory.mktemp("vendor")
    vendor_service.write_kit(folder)
    return _imported(vendor_service.NAME, folder)


class Reader:
    """One way in and out for a class or a type alias of a package."""

    def __init__(self, symbol: Any) -> None:
        is_model = isinstance(symbol, type) and issubclass(symbol, BaseModel)
        self.model: type[BaseModel] | None = symbol if is_model else None
        self._adapter: TypeAdapter[Any] = TypeAdapter(symbol)

    def parse(self, payload: Any) -> Any:
        return self.model.model_validate(payload) if self.model else self._adapter.validate_python(payload)

    def parse_json(self, text: str | bytes) -> Any:
        return self.model.model_validate_json(text) if self.model else self._adapter.validate_json(text)

    def dump(self, parsed: Any) -> Any:
        if self.model:
            return parsed.model_dump(mode="json")
        return self._adapter.dump_python(parsed, mode="json", exclude_unset=True)

    def dump_json(self, parsed: Any) -> Any:
        """What is on the wire, as a JSON value."""
        if self.model:
            return json.loads(parsed.model_dump_json())
        return json.loads(self._adapter.dump_json(parsed, exclude_unset=True))


@pytest.fixture(scope="session")
def reader(package: Callable[[str], ModuleType]) -> Callable[..., Reader]:
    """The reader of a symbol of a release's package."""
    made: dict[tuple[str, str], Reader] = {}

    def reader(symbol: str, release: str = NEWEST) -> Reader:
        if (release, symbol) not in made:
            made[release, symbol] = Reader(getattr(package(release), symbol))
        return made[release, symbol]

    return reader


@pytest.fixture(scope="session")
def server() -> Iterator[ScriptedServer]:
    """A real HTTP server in a process of its own."""
    with ScriptedServer() as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL server; without its programs the test is skipped, but never in CI."""
    from postgres_server import PostgresMissingError, PostgresServer

    try:
        server = PostgresServer()
    except PostgresMissingError as error:
        if os.environ.get("CI", "").lower() in {"1", "true"}:
            pytest.fail(str(error))
        pytest.skip(str(error))
    with server:
        yield server


@pytest.fixture(params=["sync", "async"])
def connect(
    request: pytest.FixtureRequest,
    package: Callable[[str], ModuleType],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Clients]:
    """Makes clients of one kind; a test that takes it runs with both."""
    # No test needs certificates, and to load those of the system for every client takes longer than most tests.
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    with Clients(package(NEWEST), is_async=request.param == "async") as clients:
        yield clients


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, and its key, in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("the openssl command, which makes the certificate, is not installed")
    folder = tmp_path_factory.mktemp("tls")
    command = """openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test
        -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out certificate.pem"""
    subprocess.run(command.split(), cwd=folder, capture_output=True, check=True)
    path = folder / "both.pem"
    path.write_text((folder / "certificate.pem").read_text() + (folder / "key.pem").read_text())
    return path


@pytest.fixture
def server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusting(certificate: Path) -> ssl.SSLContext:
    """What verifies that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certificate)
    return context

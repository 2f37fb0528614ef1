"""Print ratios of the work of this project over the work of others, measured side by side.

python tests/benchmarks/run.py [BENCHMARK...] [--json] [--rounds N]; the benchmarks are those of `BENCHMARKS`, below.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from importlib import metadata
from pathlib import Path

import compare_client
import compare_diff
import compare_events
import compare_fold
import compare_gateway
import compare_generate
import compare_imports
import compare_server
import compare_sse
import compare_transports
from side_by_side import Figure, PeerMissingError, Skipped, table

BENCHMARKS = {
    "generate": compare_generate,
    "diff": compare_diff,
    "imports": compare_imports,
    "events": compare_events,
    "sse": compare_sse,
    "fold": compare_fold,
    "transports": compare_transports,
    "client": compare_client,
    "server": compare_server,
    "gateway": compare_gateway,
}
_PACKAGES = """
    openresponses-codegen datamodel-code-generator ruff pydantic pydantic-core httpx2 jiter msgspec openai
    openresponses-py openresponses-types aiohttp fastapi starlette sse-starlette uvicorn uvloop httptools
""".split()


def main() -> None:
    """Run what the command line names, or everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("benchmarks", nargs="*", choices=[[], *BENCHMARKS], metavar="|".join(BENCHMARKS))
    parser.add_argument("--rounds", type=_positive, help="how often each work runs; 1 only tries whether it does")
    parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON instead of Markdown")
    given = parser.parse_args()
    results: dict[str, list[Figure | Skipped]] = {}
    for name in given.benchmarks or BENCHMARKS:
        benchmark = BENCHMARKS[name]
        try:
            results[name] = list(benchmark.measure(given.rounds or benchmark.ROUNDS))
        except PeerMissingError as error:
            sys.exit(str(error))
        if not given.as_json:
            print(f"{name}\n\n{table(results[name])}\n")
    if given.as_json:
        figures = {name: [each.as_dict() for each in found] for name, found in results.items()}
        print(json.dumps({"machine": machine(), "versions": versions(), "results": figures}, indent=2))
    else:
        print(f"on {machine()}", *(f"{name} {version}" for name, version in versions().items()), sep="\n- ")


def machine() -> str:
    """The kind of machine, in general words."""
    processor = platform.machine()
    if (file := Path("/proc/cpuinfo")).is_file():
        models = [line.partition(":")[2].strip() for line in file.read_text().splitlines() if line[:10] == "model name"]
        processor = f"{len(models)} cores of {models[0]}" if models else processor
    return f"{processor}, {platform.system()}, {platform.python_implementation()} {platform.python_version()}"


def versions() -> dict[str, str]:
    """The versions of everything that takes part."""
    installed = {each.name.lower().replace("_", "-"): each.version for each in metadata.distributions()}
    return {name: installed.get(name, "not installed") for name in _PACKAGES}


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


if __name__ == "__main__":
    main()

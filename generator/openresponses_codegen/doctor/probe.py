"""What runs in the interpreter that is asked: it imports a package under a name of its own, and says how that went.

Its text is given to that interpreter, which may be of another version and knows nothing of this project. One line of
JSON comes on standard input, and one goes to standard output; whatever the package itself prints goes to standard
error.
"""

from __future__ import annotations

import json
import platform
import sys
import traceback
from importlib import import_module, metadata, util
from pathlib import Path
from typing import Any

NAME = "_examined_package"


def versions(distributions: list[str]) -> dict[str, str | None]:
    """The installed version of each distribution; None for one that is not there."""
    found: dict[str, str | None] = {}
    for each in distributions:
        try:
            found[each] = metadata.version(each.partition("[")[0])
        except metadata.PackageNotFoundError:
            found[each] = None
    return found


def failure(folder: str, modules: list[str]) -> dict[str, Any] | None:
    """What kept the first module that failed from being imported, with its place in the package; None for nothing."""
    spec = util.spec_from_file_location(
        NAME,
        Path(folder) / "__init__.py",
        submodule_search_locations=[folder],
    )
    if spec is None or spec.loader is None:
        return {"module": folder, "message": "it is no package", "file": None, "line": 1, "is_outside": False}
    package = util.module_from_spec(spec)
    sys.modules[NAME] = package
    tried = NAME
    try:
        spec.loader.exec_module(package)
        for path in modules:
            parts = path[: -len(".py")].split("/")
            tried = ".".join([NAME, *(parts[:-1] if parts[-1] == "__init__" else parts)])
            import_module(tried)
    except Exception as error:  # whatever it is, it is what is asked for
        missing = getattr(error, "name", None) if isinstance(error, ModuleNotFoundError) else None
        frames = [each for each in traceback.extract_tb(error.__traceback__) if each.filename.startswith(folder)]
        file, line = (frames[-1].filename, frames[-1].lineno) if frames else (None, 1)
        if isinstance(error, SyntaxError) and error.filename is not None:
            file, line = error.filename, error.lineno
        return {
            "module": tried.replace(NAME, Path(folder).name, 1),
            "message": f"{type(error).__name__}: {error}".replace(NAME, Path(folder).name),
            "file": file,
            "line": line or 1,
            "is_outside": missing is not None and not missing.startswith(NAME),
        }
    return None


def main() -> None:
    """Read the question, and answer it."""
    question = json.loads(sys.stdin.readline())
    answer, sys.stdout = sys.stdout, sys.stderr
    said = {
        "python": platform.python_version(),
        "versions": versions(question["distributions"]),
        "failure": failure(question["folder"], question["modules"]),
    }
    answer.write(f"\n{json.dumps(said)}\n")


if __name__ == "__main__":
    main()

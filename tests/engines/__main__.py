"""`python -m tests.engines` (`make engines`): the gate on each engine; writes docs/engines.md."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import docker

from gate.engine.client import Engine, connect
from gate.errors import GateError
from tests.engines.drive import (
    ROOT,
    Seen,
    expected_same,
    import_slim,
    last_seen,
    look_at_same,
    run_gate,
    save_inputs,
)
from tests.engines.page import good, page
from tests.engines.recipes import ENGINES, Recipe
from tests.engines.sandbox import EngineImpossible, Running, running

_BY_NAME = {each.name: each for each in ENGINES}
PAGE = ROOT / "docs/engines.md"


def main() -> int:
    """Try every engine, one after the other; the number of those on which not all is well."""
    parser = argparse.ArgumentParser(prog="python -m tests.engines", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these: " + ", ".join(_BY_NAME))
    names = parser.parse_args().names or list(_BY_NAME)
    if unknown := [name for name in names if name not in _BY_NAME]:
        parser.error(f"no engine is called {', '.join(unknown)}")
    files, archive = save_inputs(docker.from_env())
    expected = expected_same(archive)
    for name in names:
        _tried(_BY_NAME[name], files, archive).keep(name)
    seen = [found for name in _BY_NAME if (found := last_seen(name))]
    PAGE.write_text(page(seen, expected))
    print(f"written: {PAGE.relative_to(ROOT)}")
    return sum(not good(each, expected) for each in seen)


def _tried(recipe: Recipe, files: Path, archive: Path) -> Seen:
    seen = Seen(recipe.title, date=datetime.now(UTC).date().isoformat())
    say: Callable[[str], None] = lambda line: print(f"{recipe.name}: {line}", file=sys.stderr, flush=True)  # noqa: E731
    say("begins")
    try:
        with running(recipe, say) as engine:
            _use(engine, recipe, seen, files, archive, say)
    except (EngineImpossible, GateError) as cannot:
        seen.cannot = str(cannot).splitlines()[0]
        say(seen.cannot)
    return seen


def _use(started: Running, recipe: Recipe, seen: Seen, files: Path, archive: Path, say: Callable[[str], None]) -> None:
    engine = connect(600, environment=started.environment)
    try:
        _describe(engine, seen)
        say(f"version {seen.version}, {seen.store}")
        seen.same = look_at_same(engine, archive)
        say(f"the same image is {seen.same}")
        import_slim(engine, files)
    finally:
        engine.close()
    run_gate(started, Path(sys.executable), recipe.name, say, seen)
    say(f"{seen.criteria} in {seen.seconds:.0f} s")


def _describe(engine: Engine, seen: Seen) -> None:
    seen.version, info = engine.version(), engine.client.info()
    status = dict(info.get("DriverStatus") or [])
    seen.store = f"{info['Driver']} ({'containerd' if 'driver-type' in status else status.get('Backing Filesystem')})"
    seen.builder = "BuildKit" if engine.buildkit else "classic"


if __name__ == "__main__":
    sys.exit(main())

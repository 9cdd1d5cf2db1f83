"""What is done on each engine: one image seen alike, then the gate itself, from the build to the admission."""

from __future__ import annotations

import json
import subprocess
import tarfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

import docker

from gate.engine.client import Engine
from gate.engine.saved_image import read_saved
from tests.engines.sandbox import CACHE, Running

ROOT = Path(__file__).parents[2]
SLIM, SAME = "debian:bookworm-slim", "release-gate-lambda-base:standin"
# The one scenario that needs all of them: everything about the image first, then the push, then Lambda's admission.
_SCENARIO = "registry_holds_the_checked"
_GATE = ["-m", "pytest", "features/", "-k", _SCENARIO]
_CRITERIA = {"1": "AC1", "6": "AC6", "2": "AC2"}


@dataclass
class Seen:
    """What came of one engine.

    Attributes:
        title: of the engine.
        cannot: the one sentence of an engine that cannot be had or used; "" when it could.
        version: as it says.
        store: where it keeps images.
        builder: which builder the gate used.
        same: image ID, layers and bytes of the image that every engine was given.
        release: what the gate said of the release that it built there.
        layers: how many the release has in the engine, and in the registry.
        criteria: how many scenarios of each criterion hold, as "n of m".
        failed: each scenario that does not, and why.
        seconds: the gate's run.
        date: of the run.
    """

    title: str
    cannot: str = ""
    version: str = ""
    store: str = ""
    builder: str = ""
    same: tuple[str, int, int] = ("", 0, 0)
    release: dict[str, Any] = field(default_factory=dict)
    layers: tuple[int, int] = (0, 0)
    criteria: dict[str, str] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    seconds: float = 0.0
    date: str = ""

    def keep(self, name: str) -> None:
        """Write it down, for the page of a later run that tries other engines."""
        _kept(name).write_text(json.dumps(asdict(self), indent=1))


def last_seen(name: str) -> Seen | None:
    """What came of an engine when it was last tried here."""
    if not _kept(name).exists():
        return None
    found = json.loads(_kept(name).read_text())
    return Seen(**found | {"same": tuple(found["same"]), "layers": tuple(found["layers"])})


def _kept(name: str) -> Path:
    return CACHE / f"{name}.json"


def save_inputs(engine: docker.DockerClient) -> tuple[Path, Path]:
    """The stand-in's own base as one tar of files, and the stand-in as an archive: the same bytes for every engine.

    Saved once, and kept for the runs that try other engines.
    """
    files, archive = CACHE / "bookworm-slim.tar", CACHE / "same-image.tar"
    CACHE.mkdir(parents=True, exist_ok=True)
    if not archive.exists():
        _save(engine, SAME, archive)
    if not files.exists():
        whole = CACHE / "bookworm-slim-image.tar"
        _save(engine, SLIM, whole)
        with tarfile.open(whole) as saved:
            [entry] = json.load(_member(saved, "manifest.json"))
            files.write_bytes(_member(saved, entry["Layers"][0]).read())
        whole.unlink()
    return files, archive


def _save(engine: docker.DockerClient, image: str, path: Path) -> None:
    part = path.with_suffix(".part")
    with part.open("wb") as out:
        out.writelines(engine.images.get(image).save(named=image))
    part.rename(path)


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    found = archive.extractfile(name)
    if found is None:
        raise tarfile.ReadError(f"{name} is no file")
    return found


def expected_same(archive: Path) -> tuple[str, int, int]:
    """Image ID, layers and bytes of the saved image, by the archive itself."""
    with tarfile.open(archive, mode="r|") as opened:
        saved = read_saved(opened)
    return saved.config_digest, len(saved.layers), sum(each.size_bytes for each in saved.history)


def look_at_same(engine: Engine, archive: Path) -> tuple[str, int, int]:
    """What the gate sees of the saved image in an engine; it is removed again."""
    with archive.open("rb") as file:
        [loaded] = engine.client.images.load(file)
    found = engine.image(str(loaded.id))
    engine.client.images.remove(str(loaded.id), force=True)
    return found.image_id, len(found.layers), found.size_bytes


def import_slim(engine: Engine, files: Path) -> None:
    """Give an engine debian:bookworm-slim, as `setup/base` does where no registry answers."""
    name, _, tag = SLIM.partition(":")
    engine.client.api.import_image_from_data(files.read_bytes(), repository=name, tag=tag, changes=['CMD ["bash"]'])


def run_gate(running: Running, python: Path, name: str, say: Callable[[str], None], seen: Seen) -> None:
    """The gate in the engine's network, up to Lambda's admission; what it checked is read from its own records."""
    folder = CACHE / name
    reports = folder / "reports"
    words = [
        "setpriv",
        "--pdeathsig",
        "TERM",
        *running.inside,
        str(python),
        *_GATE,
        "-o",
        f"reports={reports}",
        "-o",
        f"local_state={folder}/target",
    ]
    began = time.monotonic()
    say("the gate: build, AC1, AC6, push, admission")
    with (CACHE / f"{name}-gate.log").open("w") as log:
        subprocess.run(words, cwd=ROOT, env=running.environment, stdout=log, stderr=subprocess.STDOUT, check=False)
    seen.seconds = time.monotonic() - began
    read_verdict(reports / "partial", seen)


def read_verdict(partial: Path, seen: Seen) -> None:
    """What a run of the gate left about these criteria."""
    verdict = json.loads((partial / "verdict.json").read_text())
    seen.release = verdict["release"]
    for number, name in _CRITERIA.items():
        scenarios = [each for each in verdict["criteria"][number]["scenarios"] if not each["only_aws"]]
        passed = [each for each in scenarios if each["status"] == "passed"]
        seen.criteria[name] = f"{len(passed)} of {len(scenarios)}"
        seen.failed += [
            f"{name}: {each['name']}: {each['reason'].splitlines()[0]}" for each in scenarios if each not in passed
        ]
    records = [json.loads(path.read_text()) for path in sorted((partial / "evidence").glob("[0-9]*.json"))]
    held = next((r["answer"]["layers"] for r in records if r["title"] == "image"), [])
    stored = next((r["answer"] for r in records if r["title"] == "manifest"), None)
    seen.release |= {"digest": None, "media_type": "none"}
    if stored:
        seen.release |= {"digest": stored["digest"], "media_type": stored["media_type"]}
    seen.layers = (len(held), len(json.loads(stored["body"])["layers"]) if stored else 0)

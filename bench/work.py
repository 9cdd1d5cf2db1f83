"""The measured work: by the gate, by hand, by plain tests, and a page opened in a browser."""

from __future__ import annotations

import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import closing, nullcontext
from functools import cache
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import docker

from bench.measure import ROOT, seconds
from bench.scale import page, scan
from gate.image.archive import read_image
from gate.image.build import build_arguments
from gate.image.layer_files import LayerFolder
from gate.image.package_records import PackageRecords
from gate.publish.build import STAND_IN
from gate.release_file import release_of
from localaws.__main__ import seeded_release
from localaws.registry.container import BLOBS
from localaws.target import LocalTarget
from tests.local_target.clients import aws_cli

# Without this project's conftest.py, and without the plugin that the gate leaves out too.
_ALONE = ("-c", os.devnull, "--confcutdir", "bench/plain", "-p", "no:hypothesispytest", "-q")
RELEASE = release_of(ROOT / "pytest.ini")
IMAGES = (f"{RELEASE.repository}:latest", f"{RELEASE.repository}:by-hand", STAND_IN)
# Runs in the image: the page comes in on standard input, and Chrome's own milliseconds go out.
_OPEN = """
import os, sys
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
with open("/tmp/page.html", "wb") as file:
    file.write(sys.stdin.buffer.read())
options = ChromeOptions()
options.binary_location = os.environ["CHROME_BIN"]
for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
    options.add_argument(flag)
browser = Chrome(options=options, service=Service(os.environ["CHROMEDRIVER_BIN"]))
browser.get("file:///tmp/page.html")
print(browser.execute_script("return performance.getEntriesByType('navigation')[0].loadEventEnd"))
browser.quit()
"""
# What pytest says of each test, and how many folders are named of those that took longest.
_TESTS, _FOLDERS = ROOT / ".cache" / "bench" / "tests.xml", 8
_BENCHED = {"BENCH_IMAGE": IMAGES[0], "BENCH_BASE": STAND_IN}


def gate() -> float:
    """One whole rehearsal by the gate, its local target's start included."""
    return seconds([sys.executable, "-m", "pytest", "features/"])


def by_hand() -> float:
    """The same work by the script; the start of its local target counts, as the gate's does."""
    began = time.monotonic()
    arguments = [
        f"--build-arg={name}={value}"
        for name, value in build_arguments(ROOT / RELEASE.image_context, None, RELEASE.release_tag).items()
    ]
    with LocalTarget(seeded_release(ROOT / "pytest.ini"), state=ROOT / ".cache" / "bench") as target:
        given = {
            "AWS_CLI": str(aws_cli() / "aws"),
            "SYFT": str(Path(sys.executable).with_name("syft")),
            "REGISTRY": target.registry,
            "REPOSITORY": RELEASE.repository,
            "ZIP_FUNCTION": RELEASE.zip_function,
            "RELEASE_TAG": RELEASE.release_tag,
            "ROLLING_TAG": RELEASE.rolling_tag,
            "CONTEXT": RELEASE.image_context,
            "IMAGE": IMAGES[1],
            "STAND_IN": STAND_IN,
        }
        seconds(["bench/by_hand.sh", *arguments], {**target.environment(), **given})
    return time.monotonic() - began


def _make(target: str, arguments: str = "") -> list[str]:
    """A target with arguments of its own: without them, it would take those of the `make bench` that runs this."""
    return ["make", target, f"ARGS={arguments}"]


def accept() -> float:
    """`make accept` where nothing has changed since the last one, which is made here: others empty the caches."""
    return [seconds(_make("accept")) for _ in range(2)][-1]


def accept_changed() -> float:
    """The same after a change of src/."""
    handler = ROOT / RELEASE.image_context / "src" / "main.py"
    text = handler.read_text()
    handler.write_text(f"{text}# {time.time()}\n")
    try:
        return seconds(_make("accept"))
    finally:
        handler.write_text(text)


def accept_fresh() -> float:
    """The same in a new clone; only downloads are kept."""
    with tempfile.TemporaryDirectory() as folder:
        empty_caches()
        began = time.monotonic()
        subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
        seconds(_make("accept"), folder=Path(folder))
        return time.monotonic() - began


def check() -> float:
    """`make check`."""
    return seconds(_make("check"))


def test() -> float:
    """`make test`."""
    return seconds(_make("test", f"--junitxml={_TESTS}"))


def slowest_folders() -> dict[str, float]:
    """Where the time of `make test` went: the seconds of its three processes by folder, the longest first."""
    found: dict[str, float] = defaultdict(float)
    for case in ElementTree.parse(_TESTS).iter("testcase"):  # noqa: S314 - pytest wrote it
        found[case.get("classname", "").split(".")[0]] += float(case.get("time", 0))
    return dict(sorted(found.items(), key=lambda each: -each[1])[:_FOLDERS])


def inspection() -> float:
    """The gate's scenarios that inspect the image and do not run it as Lambda does."""
    inspections = "not (Chrome_opens or Korean or initialises or Five_warm or published or built)"
    own = ("-m", "ac1 or ac6", "-k", inspections, "--image", IMAGES[0])
    beside = ("-o", f"reports={ROOT / '.cache' / 'bench'}")
    return seconds([sys.executable, "-m", "pytest", "features/", *own, *beside])


@cache
def steps() -> dict[str, float]:
    """Seconds of each step of an inspection alone: the engine's, which a warm one leaves out, and the gate's own."""
    began = [time.monotonic()]
    subprocess.run(["docker", "save", IMAGES[0]], stdout=subprocess.DEVNULL, check=True)
    began.append(time.monotonic())
    inspected = docker.from_env().images.get
    digests, base = (inspected(name).attrs["RootFS"]["Layers"] for name in (IMAGES[0], STAND_IN))
    with closing(LayerFolder(ROOT / ".cache" / "layers")) as folder:
        for digest in digests:
            folder.kept(digest)
        began.append(time.monotonic())
        image = read_image(digests, folder, lambda: nullcontext(io.BytesIO()))
        began.append(time.monotonic())
        image.search(PackageRecords(), len(base))
        began.append(time.monotonic())
    names = ("docker save", "hashing the layers", "the same and reading their headers", "searching them")
    return {name: after - before for name, (before, after) in zip(names, pairwise(began), strict=True)}


def on_the_host() -> float:
    """The same checks as plain testinfra tests; the files are read as the gate reads them."""
    return _plain("test_files_on_the_host.py")


def in_the_image() -> float:
    """The same, except that the files are read with the image's own find and grep."""
    return _plain("test_files_in_the_image.py")


def collecting() -> float:
    """Pytest's collection of every scenario."""
    return _collected("features/")


def _plain(files: str) -> float:
    tests = [sys.executable, "-m", "pytest", *_ALONE, "bench/plain/test_inspection.py", f"bench/plain/{files}"]
    return seconds(tests, _BENCHED)


def _collected(*what: str) -> float:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *what]
    # If the environment keeps Python from writing bytecode, each call would compile the gate again.
    environment = {"PYTHONDONTWRITEBYTECODE": "", **_BENCHED}
    seconds(command, environment)
    return statistics.median(seconds(command, environment) for _ in range(5))


def empty_caches() -> None:
    """Remove images, layer cache, kept layers, blobs and SBOMs; downloaded packages stay."""
    client = docker.from_env()
    for name in IMAGES:
        if client.images.list(name=name):
            client.images.remove(name, force=True)
    client.images.prune()
    for volume in client.volumes.list(filters={"name": BLOBS}):
        volume.remove(force=True)
    for folder in ("sbom", "sboms", "layers"):
        for file in (ROOT / ".cache" / folder).glob("*"):
            file.unlink()
    client.close()


def opening() -> tuple[float, float]:
    """The largest page in MB, and the seconds until the image's Chrome has loaded it, as Chrome itself counts them."""
    content = page(scan(100_000)).encode()
    command = ["docker", "run", "--rm", "--interactive", "--network", "none", "--entrypoint", "python3", IMAGES[0]]
    asked = subprocess.run([*command, "-c", _OPEN], input=content, capture_output=True, check=True)
    return len(content) / 1e6, float(asked.stdout) / 1000

"""The command line: our options of `pytest features/`, declared, read and checked in one place."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gate.errors import WrongUse
from gate.selection import nearest

TARGETS = ("local", "aws")
_WITH_TEXT = ("--target", "--profile", "--image-context", "--image", "--release-tag", "--previous", "--sign")

# argparse ends a group's heading with a colon of its own.
EXAMPLES = """release gate, for example
  pytest features/                            rehearse the whole release on the local target
  pytest features/ --image repo:tag           check an image that exists, build nothing
  pytest features/ --target aws               verify what is published; changes nothing
  pytest features/ --target aws --publish     build, check, push, scan, promote
  pytest features/ -m ac1                     one criterion (says INCOMPLETE; see reports/partial/)

options of the release gate"""


@dataclass(frozen=True)
class Options:
    """What the person asked for.

    Attributes:
        target: "local" or "aws".
        profile: the AWS profile, or None for the ordinary chain.
        image_context: the folder whose Dockerfile is built.
        image: the reference to check instead of building, or None.
        publish: whether an AWS run may push and promote.
        keep: whether the local target keeps what the last run left.
        plan: print what would be done, and do nothing.
        release_tag: takes the place of pytest.ini's, or None.
        previous: last night's scan as a file, or None for the last recorded.
        scan_timeout: seconds to wait for a scan.
        build_timeout: seconds that a build may take.
        engine_timeout: seconds that the Docker engine, or a program in a container, may be silent.
        sign: the private key that signs the evidence, or None.
    """

    target: str
    profile: str | None
    image_context: Path
    image: str | None
    publish: bool
    keep: bool
    plan: bool
    release_tag: str | None
    previous: Path | None
    scan_timeout: int
    build_timeout: int
    engine_timeout: int
    sign: Path | None


def declare(parser: Any) -> None:
    """Declare our options to pytest's parser; of an option that it does not know it then offers the nearest of ours."""
    group = parser.getgroup("release gate", EXAMPLES)
    add = group.addoption
    add("--target", metavar="local|aws", help="where the release goes (default: $RELEASE_TARGET, else local)")
    add("--profile", metavar="NAME", help="the AWS profile to use (default: the ordinary AWS chain)")
    add("--image-context", metavar="DIR", help="build the Dockerfile of this folder (default: pytest.ini's)")
    add("--image", metavar="REF", help="check this existing image; build nothing (not with --publish)")
    add("--publish", action="store_true", help="with --target aws: push, scan and promote (default: verify only)")
    add("--keep", action="store_true", help="local target: start from the state the last run left (rehearses a re-run)")
    add("--plan", action="store_true", help="print what the run would do, and do nothing")
    add("--release-tag", metavar="TAG", help="release under this tag instead of pytest.ini's")
    add("--previous", metavar="FILE", help="last night's scan, for -m rescan (default: the last recorded)")
    add("--scan-timeout", metavar="SECONDS", type=int, default=900, help="how long a scan may take (default: 900)")
    add("--build-timeout", metavar="SECONDS", type=int, default=1800, help="how long a build may take (default: 1800)")
    add("--engine-timeout", metavar="SECONDS", type=int, default=300,
        help="how long the Docker engine may be silent in one call (default: 300)")  # fmt: skip
    add("--sign", metavar="KEY", help="sign the evidence with this private key (PEM, Ed25519 or ECDSA)")
    ours = [name for option in group.options for name in option.names()]
    given = (word.partition("=")[0] for word in sys.argv[1:] if word.startswith("--"))
    near = [f"{word}{nearest(word, ours)}" for word in given if word not in ours and nearest(word, ours)]
    if near:
        # Shown by pytest's parser below its own error; a known option of pytest's never gets there.
        parser.extra_info["unknown"] = ", ".join(near)


def refuse_empty(config: Any) -> None:
    """Refuse an option without a value: a shell variable that was not set would silently mean the default.

    Raises:
        WrongUse: names the option.
    """
    for name in _WITH_TEXT:
        if config.getoption(name) == "":
            raise WrongUse(
                f"{name} is given an empty value (a shell variable that is not set?): give one, or leave it out"
            )


def read(config: Any, default_context: str, root: Path) -> Options:
    """The options of this run (`config` is pytest's).

    Raises:
        WrongUse: they contradict each other or name something that is not there.
    """
    get = config.getoption
    options = Options(
        target=get("--target") or os.environ.get("RELEASE_TARGET", "local"),
        profile=get("--profile"),
        image_context=Path(get("--image-context")).resolve() if get("--image-context") else root / default_context,
        image=get("--image"),
        publish=get("--publish"),
        keep=get("--keep"),
        plan=get("--plan"),
        release_tag=get("--release-tag"),
        previous=Path(get("--previous")) if get("--previous") else None,
        scan_timeout=get("--scan-timeout"),
        build_timeout=get("--build-timeout"),
        engine_timeout=get("--engine-timeout"),
        sign=Path(get("--sign")) if get("--sign") else None,
    )
    _check(options, both_given=bool(get("--image") and get("--image-context")))
    return options


def _check(options: Options, *, both_given: bool) -> None:
    wrong = {
        f"--target is local or aws, not {options.target!r}": options.target not in TARGETS,
        "--publish goes with --target aws; the local target always publishes": (
            options.publish and options.target == "local"
        ),
        "--image and --image-context exclude each other: check an image, or build one": both_given,
        "--publish builds what it publishes: leave out --image, which nothing ties to the Dockerfile": bool(
            options.publish and options.image
        ),
        f"no Dockerfile is in {options.image_context}: name its folder with --image-context (or in pytest.ini)": (
            not options.image and not (options.image_context / "Dockerfile").is_file()
        ),
        "--keep goes with --target local: AWS is never reset": options.keep and options.target == "aws",
        "a timeout is a number of seconds above 0": (
            min(options.scan_timeout, options.build_timeout, options.engine_timeout) <= 0
        ),
        f"--previous names no file: {options.previous}": bool(options.previous and not options.previous.is_file()),
        f"--sign names no file: {options.sign}": bool(options.sign and not options.sign.is_file()),
    }
    for sentence, is_so in wrong.items():
        if is_so:
            raise WrongUse(sentence)

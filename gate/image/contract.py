"""What Lambda relies on in an image: environment, entrypoint, handler, platform and size. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate.check import ACCEPTED, CheckResult, Rejection, check, reject
from gate.image.environment_variables import FREE, LISTS, RESERVED, keeps, loads_code

if TYPE_CHECKING:
    from gate.engine import InspectedImage

GB = 1_000_000_000


@dataclass(frozen=True)
class Startup:
    """How an image is started (OCI image spec, config)."""

    env: Mapping[str, str]
    entrypoint: tuple[str, ...]
    workdir: str

    @classmethod
    def of(cls, image: InspectedImage) -> Startup:
        """The settings in an image's configuration."""
        return cls(image.env, image.entrypoint, image.workdir)


@dataclass(frozen=True)
class ConfigDifference:
    """A setting of the image that differs from its base.

    Attributes:
        wrong: what it breaks, as the end of a sentence; "" where it is harmless.
    """

    name: str
    base: str
    image: str
    wrong: str = ""


def differences(image: Startup, base: Startup) -> tuple[ConfigDifference, ...]:
    """All differences from the base. New variables, longer paths and what AWS leaves to the image are harmless."""
    found = [
        ConfigDifference(name, base.env.get(name, ""), image.env.get(name, ""), _wrong(name, image.env, base.env))
        for name in sorted({*image.env, *base.env})
        if image.env.get(name) != base.env.get(name)
    ]
    for name, own, other in (
        ("ENTRYPOINT", " ".join(image.entrypoint), " ".join(base.entrypoint)),
        ("WORKDIR", image.workdir, base.workdir),
    ):
        if own != other:
            found.append(ConfigDifference(name, other, own, "Lambda starts the image with it"))
    return tuple(found)


def _wrong(name: str, image: Mapping[str, str], base: Mapping[str, str]) -> str:
    if name not in image:
        return "the base's programs rely on it"
    if does := loads_code(name, image[name]):
        return f"it {does}"
    if name in LISTS:
        return "" if keeps(image[name], base.get(name, "")) else "folders of the base are missing, or in another order"
    if name in RESERVED:
        return "Lambda sets it itself"
    return "" if name in FREE or name.startswith("LC_") or name not in base else "the base's programs rely on it"


@check(6, known_bad=lambda: (Startup({}, ("/bin/sh",), "/"), Startup({}, ("/lambda-entrypoint.sh",), "/var/task")))
def starts_like(image: Startup, base: Startup) -> CheckResult:
    """The image keeps the settings of its base that Lambda relies on, and no other code runs before the runtime."""
    return CheckResult.of(
        Rejection(
            f"{d.name} is {d.image or 'not set'!r} in the image, and {d.base or 'not set'!r} on the approved base: "
            + d.wrong,
            where="the image's configuration",
            remedy=f"leave {d.name} as the base image sets it",
        )
        for d in differences(image, base)
        if d.wrong
    )


@check(1, known_bad=lambda: (("main.lambda_handler",), "src.main.lambda_handler"))
def handler_is(cmd: Sequence[str], handler: str) -> CheckResult:
    """The image's CMD is the agreed handler; Lambda passes it to the runtime unchanged."""
    if tuple(cmd) == (handler,):
        return ACCEPTED
    return reject(
        f"the image's CMD is {list(cmd)}, and the agreed handler is {handler!r}",
        where="Cmd of the image's configuration",
        remedy=f'write CMD ["{handler}"] in the Dockerfile, or correct `handler` in pytest.ini',
    )


@check(1, known_bad=lambda: ({"CHROME_BIN": "/usr/bin/google-chrome"}, {"CHROME_BIN": "/opt/chrome/chrome"}))
def names_paths(env: Mapping[str, str], wanted: Mapping[str, str]) -> CheckResult:
    """The variables name the agreed paths."""
    return CheckResult.of(
        Rejection(
            f"{name} is {env.get(name) or 'not set'!r}, and the agreed path is {path!r}",
            where="Env of the image's configuration",
            remedy=f"write ENV {name}={path} in the Dockerfile, or correct pytest.ini",
        )
        for name, path in wanted.items()
        if env.get(name) != path
    )


@check(6, known_bad=lambda: ("linux/arm64", "linux/amd64"))
def platform_is(found: str, wanted: str) -> CheckResult:
    """The image is for the platform of the function; Lambda starts no other (Lambda, "Container images")."""
    if found == wanted:
        return ACCEPTED
    return reject(
        f"the image is built for {found}, and the function runs on {wanted}",
        where="Os and Architecture of the image's configuration",
        remedy=f"build with `docker build --platform {wanted}`, on any machine",
    )


@check(6, known_bad=lambda: (10 * GB, 10, "uncompressed"))
def below(size_bytes: int, limit_gb: int, kind: str) -> CheckResult:
    """The image is smaller than the limit (Lambda quotas: 10 GB uncompressed, all layers together)."""
    if size_bytes <= 0:
        return reject(f"the {kind} size of the image is not known ({size_bytes} bytes)", f"the image, {kind}",
                      "ask by hand (docker image inspect, aws ecr describe-images)")  # fmt: skip
    if size_bytes < limit_gb * GB:
        return ACCEPTED
    return reject(
        f"the image is {size_bytes / GB:.2f} GB {kind}, and the limit is {limit_gb} GB",
        where=f"the image, {kind}",
        remedy="see the layer sizes in the report: the largest layer is the first place to look",
    )

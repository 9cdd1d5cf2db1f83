"""What the image promises its runtime: environment, entrypoint, working directory, handler. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gate.check import ACCEPTED, CheckResult, Rejection, check, reject
from gate.image.variables import FREE, LISTS, RESERVED, keeps, loads_code


@dataclass(frozen=True)
class Startup:
    """How an image is started (OCI image spec, config)."""

    env: Mapping[str, str]
    entrypoint: tuple[str, ...]
    workdir: str
    cmd: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """One line of the table that holds an image against its base.

    Attributes:
        wrong: what it breaks, as the end of a sentence; "" where it harms nothing.
    """

    name: str
    base: str
    image: str
    wrong: str = ""

    @property
    def allowed(self) -> bool:
        """Whether it harms nothing."""
        return not self.wrong


def differences(image: Startup, base: Startup) -> tuple[Difference, ...]:
    """Where the image departs from its base: new variables, longer paths and what Lambda leaves free are allowed."""
    found = [
        Difference(name, base.env.get(name, ""), image.env.get(name, ""), _wrong(name, image.env, base.env))
        for name in sorted({*image.env, *base.env})
        if image.env.get(name) != base.env.get(name)
    ]
    for name, own, other in (
        ("ENTRYPOINT", " ".join(image.entrypoint), " ".join(base.entrypoint)),
        ("WORKDIR", image.workdir, base.workdir),
    ):
        if own != other:
            found.append(Difference(name, other, own, "Lambda starts the image by it"))
    return tuple(found)


def _wrong(name: str, image: Mapping[str, str], base: Mapping[str, str]) -> str:
    if name not in image:
        return "the base's programs rely on it"
    if does := loads_code(name, image[name]):
        return f"it {does}"
    if name in LISTS:
        return "" if keeps(image[name], base.get(name, "")) else "folders of the base are lost, or in another order"
    if name in RESERVED:
        return "Lambda sets it itself"
    return "" if name in FREE or name.startswith("LC_") or name not in base else "the base's programs rely on it"


@check(6, known_bad=lambda: (Startup({}, ("/bin/sh",), "/"), Startup({}, ("/lambda-entrypoint.sh",), "/var/task")))
def starts_like(image: Startup, base: Startup) -> CheckResult:
    """The image keeps what its base promises the Lambda service, and nothing else runs before the runtime."""
    return CheckResult.of(
        Rejection(
            f"{d.name} is {d.image or 'not set'!r} in the image, and {d.base or 'not set'!r} on the approved base: "
            + d.wrong,
            where="the image's configuration",
            remedy=f"leave {d.name} as the base image sets it",
        )
        for d in differences(image, base)
        if not d.allowed
    )


@check(1, known_bad=lambda: (("main.lambda_handler",), "src.main.lambda_handler"))
def handler_is(cmd: Sequence[str], handler: str) -> CheckResult:
    """The image's CMD is the one agreed handler; Lambda passes it on as it is."""
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

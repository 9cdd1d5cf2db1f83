"""What must not decide about a run: proxies, a person's AWS and git settings, encodings, a clock that is set.

The environment is settled once, at the beginning, for the run itself and for every program that it starts.
"""

from __future__ import annotations

import codecs
import locale
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress
from urllib.parse import urlsplit

from gate.errors import WrongUse

# As curl, Python's urllib, requests, botocore and Go's net/http read them; each in lower and in upper case.
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_EXCEPT = ("no_proxy", "NO_PROXY")
# What botocore, requests and OpenSSL trust in place of, or besides, the certificates that they ship.
_CERTIFICATES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
# A time service corrects a clock by seconds. As much as a scan may be dated ahead of this machine.
TOLERATED_SECONDS = 300


def settle(environment: MutableMapping[str, str], *, asks_aws: bool) -> None:
    """Change the environment so that it decides nothing about the run.

    Args:
        environment: of this process, and of its children.
        asks_aws: whether the run asks AWS, by the person's own settings.

    Raises:
        WrongUse: Python itself was started in a way that cannot be put right any more.
    """
    refuse_interpreter(locale.getpreferredencoding(False), sys.flags.optimize)
    environment.update(no_proxy(environment))
    leave_out_git(environment)
    # The docker command must reach the engine that the gate asks, whatever context or version of the API is chosen:
    # Docker's SDK knows no contexts, takes DOCKER_HOST or the local socket, and agrees on the version by itself.
    environment.pop("DOCKER_API_VERSION", None)
    environment["DOCKER_CONTEXT"] = "default"
    # Asking git writes nothing: a run that is ended meanwhile would leave the lock of the index behind.
    environment["GIT_OPTIONAL_LOCKS"] = "0"
    if not asks_aws:
        leave_out_aws(environment)


def refuse_interpreter(encoding: str, optimize: int) -> None:
    """Refuse a Python that reads text otherwise than as UTF-8, or leaves out docstrings and assertions.

    Args:
        encoding: of files and of other programs' output, where none is named.
        optimize: how often -O was given.

    Raises:
        WrongUse: it is such a one.
    """
    if codecs.lookup(encoding).name != "utf-8":
        raise WrongUse(
            f"this Python reads text as {encoding}, and what the gate reads and writes is UTF-8",
            remedy="export PYTHONUTF8=1, or a locale of UTF-8 (LC_ALL=C.UTF-8)",
        )
    if optimize:
        raise WrongUse(
            "this Python was told to leave out assertions, and with them what tests are made of",
            remedy="unset PYTHONOPTIMIZE, and leave out -O",
        )


def leave_out_git(environment: MutableMapping[str, str]) -> None:
    """Take away what points git at a repository, as a hook of git's has it set: each folder is asked about itself."""
    if any(name.startswith("GIT_") for name in environment):
        with suppress(OSError):  # without git, nothing asks it
            own = subprocess.run(["git", "rev-parse", "--local-env-vars"], capture_output=True, text=True, check=True)
            for name in own.stdout.split():
                environment.pop(name, None)


def no_proxy(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables with which this machine's own addresses are reached without any proxy; none where none is named.

    Some programs read the lower-case name first and some the upper-case one, so both say the same: what either said.
    """
    if not _set(environment):
        return {}
    said = ",".join(filter(None, (environment.get(name, "") for name in _EXCEPT)))
    names = [each.strip() for each in said.split(",")]
    whole = ",".join(dict.fromkeys(each for each in (*names, *_LOOPBACK) if each))
    # An asterisk among others means nothing to Python's urllib: it must stand alone.
    return dict.fromkeys(_EXCEPT, "*" if "*" in names else whole)


def leave_out_aws(environment: MutableMapping[str, str]) -> None:
    """Take a person's own AWS settings away, for a run that asks AWS nothing: profile, region, endpoints, switches."""
    for name in [each for each in environment if each.startswith("AWS_")]:
        del environment[name]
    # Without these, the files below the person's home are read.
    environment.update(AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)


def proxies_and_certificates(environment: Mapping[str, str]) -> dict[str, str]:
    """Each proxy and each bundle of certificates that is set, by its variable; a proxy without user and password."""
    found = {name: _address(value) for name, value in _set(environment).items()}
    return found | {name: environment[name] for name in _CERTIFICATES if environment.get(name)}


def _set(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.lower() in _PROXIES and value}


def _address(url: str) -> str:
    try:
        return urlsplit(url)._replace(netloc=urlsplit(url).netloc.rpartition("@")[2]).geturl()
    except ValueError:
        return "an address that cannot be read"


def _wall() -> float:
    return time.time()


def _steady() -> float:
    # Goes on while the machine sleeps, as the wall clock does; elsewhere than on Linux there is no such clock.
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class ClockCheck:
    """Whether this machine's clock ran evenly while the run went on: each time in the evidence depends on it.

    Two clocks are read together when the run begins and again when it ends.

    Args:
        wall: the time of day in seconds, which anybody may set.
        steady: seconds that never jump.
    """

    def __init__(self, wall: Callable[[], float] = _wall, steady: Callable[[], float] = _steady) -> None:
        self._wall, self._steady = wall, steady
        self._began = wall() - steady()

    def objections(self) -> tuple[str, ...]:
        """Nothing, or the sentence that the clock was set."""
        jump = self._wall() - self._steady() - self._began
        if abs(jump) <= TOLERATED_SECONDS:
            return ()
        way = "forward" if jump > 0 else "back"
        return (
            f"this machine's clock was set {way} by {abs(jump):.0f} s while the run went on, so no moment in its "
            "evidence can be relied on: see that its time service works (`timedatectl`), and run again",
        )

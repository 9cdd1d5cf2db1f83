"""Secrets in the image: in its environment, its history and its files. Pure; the patterns are detect-secrets'."""

from __future__ import annotations

import base64
import csv
import hashlib
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from gate.image.tree import KEPT_BYTES, Tree
from gate.judgement import Judgement, Rejection, judge

# Files that exist to hold a credential, by name or by the end of their path.
_TELLING_NAMES = frozenset({".netrc", ".pypirc", ".env", "id_rsa", "id_ed25519", "id_ecdsa", ".git-credentials"})
_TELLING_ENDS = ("/.aws/credentials", "/.docker/config.json", "/.npmrc", "/pip.conf", "/.git/config")
# Where a build puts what it brings along. The distribution's own packages are not searched:
# their example keys are public.
_SEARCHED = ("/var/task/", "/opt/", "/root/", "/home/", "/tmp/", "/srv/", "/app/", "/etc/pip")  # noqa: S108
_BINARY_OR_FOREIGN = ("/site-packages/", "/dist-packages/", "/opt/chrome/")
# A name that promises a secret, with a value that is one whatever it looks like.
_SECRET_WORDS = ("SECRET", "PASSWORD", "PASSWD", "PRIVATE_KEY", "ACCESS_KEY", "API_KEY", "AUTH_TOKEN", "SESSION_TOKEN")


def wanted_text(path: str) -> bool:
    """Whether a file's text is to be searched for secrets."""
    if posixpath.basename(path) in _TELLING_NAMES or path.endswith(_TELLING_ENDS):
        return True
    return path.startswith(_SEARCHED) and not any(part in path for part in _BINARY_OR_FOREIGN)


@cache
def _detectors() -> tuple[Any, ...]:
    # Imported at first use: only an image inspection needs it, and collection must stay fast.
    from detect_secrets.plugins import aws, basic_auth, github_token, jwt, npm, private_key, slack, stripe, twilio

    return (
        aws.AWSKeyDetector(),
        basic_auth.BasicAuthDetector(),
        github_token.GitHubTokenDetector(),
        jwt.JwtTokenDetector(),
        npm.NpmDetector(),
        private_key.PrivateKeyDetector(),
        slack.SlackDetector(),
        stripe.StripeDetector(),
        twilio.TwilioKeyDetector(),
    )


def kinds_in(text: str) -> frozenset[str]:
    """The kinds of secret in a text; never the secrets."""
    return frozenset(
        detector.secret_type
        for line in text[:KEPT_BYTES].splitlines()
        for detector in _detectors()
        if any(True for _ in detector.analyze_string(line))
    )


@judge(6, known_bad=lambda: ({"AWS_SECRET_ACCESS_KEY": "x" * 40}, ("RUN true",), Tree({}, {})))
def no_secret(env: Mapping[str, str], history: Sequence[str], tree: Tree) -> Judgement:
    """Nothing in the image gives access to anything: whoever pulls it, holds it."""
    return Judgement.of([*_in_env(env), *_in_history(history), *_in_files(tree.texts)])


def _in_env(env: Mapping[str, str]) -> Iterator[Rejection]:
    for name, value in env.items():
        promised = value and any(word in name.upper() for word in _SECRET_WORDS)
        if promised or kinds_in(value):
            yield _rejection(f"the environment variable {name} holds a secret", "Env of the image's configuration")


def _in_history(history: Sequence[str]) -> Iterator[Rejection]:
    for number, line in enumerate(history, 1):
        kinds = kinds_in(line)
        if kinds:
            yield _rejection(
                f"the build history holds a secret ({', '.join(sorted(kinds))})", f"history entry {number}"
            )


def _in_files(texts: Mapping[str, str]) -> Iterator[Rejection]:
    shipped = _as_shipped(texts)
    for path, text in texts.items():
        telling = posixpath.basename(path) in _TELLING_NAMES or path.endswith("/.aws/credentials")
        # A package's examples are public; a file that exists to hold a credential is none.
        if not wanted_text(path) or (path in shipped and not telling):
            continue
        kinds = kinds_in(text)
        if kinds or telling:
            yield _rejection(f"{path} holds a secret ({', '.join(sorted(kinds)) or 'by its name'})", path)


def _as_shipped(texts: Mapping[str, str]) -> frozenset[str]:
    """The files beside the handler that are, byte for byte, what a published Python package consists of.

    Their examples are public. The package's RECORD holds each file's sha-256 (PyPA, "Recording installed projects").
    """
    found = set()
    for record in (path for path in texts if path.endswith(".dist-info/RECORD")):
        root = posixpath.dirname(posixpath.dirname(record))
        for name, recorded, _size in _rows(texts[record]):
            path = posixpath.join(root, name)
            if path in texts and recorded == _recorded_hash(texts[path]):
                found.add(path)
    return frozenset(found)


def _rows(record: str) -> list[list[str]]:
    try:
        rows = list(csv.reader(record.splitlines(), strict=True))
    except csv.Error:
        # No installer can have written it, so it vouches for nothing; the search goes on.
        return []
    return [row for row in rows if len(row) == 3]  # noqa: PLR2004 - path, hash and size


def _recorded_hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def _rejection(cause: str, where: str) -> Rejection:
    remedy = "take it out of the build, and revoke it: a later layer that deletes it does not remove it from the image"
    return Rejection(cause, where, remedy)

"""Where a build comes from: the commit for its labels, and the certificates that its downloads must trust."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import certifi

from gate.errors import WrongUse

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.S)
# The variables by which a host names its own certificate bundle, as behind a proxy that inspects TLS.
_BUNDLES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")
# Public authorities as Debian ships them, one a file; what an administrator adds lies elsewhere.
_DISTRIBUTION = Path("/usr/share/ca-certificates")
# Linux, execve(2): one argument may be 128 KiB long.
_LONGEST = 120_000
# Reviewed beside the Dockerfile and kept out of the image: an exception granted later must not change the digest
# of the image that it is granted for.
_BESIDE_THE_IMAGE = ("exceptions.yaml", "principals.yaml", "repository-policy.json")
_URL = re.compile(r"^(?:https?|ssh|git)://|^[\w.-]+@[\w.-]+:")


def label_arguments(context: Path, version: str) -> dict[str, str]:
    """The values of the OCI labels: of the last commit that touched the build, so that an unchanged tree keeps them.

    A folder outside git has none, and the Dockerfile's own defaults stand. Where files differ from the commit, the
    revision ends in "-dirty".
    """
    built = [".", *(f":(exclude){name}" for name in _BESIDE_THE_IMAGE)]
    revision, _, created = _git(context, "log", "-1", "--format=%H %cI", "--", *built).partition(" ")
    if revision and _git(context, "status", "--porcelain", "--", *built):
        revision += "-dirty"
    source = _git(context, "config", "--get", "remote.origin.url")
    found = {"REVISION": revision, "CREATED": created, "SOURCE": _public(source), "VERSION": version}
    return {name: value for name, value in found.items() if value}


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except FileNotFoundError:
        return ""  # no git here: the same as a folder outside it
    return done.stdout.strip() if done.returncode == 0 else ""


def _public(url: str) -> str:
    """A remote as a label may tell it: without credentials, and no path of this machine."""
    return re.sub(r"(?<=://)[^/@]+@", "", url) if _URL.match(url) else ""


def proxy_certificates() -> str:
    """The host's certificates that no public list has, as PEM ("" where there are none).

    Behind a proxy that inspects TLS the build's downloads fail without them. They are for the build stage alone.

    Raises:
        WrongUse: they are more than a build argument can carry.
    """
    bundle = next((os.environ[name] for name in _BUNDLES if os.path.isfile(os.environ.get(name, ""))), "")
    if not bundle:
        return ""
    public = [Path(certifi.where()), *_DISTRIBUTION.rglob("*.crt")]
    known = {_bare(certificate) for path in public for certificate in _certificates(path)}
    text = "\n".join(certificate for certificate in _certificates(Path(bundle)) if _bare(certificate) not in known)
    if len(text) > _LONGEST:
        raise WrongUse(
            f"the host's bundle holds {len(text)} bytes of certificates of its own, more than a build can be given",
            where=bundle,
            remedy="point SSL_CERT_FILE at a file with the proxy's certificates alone",
        )
    return text


def _certificates(path: Path) -> list[str]:
    return _CERTIFICATE.findall(path.read_text(encoding="utf-8", errors="replace"))


def _bare(certificate: str) -> str:
    return re.sub(r"\s", "", certificate)

"""Where a build comes from: the commit for its labels, and the certificates that its downloads must trust."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import certifi

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.S)
# The variables by which a host names its own certificate bundle, as behind a proxy that inspects TLS.
_BUNDLES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")
# Linux, execve(2): one argument may be 128 KiB long.
_LONGEST = 120_000


def label_arguments(context: Path, version: str) -> dict[str, str]:
    """The values of the OCI labels: of the last commit that touched the folder, so that an unchanged tree keeps them.

    A folder outside git has none, and the Dockerfile's own defaults stand.
    """
    revision, _, created = _git(context, "log", "-1", "--format=%H %cI", "--", ".").partition(" ")
    source = _git(context, "config", "--get", "remote.origin.url")
    found = {"REVISION": revision, "CREATED": created, "SOURCE": _without_credentials(source), "VERSION": version}
    return {name: value for name, value in found.items() if value}


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    return done.stdout.strip() if done.returncode == 0 else ""


def _without_credentials(url: str) -> str:
    return re.sub(r"(?<=://)[^/@]+@", "", url)


def proxy_certificates() -> str:
    """The host's certificates that the public bundle lacks, as PEM ("" where there are none).

    Behind a proxy that inspects TLS the build's downloads fail without them. They are for the build stage alone.
    """
    bundle = next((os.environ[name] for name in _BUNDLES if os.path.isfile(os.environ.get(name, ""))), "")
    if not bundle:
        return ""
    known = {_bare(c) for c in _CERTIFICATE.findall(Path(certifi.where()).read_text())}
    own = [c for c in _CERTIFICATE.findall(Path(bundle).read_text(errors="replace")) if _bare(c) not in known]
    text = "\n".join(own)
    return text if len(text) <= _LONGEST else ""


def _bare(certificate: str) -> str:
    return re.sub(r"\s", "", certificate)

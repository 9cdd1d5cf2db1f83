"""The inputs of a build: file modes, environment, labels and certificates. The same commit gives the same image."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import certifi

from gate.errors import ImageUnavailable, WrongUse

# The file modes that git records (gitformat-index, "mode"); it records none for folders.
_FILE, _PROGRAM, _FOLDER = 0o644, 0o755, 0o755
# The prefixes of the environment variables of the docker CLI, buildx and BuildKit's client. All but those in _KEPT
# change what is built, where it is built, or the form of the output.
_PREFIXES = ("DOCKER_", "BUILDX_", "BUILDKIT_", "EXPERIMENTAL_BUILDKIT_")
# The engine, which the gate uses too, and the places of logins and of buildx's own state.
_KEPT = frozenset(
    {
        "DOCKER_HOST",
        "DOCKER_TLS",
        "DOCKER_TLS_VERIFY",
        "DOCKER_CERT_PATH",
        "DOCKER_CONFIG",
        "DOCKER_AUTH_CONFIG",
        "BUILDX_CONFIG",
    }
)
_SET = {
    # Lambda accepts no image index, and an attestation turns every image into one. Older builders ignore this.
    "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
    # The engine's own builder, at the address that the gate uses; not one that was created or selected before.
    "BUILDX_BUILDER": "default",
    "DOCKER_CONTEXT": "default",
    # One line for each step, for the progress messages.
    "BUILDKIT_PROGRESS": "plain",
    # The base is named by its ID or digest; a base that was built here is in no notary.
    "DOCKER_CONTENT_TRUST": "0",
}
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.S)
# The variables that name the host's own certificate bundle, for instance behind a proxy that inspects TLS.
_BUNDLES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")
# Debian's public certificate authorities, one a file; an administrator adds others elsewhere.
_DISTRIBUTION = Path("/usr/share/ca-certificates")
# Bytes; Linux limits one argument to 128 KiB (execve(2)).
_LONGEST = 120_000
# Files beside the Dockerfile that are not part of the image: a later exception must not change the digest of the
# image that it is granted for.
_NOT_IN_IMAGE = ("exceptions.yaml", "principals.yaml", "repository-policy.json", "vex")
_URL = re.compile(r"^(?:https?|ssh|git)://|^[\w.-]+@[\w.-]+:")


@contextmanager
def with_git_file_modes(context: Path) -> Iterator[Path]:
    """The folder itself if its files have the modes that git records, otherwise a copy with them until the block ends.

    A clone under umask 077 would make other layers than any other clone, and files that Lambda's user cannot read.

    Raises:
        ImageUnavailable: a file cannot be read.
    """
    try:
        with tempfile.TemporaryDirectory() as scratch:
            yield context if _has_git_modes(context) else _copy(context, Path(scratch, "context"))
    except shutil.Error as refused:
        # The argument is a list of (source, target, reason).
        path, _, reason = refused.args[0][0]
        raise ImageUnavailable(f"the build cannot be given {path}: {reason}", where=str(context),
                               remedy="make it readable for the user that runs the gate") from refused  # fmt: skip


def _has_git_modes(context: Path) -> bool:
    found = ((path, path.lstat().st_mode) for path in (context, *context.rglob("*")))
    return all(stat.S_IMODE(mode) == _mode(mode) for _, mode in found if stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _mode(mode: int) -> int:
    if stat.S_ISDIR(mode):
        return _FOLDER
    return _PROGRAM if mode & stat.S_IXUSR else _FILE


def _copy(context: Path, copy: Path) -> Path:
    shutil.copytree(context, copy, symlinks=True, ignore=_special_files, copy_function=shutil.copy2)
    for path in (copy, *copy.rglob("*")):
        if not path.is_symlink():
            path.chmod(_mode(path.stat().st_mode))
    return copy


def _special_files(folder: str, names: list[str]) -> set[str]:
    """Sockets and pipes, which docker does not send to the engine either."""
    kinds = {name: stat.S_IFMT(os.lstat(Path(folder, name)).st_mode) for name in names}
    return {name for name, kind in kinds.items() if kind not in (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK)}


def environment(inherited: Mapping[str, str], *, platform: str, buildkit: bool) -> dict[str, str]:
    """The environment variables of a build, so that the user's settings do not change the image.

    Args:
        inherited: the environment of this process.
        platform: to build for, as os/architecture; "" for that of the engine.
        buildkit: whether the engine has BuildKit. If not, the classic builder is selected: on Linux the CLI
            expects BuildKit.
    """
    kept = {name: value for name, value in inherited.items() if not _changes_build(name)}
    wanted = {} if buildkit else {"DOCKER_BUILDKIT": "0"}
    wanted |= {"DOCKER_DEFAULT_PLATFORM": platform} if platform else {}
    return {**kept, **_SET, **wanted}


def _changes_build(name: str) -> bool:
    # buildx passes SOURCE_DATE_EPOCH on, which sets the timestamps of the image.
    return name == "SOURCE_DATE_EPOCH" or (name.startswith(_PREFIXES) and name not in _KEPT)


def label_arguments(context: Path, version: str) -> dict[str, str]:
    """The values of the OCI labels, from the last commit that changed the folder.

    Outside of git there are none, and the Dockerfile's defaults apply. If files differ from the commit, the revision
    ends in "-dirty".
    """
    built = [".", *(f":(exclude){name}" for name in _NOT_IN_IMAGE)]
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
        return ""  # without git as outside of a repository
    return done.stdout.strip() if done.returncode == 0 else ""


def _public(url: str) -> str:
    """The URL of a remote without credentials; "" for a path of this machine."""
    return re.sub(r"(?<=://)[^/@]+@", "", url) if _URL.match(url) else ""


def proxy_certificates() -> str:
    """The host's own certificates, which are in no public list, as PEM ("" for none).

    Behind a proxy that inspects TLS the downloads of the build stage need them.

    Raises:
        WrongUse: they are longer than a build argument can be.
    """
    bundle = next((os.environ[name] for name in _BUNDLES if os.path.isfile(os.environ.get(name, ""))), "")
    if not bundle:
        return ""
    public = [Path(certifi.where()), *_DISTRIBUTION.rglob("*.crt")]
    known = {_bare(certificate) for path in public for certificate in _certificates(path)}
    text = "\n".join(certificate for certificate in _certificates(Path(bundle)) if _bare(certificate) not in known)
    if len(text) > _LONGEST:
        raise WrongUse(
            f"the host's bundle holds {len(text)} bytes of its own certificates, more than a build argument can hold",
            where=bundle,
            remedy="point SSL_CERT_FILE at a file that holds only the proxy's certificates",
        )
    return text


def _certificates(path: Path) -> list[str]:
    return _CERTIFICATE.findall(path.read_text(encoding="utf-8", errors="replace"))


def _bare(certificate: str) -> str:
    return re.sub(r"\s", "", certificate)

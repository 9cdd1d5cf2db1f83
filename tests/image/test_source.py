"""What a build is told of its origin: the commit of what goes into the image, and the proxy's certificates."""

from __future__ import annotations

import subprocess
from pathlib import Path

import certifi
import pytest

from gate.errors import WrongUse
from gate.image.build_inputs import label_arguments, proxy_certificates

OWN = "-----BEGIN CERTIFICATE-----\nb3VyIG93bg==\n-----END CERTIFICATE-----"
IDENTITY = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit of an image's folder."""
    for name, value in IDENTITY.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    git(tmp_path, "init", "-q")
    (tmp_path / "image").mkdir()
    change(tmp_path, "image/Dockerfile")
    return tmp_path


def git(folder: Path, *arguments: str) -> str:
    """What git answers."""
    done = subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def change(repository: Path, name: str) -> str:
    """Commit a change of one file; its commit."""
    path = repository / name
    path.write_text((path.read_text() if path.exists() else "") + "x\n")
    git(repository, "add", name)
    git(repository, "commit", "-q", "-m", "x")
    return git(repository, "rev-parse", "HEAD")


def test_revision_is_the_last_commit_of_what_is_built(repository: Path) -> None:
    """A later commit elsewhere changes no label; one of the folder does."""
    first = git(repository, "rev-parse", "HEAD")
    change(repository, "README.md")
    assert label_arguments(repository / "image", "v1")["REVISION"] == first
    second = change(repository, "image/Dockerfile")
    labels = label_arguments(repository / "image", "v1.0.0")
    assert labels["REVISION"] == second
    assert labels["CREATED"] == git(repository, "log", "-1", "--format=%cI")
    assert labels["VERSION"] == "v1.0.0"


def test_granted_exception_leaves_the_image_as_it_is(repository: Path) -> None:
    """The register lies beside the Dockerfile: a new entry must not make another digest of the same image."""
    before = label_arguments(repository / "image", "v1")
    change(repository, "image/exceptions.yaml")
    assert label_arguments(repository / "image", "v1") == before


def test_uncommitted_change_shows_in_the_revision(repository: Path) -> None:
    """A label never claims a commit whose files were not the ones built."""
    (repository / "image" / "new.txt").write_text("x")
    assert label_arguments(repository / "image", "v1")["REVISION"].endswith("-dirty")


def test_folder_outside_git_has_no_revision(tmp_path: Path) -> None:
    """Nothing is made up where git knows nothing."""
    assert label_arguments(tmp_path, "v1") == {"VERSION": "v1"}


@pytest.mark.parametrize(
    ("remote", "source"),
    [
        ("https://user:secret@example.com/a.git", "https://example.com/a.git"),
        ("git@example.com:a/b.git", "git@example.com:a/b.git"),
        ("/home/somebody/a.git", None),
        ("../a.git", None),
    ],
)
def test_source_tells_no_credentials_and_no_path(repository: Path, remote: str, source: str | None) -> None:
    """A remote's password stays out of the label, and so does a path of this machine."""
    git(repository, "remote", "add", "origin", remote)
    assert label_arguments(repository / "image", "v1").get("SOURCE") == source


def test_only_the_hosts_own_certificates_are_handed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Public authorities are known inside; the proxy's is not."""
    bundle = tmp_path / "ca.pem"
    bundle.write_text(Path(certifi.where()).read_text() + OWN)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    assert proxy_certificates() == OWN


def test_host_without_a_bundle_hands_on_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a named bundle, or with one that does not exist, a build is given no certificate."""
    for name in ("PIP_CERT", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "nothing.pem"))
    assert proxy_certificates() == ""


def test_oversized_bundle_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than one argument can carry is said, and not left out in silence."""
    bundle = tmp_path / "ca.pem"
    bundle.write_text("\n".join(OWN.replace("b3Vy", f"{n:04}" * 300) for n in range(110)))
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    with pytest.raises(WrongUse, match="more than a build argument can hold") as failure:
        proxy_certificates()
    assert failure.value.where == str(bundle)

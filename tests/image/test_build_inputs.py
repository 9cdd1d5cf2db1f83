"""The inputs of a build: the same commit gives the same image, whatever the umask and the exported variables."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import certifi
import pytest

from gate.errors import ImageUnavailable, WrongUse
from gate.image.build_inputs import environment, label_arguments, proxy_certificates, with_git_file_modes

PLAIN = {"PATH": "/bin", "HOME": "/root", "https_proxy": "http://proxy:3128"}
DECIDING = {
    "DOCKER_BUILDKIT": "1",
    "DOCKER_DEFAULT_PLATFORM": "linux/arm64",
    "DOCKER_CONTEXT": "elsewhere",
    "DOCKER_API_VERSION": "1.24",
    "DOCKER_CONTENT_TRUST": "1",
    "DOCKER_CUSTOM_HEADERS": "x=y",
    "BUILDX_BUILDER": "mine",
    "BUILDX_NO_DEFAULT_ATTESTATIONS": "0",
    "BUILDX_NO_DEFAULT_LOAD": "1",
    "BUILDX_METADATA_PROVENANCE": "max",
    "BUILDX_METADATA_WARNINGS": "1",
    "BUILDX_GIT_LABELS": "full",
    "BUILDX_EXPERIMENTAL": "1",
    "BUILDKIT_PROGRESS": "rawjson",
    "BUILDKIT_HOST": "tcp://elsewhere:1234",
    "BUILDKIT_COLORS": "run=red",
    "EXPERIMENTAL_BUILDKIT_SOURCE_POLICY": "/policy.json",
    "SOURCE_DATE_EPOCH": "0",
}
LEADING = {
    "DOCKER_HOST": "tcp://engine:2376",
    "DOCKER_TLS_VERIFY": "1",
    "DOCKER_CERT_PATH": "/certs",
    "DOCKER_CONFIG": "/config",
    "DOCKER_AUTH_CONFIG": "{}",
    "BUILDX_CONFIG": "/buildx",
}


def build_environment(
    exported: dict[str, str], *, platform: str = "linux/amd64", buildkit: bool = True
) -> dict[str, str]:
    """The environment of a build with these exported variables."""
    return environment({**PLAIN, **exported}, platform=platform, buildkit=buildkit)


@pytest.mark.parametrize("name", DECIDING)
@pytest.mark.parametrize("buildkit", [True, False])
def test_no_setting_of_a_builder_changes_a_build(name: str, buildkit: bool) -> None:
    """The environment of the build is the same with and without it."""
    assert build_environment({name: DECIDING[name]}, buildkit=buildkit) == build_environment({}, buildkit=buildkit)


def test_all_of_them_together_change_nothing_either() -> None:
    """On a machine with all of these variables."""
    assert build_environment(DECIDING) == build_environment({})


@pytest.mark.parametrize("name", LEADING)
def test_the_way_to_the_engine_and_the_logins_stay(name: str) -> None:
    """The build runs on the engine that the gate uses."""
    assert build_environment(LEADING)[name] == LEADING[name]


@pytest.mark.parametrize("name", PLAIN)
def test_everything_else_stays(name: str) -> None:
    """Paths and proxies are not settings of a builder."""
    assert build_environment(DECIDING)[name] == PLAIN[name]


@pytest.mark.parametrize("buildkit", [True, False])
def test_no_builder_makes_an_index_or_another_platform(buildkit: bool) -> None:
    """BuildKit's default attestations make an index, which Lambda refuses."""
    found = build_environment(DECIDING, platform="linux/arm64", buildkit=buildkit)
    assert (found["BUILDX_NO_DEFAULT_ATTESTATIONS"], found["DOCKER_DEFAULT_PLATFORM"]) == ("1", "linux/arm64")
    assert found["BUILDX_BUILDER"] == found["DOCKER_CONTEXT"] == "default"


def test_an_engine_without_buildkit_gets_the_classic_builder() -> None:
    """The docker CLI expects BuildKit on Linux, and Podman has none."""
    assert build_environment({}, buildkit=False)["DOCKER_BUILDKIT"] == "0"
    assert "DOCKER_BUILDKIT" not in build_environment({"DOCKER_BUILDKIT": "0"})


def test_no_platform_is_the_engines_own() -> None:
    """Even if another one is exported."""
    assert "DOCKER_DEFAULT_PLATFORM" not in build_environment(DECIDING, platform="")


def clone(folder, umask):
    """A clone made under this umask."""
    before = os.umask(umask)
    try:
        (folder / "src" / "deep").mkdir(parents=True)
        for name in ("Dockerfile", ".dockerignore", "src/main.py", "src/deep/data"):
            (folder / name).write_text(name)
        (folder / "bootstrap").touch(0o777)
        (folder / "link").symlink_to("src/main.py")
    finally:
        os.umask(before)
    return folder


def modes(folder):
    """The mode of each file and folder in it."""
    found = {path: path.lstat().st_mode & 0o7777 for path in (folder, *folder.rglob("*")) if not path.is_symlink()}
    return {str(path.relative_to(folder)): oct(mode) for path, mode in found.items()}


@pytest.mark.parametrize("umask", [0o077, 0o027, 0o002, 0o000])
def test_every_umask_gives_the_same_context(tmp_path, umask):
    """A copy with the modes of an ordinary clone; links stay links, and the clone is not changed."""
    usual, own = clone(tmp_path / "usual", 0o022), clone(tmp_path / "own", umask)
    before = modes(own)
    with with_git_file_modes(own) as given:
        assert given != own
        assert modes(given) == modes(usual)
        assert (given / "src" / "main.py").read_text() == "src/main.py"
        assert (given / "link").is_symlink()
        assert int((given / "Dockerfile").stat().st_mtime) == int((own / "Dockerfile").stat().st_mtime)
    assert modes(own) == before
    assert not given.exists()


def test_an_ordinary_clone_is_not_copied(tmp_path):
    """Its modes are already right."""
    own = clone(tmp_path / "own", 0o022)
    with with_git_file_modes(own) as given:
        assert given == own


def test_what_docker_does_not_send_is_left_out(tmp_path, monkeypatch):
    """Sockets and pipes."""
    own = clone(tmp_path / "own", 0o077)
    os.mkfifo(own / "pipe")
    monkeypatch.chdir(own)
    with socket.socket(socket.AF_UNIX) as listening, with_git_file_modes(own) as given:
        listening.bind("socket")
        assert not (given / "pipe").exists()
        assert (given / "Dockerfile").exists()


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path, monkeypatch):
    """The error names the path and the reason."""
    own = clone(tmp_path / "own", 0o077)
    (own / "broken").symlink_to("nowhere")  # a link is copied as a link

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("shutil.copy2", refuse)
    with pytest.raises(ImageUnavailable, match="Permission denied"), with_git_file_modes(own):
        pass


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
    """The output of git."""
    done = subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def change(repository: Path, name: str) -> str:
    """Commit a change of one file and return the commit."""
    path = repository / name
    path.write_text((path.read_text() if path.exists() else "") + "x\n")
    git(repository, "add", name)
    git(repository, "commit", "-q", "-m", "x")
    return git(repository, "rev-parse", "HEAD")


def test_revision_is_the_last_commit_of_what_is_built(repository: Path) -> None:
    """A commit outside the folder changes no label; a commit in it does."""
    first = git(repository, "rev-parse", "HEAD")
    change(repository, "README.md")
    assert label_arguments(repository / "image", "v1")["REVISION"] == first
    second = change(repository, "image/Dockerfile")
    labels = label_arguments(repository / "image", "v1.0.0")
    assert labels["REVISION"] == second
    assert labels["CREATED"] == git(repository, "log", "-1", "--format=%cI")
    assert labels["VERSION"] == "v1.0.0"


def test_granted_exception_leaves_the_image_as_it_is(repository: Path) -> None:
    """A new entry in the exception register must not change the digest of the image."""
    before = label_arguments(repository / "image", "v1")
    change(repository, "image/exceptions.yaml")
    assert label_arguments(repository / "image", "v1") == before


def test_uncommitted_change_shows_in_the_revision(repository: Path) -> None:
    """The revision ends in "-dirty"."""
    (repository / "image" / "new.txt").write_text("x")
    assert label_arguments(repository / "image", "v1")["REVISION"].endswith("-dirty")


def test_folder_outside_git_has_no_revision(tmp_path: Path) -> None:
    """There is no commit to name."""
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
    """The label holds neither a password nor a path of this machine."""
    git(repository, "remote", "add", "origin", remote)
    assert label_arguments(repository / "image", "v1").get("SOURCE") == source


def test_only_the_hosts_own_certificates_are_handed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Public authorities are known in the image; the proxy's is not."""
    bundle = tmp_path / "ca.pem"
    bundle.write_text(Path(certifi.where()).read_text() + OWN)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    assert proxy_certificates() == OWN


def test_host_without_a_bundle_hands_on_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a bundle, or with a missing one, the build gets no certificate."""
    for name in ("PIP_CERT", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "nothing.pem"))
    assert proxy_certificates() == ""


def test_oversized_bundle_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than one argument can hold is an error."""
    bundle = tmp_path / "ca.pem"
    bundle.write_text("\n".join(OWN.replace("b3Vy", f"{n:04}" * 300) for n in range(110)))
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    with pytest.raises(WrongUse, match="more than a build argument can hold") as failure:
        proxy_certificates()
    assert failure.value.where == str(bundle)

"""What a build is given: files with the modes that git keeps, whatever the umask; the folder itself is not touched."""

import os
import socket

import pytest

from gate.errors import ImageUnavailable
from gate.image.build_inputs import with_git_file_modes


def tree(folder, umask):
    """A clone under some umask."""
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
    """A copy with the modes of an ordinary clone; links stay links; the clone itself stays as it is."""
    usual, own = tree(tmp_path / "usual", 0o022), tree(tmp_path / "own", umask)
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
    """Nothing is to be changed."""
    own = tree(tmp_path / "own", 0o022)
    with with_git_file_modes(own) as given:
        assert given == own


def test_what_docker_does_not_send_is_left_out(tmp_path, monkeypatch):
    """A socket, and a pipe that would never end."""
    own = tree(tmp_path / "own", 0o077)
    os.mkfifo(own / "pipe")
    monkeypatch.chdir(own)
    with socket.socket(socket.AF_UNIX) as listening, with_git_file_modes(own) as given:
        listening.bind("socket")
        assert not (given / "pipe").exists()
        assert (given / "Dockerfile").exists()


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path, monkeypatch):
    """Its path and the reason."""
    own = tree(tmp_path / "own", 0o077)
    (own / "broken").symlink_to("nowhere")  # a link is copied as a link

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("shutil.copy2", refuse)
    with pytest.raises(ImageUnavailable, match="Permission denied"), with_git_file_modes(own):
        pass

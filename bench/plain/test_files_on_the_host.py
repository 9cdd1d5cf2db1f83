"""The files, as the engine exports them: no program of the image has to be trusted, as the gate does it."""

import re
import subprocess
import tarfile

import pytest

OTHERS_READ, OTHERS_ENTER = 0o004, 0o001
OWN = ("var/task", "opt", "var/lang", "var/runtime")
SEARCHED = ("var/task", "opt", "root", "home", "tmp", "srv")
LARGEST = 1_000_000


@pytest.fixture(scope="module")
def files(container):
    """Each file's entry, its first bytes, and the text of those that may hold a secret."""
    found = {}
    with (
        subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE) as export,
        tarfile.open(fileobj=export.stdout, mode="r|", bufsize=1 << 20) as archive,
    ):
        for member in archive:
            own = member.name.startswith(SEARCHED) and "/site-packages/" not in member.name
            wanted = member.size if own and member.size < LARGEST else 4
            found[member.name] = member, archive.extractfile(member).read(wanted) if member.isfile() else b""
    assert export.returncode == 0
    return found


def test_permissions(files):
    """Every file can be read, every folder entered, by any user."""
    assert len(files) > 10_000
    for name, (member, _) in files.items():
        wanted = OTHERS_READ | OTHERS_ENTER if member.isdir() else OTHERS_READ
        assert member.issym() or not name.startswith(OWN) or member.mode & wanted == wanted


def test_secrets(files, secret):
    """None in what a build brings along."""
    for _, content in files.values():
        assert not re.search(secret, content.decode(errors="replace"))

"""Commands for programs in the image: a path from the image is never anything but a path."""

from __future__ import annotations

import shlex
from types import SimpleNamespace

from hypothesis import example, given
from hypothesis import strategies as st

from gate.browser.versions_and_libraries import program_version, shared_libraries
from gate.image.tree import ELF_MAGIC, ImageFile, Tree

HOSTILE = "/opt/$(touch /x) `id`; rm -rf / && \"'\n\u202e\x1b[2J | cat"


class Host:
    """A container that records its commands."""

    def __init__(self):
        self.asked = []

    def run(self, command):
        """Answers nothing."""
        self.asked.append(command)
        return SimpleNamespace(rc=0, stdout="", stderr="")


@example(HOSTILE)
@given(st.text())
def test_no_path_becomes_more_than_one_word_of_a_command(path):
    """CHROME_BIN may hold anything: a shell that reads the command sees the path, and one option."""
    host = Host()
    program_version(host, path)
    assert shlex.split(host.asked[0]) == [path, "--version"]


@example(HOSTILE)
@given(st.text(st.characters(exclude_characters="/\x00"), min_size=1).filter(lambda name: name.strip(".")))
def test_nor_does_the_name_of_a_program(name):
    """The loader is asked about the program behind the variable, whatever that is called."""
    host, path = Host(), f"/opt/{name.replace('/', '_')}"
    shared_libraries(host, Tree({path: ImageFile(path, "file", head=ELF_MAGIC)}, {}), "CHROME_BIN", path)
    assert shlex.split(host.asked[0]) == ["LD_TRACE_LOADED_OBJECTS=1", path]

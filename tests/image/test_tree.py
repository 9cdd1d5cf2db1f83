"""The image's files, read on the host."""

import io
import subprocess
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.errors import ImageUnavailable
from gate.image.file_checks import all_exist, is_program, program_behind
from gate.image.permissions import closed_packages, readable_by_all, used_folders
from gate.image.tree import KEPT_BYTES, ImageFile, Tree
from tests.image.archive import layer, tree_of


def tree(*members):
    """The tree of an image with one layer of (name, content or None for a directory, mode, link) tuples."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content, mode, link in members:
            info = tarfile.TarInfo(name)
            info.mode = mode
            info.type = tarfile.SYMTYPE if link else tarfile.DIRTYPE if content is None else tarfile.REGTYPE
            info.linkname = link or ""
            info.size = len(content or b"")
            tar.addfile(info, io.BytesIO(content or b""))
    return tree_of([stream.getvalue()])


ELF = b"\x7fELF" + b"\0" * 20


def test_a_link_through_a_linked_directory_is_followed():
    """/opt/driver -> ../usr/bin/driver works across a symlinked directory."""
    found = tree(
        ("usr/real/driver", ELF, 0o755, None),
        ("usr/bin", b"", 0o777, "real"),
        ("opt/driver", b"", 0o777, "../usr/bin/driver"),
    )
    entry, followed = found.resolve("/opt/driver")
    assert entry is not None
    assert entry.path == "/usr/real/driver"
    assert followed == ("/opt/driver -> ../usr/bin/driver", "/usr/bin -> real")
    assert is_program(found, "CHROMEDRIVER_BIN", "/opt/driver").accepted


def test_a_hidden_file_at_the_root_keeps_its_name():
    """/.netrc is not /netrc."""
    found = tree((".netrc", b"machine example.org password x", 0o644, None), ("./opt/./.env", b"A=1", 0o644, None))
    assert set(found.entries) == {"/.netrc", "/opt/.env"}
    assert set(found.texts) == {"/.netrc", "/opt/.env"}


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([], "does not exist"),
        ([("opt/chrome", b"", 0o777, "/nowhere")], "dangling link"),
        ([("opt/chrome", b"", 0o777, "chrome")], "dangling link"),
        ([("opt/chrome", None, 0o755, None)], "is a directory"),
        ([("opt/chrome", ELF, 0o700, None)], "Lambda's user may not run"),
        ([("opt/chrome", ELF, 0o711, None)], "Lambda's user may not run"),
        ([("opt/chrome", ELF, 0o744, None)], "Lambda's user may not run"),
        ([("opt", None, 0o700, None), ("opt/chrome", ELF, 0o755, None)], "/opt is closed"),
        ([("opt/chrome", b"#!/bin/sh\necho Chrome 1.2.3.4\n", 0o755, None)], "a script that starts no ELF program"),
        ([("opt/chrome", b"hello", 0o755, None)], "no program"),
        (
            [("bin/grep", ELF, 0o755, None), ("opt/chrome", b"#!/bin/sh\nexec /bin/grep x", 0o755, None)],
            "a script that starts no ELF program",
        ),
        (
            [
                ("opt", None, 0o700, None),
                ("opt/chrome", b"", 0o777, "/usr/lib/real"),
                ("usr/lib/real", ELF, 0o755, None),
            ],
            "/opt is closed",
        ),
        (
            [("opt/sh", ELF, 0o755, None), ("opt/chrome", b"#!/opt/sh\necho Chrome", 0o755, None)],
            "a script that starts no ELF program",
        ),
        (
            [("opt/real", b"text", 0o755, None), ("opt/chrome", b"#!/bin/sh\nexec /opt/real /opt/none", 0o755, None)],
            "a script that starts no ELF program",
        ),
        (
            [("usr/lib/real", ELF, 0o755, None), ("opt/chrome", b"text\nexec /usr/lib/real", 0o755, None)],
            "no program",
        ),
    ],
)
def test_what_is_no_program_is_refused_with_its_reason(members, words):
    """Absent, dangling, looping, closed, empty or faked programs are each named."""
    result = is_program(tree(*members), "CHROME_BIN", "/opt/chrome")
    assert not result.accepted
    assert words in str(result.rejections[0])


def test_the_links_on_the_way_are_told_where_there_are_any():
    """Every link that was followed is named."""
    dangling = is_program(tree(("opt/chrome", b"", 0o777, "/nowhere")), "CHROME_BIN", "/opt/chrome")
    assert dangling.rejections[0].cause == (
        "CHROME_BIN names /opt/chrome, which is a dangling link in the image (links followed: /opt/chrome -> /nowhere)"
    )
    absent = is_program(tree(), "CHROME_BIN", "/opt/chrome")
    assert absent.rejections[0].cause == "CHROME_BIN names /opt/chrome, which does not exist in the image"


def test_a_wrapper_script_may_put_the_path_of_its_program_together():
    """Debian's chromium starts $LIBDIR/$APPNAME; another program in that folder does not count."""
    script = b"#!/bin/sh\nAPPNAME=chromium\nLIBDIR=/usr/lib/${APPNAME}\nexec $LIBDIR/$APPNAME $FLAGS\n"
    wrapper = ("usr/bin/chromium", script, 0o755, None)
    assert is_program(tree(wrapper, ("usr/lib/chromium/chromium", ELF, 0o755, None)), "C", "/usr/bin/chromium").accepted
    other = tree(wrapper, ("usr/lib/chromium/crashpad", ELF, 0o755, None))
    assert "starts no ELF program" in str(is_program(other, "C", "/usr/bin/chromium").rejections)


@pytest.mark.parametrize(
    "lines",
    ["\n".join(f"V{n}=$V{n + 1}$V{n + 1}" for n in range(60)), f"V0={'a' * 400_000}\n{'$V0 ' * 100_000}"],
    ids=["sixty that stand for the next one twice", "a long one, often used"],
)
def test_a_script_of_more_text_than_memory_holds_is_no_program(lines):
    """The substitution stops, and the script is refused."""
    script = f"#!/bin/sh\n{lines}\nexec $V0\n".encode()
    assert "starts no ELF program" in str(is_program(tree(("opt/c", script, 0o755, None)), "C", "/opt/c").rejections)


@pytest.mark.parametrize(("over", "accepted"), [(0, True), (1, False)])
def test_a_script_may_be_as_long_as_what_is_kept_of_a_text(over, accepted):
    """Up to the limit its variable is substituted; above it none is."""
    name = "x" * 1000
    lines = f"V={name}\nexec /opt/$V\n#"
    program, padding = f"/opt/{name}", "x" * (KEPT_BYTES - len(name) - len(lines) + over)
    script = ImageFile("/opt/chrome", "file", head=b"#!/b")
    entries = {"/opt/chrome": script, program: ImageFile(program, "file", head=ELF[:4])}
    found = Tree(entries, {"/opt/chrome": f"#!/bin/sh\n{lines}{padding}"})
    assert is_program(found, "C", "/opt/chrome").accepted is accepted


def test_no_variable_is_followed_after_one_that_stands_for_too_much():
    """Even if it would lead to a program."""
    lines = f"V={'a' * 600_000}\nP=real\necho $V $V\nexec /opt/$P\n"
    script = ("opt/chrome", f"#!/bin/sh\n{lines}".encode(), 0o755, None)
    found = tree(("opt/real", ELF, 0o755, None), script)
    assert "starts no ELF program" in str(is_program(found, "C", "/opt/chrome").rejections)


def test_a_wrapper_script_is_a_program_when_it_names_an_elf():
    """Debian's chromium is a script that starts /usr/lib/chromium/chromium."""
    found = tree(
        ("usr/lib/chromium/chromium", ELF, 0o755, None),
        ("usr/bin/chromium", b"#!/bin/sh\nexec /usr/lib/chromium/chromium $FLAGS", 0o755, None),
    )
    assert is_program(found, "CHROME_BIN", "/usr/bin/chromium").accepted
    entry, _ = found.resolve("/usr/bin/chromium")
    assert entry is not None
    assert program_behind(found, entry) == found.entries["/usr/lib/chromium/chromium"]


def test_a_wrapper_is_followed_past_tools_texts_and_links_to_its_program():
    """The tools that it calls do not hide the program that it starts."""
    found = tree(
        ("bin/grep", ELF, 0o755, None),
        ("opt/notes", b"text", 0o644, None),
        ("opt/real/chrome", ELF, 0o755, None),
        ("opt/current", b"", 0o777, "real"),
        ("opt/chrome", b"#!/bin/sh\n/bin/grep x /opt/notes /opt/none\nexec /opt/current/chrome", 0o755, None),
    )
    assert is_program(found, "CHROME_BIN", "/opt/chrome").accepted
    assert program_behind(found, found.entries["/opt/chrome"]) == found.entries["/opt/real/chrome"]


def test_a_script_whose_text_was_not_kept_is_no_program():
    """Its text is unknown."""
    script = ImageFile("/opt/chrome", "file", head=b"#!/b")
    assert not is_program(Tree({"/opt/chrome": script}, {}), "CHROME_BIN", "/opt/chrome").accepted


@pytest.mark.parametrize(
    ("path", "accepted"),
    [
        ("/root/.bashrc", True),
        ("/etc/shadow", True),
        ("/etc/passwd-", True),
        ("/etc/.pwd.lock", True),
        ("/var/cache/apt/x", True),
        ("/rootless/x", False),
        ("/etc/shadow.d", False),
        ("/etc/passwd", False),
        ("/opt/passwd-", False),
        ("/var/task/.lock", False),
    ],
)
def test_only_what_a_base_keeps_for_root_may_be_closed(path, accepted):
    """Names that only begin or end alike are checked."""
    assert readable_by_all(Tree({path: ImageFile(path, "file", mode=0o600)}, {})).accepted is accepted


def test_what_is_open_no_file_or_nothing_at_all():
    """Open files are accepted, a closed folder matters if files are in it, and an empty image is refused."""
    held = {"/opt": ImageFile("/opt", "directory", mode=0o700), "/a": ImageFile("/a", "file", mode=0o644)}
    assert readable_by_all(Tree(held, {})).accepted
    assert not readable_by_all(Tree({**held, "/opt/x": ImageFile("/opt/x", "file", mode=0o644)}, {})).accepted
    assert "has no files" in str(readable_by_all(Tree({}, {})).rejections[0])


@pytest.mark.parametrize(
    ("members", "closed"),
    [
        ([("root", None, 0o700, None), ("root/src", None, 0o755, None), ("var/task/src", None, 0o777, "/root/src")],
         "/root (0700) is closed to it"),
        ([("srv/a.py", b"", 0o600, None), ("var/task/a.py", None, 0o777, "/srv/a.py")], "/srv/a.py"),
        ([("root", None, 0o700, None), ("opt/l", None, 0o777, "/root/l"), ("root/l", b"", 0o644, None)], ""),
        ([("srv/a.py", b"", 0o644, None), ("var/task/a.py", None, 0o777, "/srv/a.py")], ""),
        ([("var/task/a.py", None, 0o777, "/nowhere")], ""),
        ([("bin/sudo", b"\x7fELF", 0o4111, None), ("bin/helper", b"\x7fELF", 0o4750, None)], ""),
        ([("bin/tool", b"\x7fELF", 0o700, None)], "/bin/tool (0700)"),
        ([("bin/script", b"#!/bin/sh", 0o711, None)], "/bin/script (0711)"),
        ([("etc/sudoers.d/x", b"", 0o440, None), ("etc/ssl/private/x", b"", 0o600, None)], ""),
        ([("etc/recorded", b"", 0o600, None)], ""),
        ([("bin/recorded", b"", 0o600, None)], "/bin/recorded (0600)"),
    ],
)  # fmt: skip
def test_what_leads_to_a_closed_file_is_closed_and_what_a_package_closed_is_not(members, closed):
    """A used link, a program that is only run, a helper that runs as its owner, a package's file."""
    result = readable_by_all(tree(*members), ("/var/task", "/bin"), {"/etc/recorded", "/bin/recorded"})
    assert result.accepted is not bool(closed)
    assert closed in "".join(map(str, result.rejections))


def test_ten_closed_files_are_listed_and_the_others_counted():
    """The message stays short."""
    held = {f"/opt/{n:02}": ImageFile(f"/opt/{n:02}", "file", mode=0o600) for n in range(11)}
    words = str(readable_by_all(Tree(held, {})).rejections[0])
    assert "11 files cannot be read" in words
    assert "/opt/09 (0600) …" in words
    assert "/opt/10" not in words
    for few in (1, 10):
        assert "…" not in str(readable_by_all(Tree(dict(list(held.items())[:few]), {})).rejections[0])


def test_a_file_closed_to_others_is_named_and_roots_own_files_are_not():
    """A file of the function is refused with its mode; the shadow file may be closed."""
    found = tree(("var/task/main.py", b"x", 0o2601, None), ("etc/shadow", b"x", 0o640, None))
    result = readable_by_all(found)
    assert "1 file cannot be read by Lambda's user: /var/task/main.py (2601)" in str(result.rejections[0])


def test_missing_agreed_paths_are_named():
    """Each missing path is a rejection of its own."""
    result = all_exist(tree(("var/task/src", None, 0o755, None)), ("/var/task/src", "/var/task/config"))
    assert [r.where for r in result.rejections] == ["/var/task/config"]


@pytest.mark.parametrize("cut", [700, 1200, 5000])
def test_a_cut_layer_is_an_error_and_not_an_empty_image(cut):
    """Half a layer is not a small image; the second header is half there, or missing, or the content is."""
    whole = layer({"/a": b"x" * 100, "/b": b"x" * 5000})
    with pytest.raises(ImageUnavailable, match="layer 1 of 1"):
        tree_of([whole[:cut]])


def test_upper_layers_hide_what_lies_below_and_their_texts_count():
    """As a container sees it: whiteouts, another text, a link in the place of a script, and a further name."""
    found = tree_of(
        [
            layer({"/opt/chrome": b"#!/bin/sh\nold", "/opt/gone": b"x", "/opt/script": b"#!/bin/sh", "/etc/a": b"a"}),
            layer({"/opt/chrome": b"#!/bin/sh\nnew", "/opt/.wh.gone": b""}, links={"/opt/script": "chrome"}),
            layer({"/etc/.wh..wh..opq": b"", "/b": b"#!/b\n\n"}, hard={"/c": "/b"}, modes={"/b": 0o755}),
        ]
    )
    assert set(found.entries) == {"/opt/chrome", "/opt/script", "/b", "/c"}
    assert found.texts == {"/opt/chrome": "#!/bin/sh\nnew", "/b": "#!/b\n\n"}
    assert (found.entries["/c"].size, found.entries["/c"].mode, found.entries["/c"].head) == (6, 0o755, b"#!/b")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["a", "/b", "../c", ".", "/", "x/y"])), max_size=6))
def test_no_set_of_links_can_hang_the_reader(links):
    """Loops and dangling chains are resolved in finite time."""
    found = Tree({f"/{n}": ImageFile(f"/{n}", "symlink", digest=f"link:{target}") for n, target in links}, {})
    entry, followed = found.resolve("/a/b/c")
    assert entry is None or entry.kind != "symlink"
    assert len(followed) <= 41


# What is closed to Lambda's user


def test_a_closed_folder_is_named_once_with_what_is_below_it():
    """The files below it are not named one by one."""
    found = tree(
        ("opt/app", None, 0o700, None),
        *((f"opt/app/{name}", b"x", 0o644, None) for name in "ab"),
        ("var/task/x", b"x", 0o600, None),
    )
    own, below = readable_by_all(found).rejections
    assert own.cause == "1 file cannot be read by Lambda's user: /var/task/x (0600)"
    assert below.cause == "2 files cannot be read by Lambda's user: /opt/app (0700) is closed to it"
    assert below.where == "/opt/app"


def test_folders_of_the_kernel_and_those_that_all_share_are_not_the_functions_own():
    """Root's home can be, where a variable names it."""
    assert used_folders({"PATH": "/:/tmp:/proc:/sys:/dev:/run:/root:/var/cache:/opt/bin:bin"}) == ("/root", "/opt/bin")


@pytest.mark.parametrize(
    ("path", "env"),
    [
        ("root/.local/lib/python3.11/site-packages/mine/x.py", {}),
        ("root/dist-packages/mine/x.py", {}),
        ("root/packages/mine.py", {"PYTHONPATH": "/opt/x:/root/packages/"}),
        ("root/bin/tool", {"PATH": "/usr/bin:/root/bin"}),
        ("root/lib/libx.so", {"LD_LIBRARY_PATH": "/root/lib"}),
        ("root/.local/lib/x.py", {"PYTHONUSERBASE": "/root/.local"}),
    ],
)
def test_what_the_function_uses_of_roots_own_folder_counts(path, env):
    """Packages, and the folders that variables name; other files there are not checked."""
    found = tree(("root", None, 0o700, None), (path, b"x", 0o644, None))
    assert "/root (0700) is closed to it" in str(readable_by_all(found, used_folders(env)).rejections)
    left = tree(("root", None, 0o700, None), ("root/.bashrc", b"x", 0o644, None), ("root/.cache/x", b"x", 0o600, None))
    assert readable_by_all(left, used_folders(env)).accepted


def test_packages_behind_a_closed_folder_are_known_by_name():
    """Their metadata is read on the host, because the image's own Python cannot see it."""
    info = "root/.local/lib/python3.11/site-packages/Typing_Extensions-4.1.dist-info"
    members = ((f"{info}/METADATA", b"x", 0o644, None), ("opt/a-1.dist-info/METADATA", b"x", 0o644, None))
    assert closed_packages(tree(("root", None, 0o700, None), *members)) == {"typing-extensions": "/root"}
    assert closed_packages(tree(("root", None, 0o755, None), *members)) == {}


def test_a_file_with_holes_is_read_whole(tmp_path):
    """GNU tar packs it without them; the content is what the program of a container would read."""
    with (tmp_path / "holes").open("wb") as file:
        file.write(b"#!/bin/sh\n")
        file.seek(900_000)
        file.write(b"end")
    packed = subprocess.run(["tar", "--sparse", "-cC", tmp_path, "holes"], capture_output=True, check=True).stdout
    assert len(packed) < 100_000
    found = tree_of([packed])
    assert (found.entries["/holes"].size, found.entries["/holes"].head) == (900_003, b"#!/b")
    assert found.texts["/holes"] == "#!/bin/sh\n" + "\0" * 899_990 + "end"

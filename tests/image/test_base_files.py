"""The base's own files, byte for byte: what changes them is refused, unless their own managers did."""

from __future__ import annotations

import base64
import hashlib

import pytest

from gate.image.base_files import SHOWN, base_unchanged, changes, shadows
from gate.image.layers import Layer, Layers, merged
from gate.image.package_records import PackageRecords, read_records, rpm_records
from tests.image.archive import layer, read_layers, tree_of
from tests.image.results import said

LIBRARY_PATH = "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/task/lib:/opt/lib"
BASE = {
    "/lambda-entrypoint.sh": b"#!/bin/sh\n",
    "/var/runtime/bootstrap": b"run",
    "/var/runtime/bootstrap.py": b"import x",
    "/var/lang/bin/python3.11": b"\x7fELF",
    "/var/lang/bin/pip3": b"#!pip 23",
    "/var/lang/lib/python3.11/os.py": b"os",
    "/var/lang/lib/python3.11/__pycache__/os.cpython-311.pyc": b"os",
    "/var/lang/lib/python3.11/site-packages/pip/main.py": b"pip 23",
    "/usr/lib64/libssl.so.3": b"ssl 3.0.1",
    "/usr/bin/curl": b"curl 1",
    "/etc/ld.so.cache": b"cache 1",
    "/var/lib/dpkg/status": b"status 1",
    "/etc/os-release": b"ID=a",
    "/usr/share/doc/curl/copyright": b"free",
    "/usr/share/man/man1/curl.1": b"man",
    "/etc/curlrc": b"",
    "/usr/lib64/empty": None,
}


def image(*own, base=BASE, known=None):
    """The layers of an image on the base."""
    made = [
        layer(base, links={"/usr/lib64/libz.so.1": "libz.so.1.2", "/bin": "usr/bin"}),
        *(each if isinstance(each, bytes) else layer(each) for each in own),
    ]
    return read_layers(made, known or read_records(tree_of(made).texts), base=1)


def checked(*own, **how):
    """The rejections for an image with these layers."""
    return said(base_unchanged(image(*own, **how), 1, LIBRARY_PATH))


def md5sums(files):
    """The record of a Debian package of these files."""
    return {
        "/var/lib/dpkg/info/x.md5sums": "".join(
            f"{hashlib.md5(data, usedforsecurity=False).hexdigest()}  {path[1:]}\n" for path, data in files.items()
        ).encode()
    }


def record(files, root="/var/lang/lib/python3.11/site-packages"):
    """The record of a wheel of these files."""
    return {
        f"{root}/pip-24.dist-info/RECORD": "".join(
            f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip('=')},1\n"
            for path, data in files.items()
        ).encode()
    }


@pytest.mark.parametrize(
    "own",
    [
        {"/var/runtime/bootstrap": b"other"},
        {"/lambda-entrypoint.sh": b"#!/bin/sh\nevil\n"},
        {"/var/lang/bin/python3.11": b"\x7fELF2"},
        {"/var/lang/lib/python3.11/os.py": b"import evil"},
        {"/var/lang/lib/python3.11/__pycache__/os.cpython-311.pyc": b"evil"},
        {"/usr/lib64/libssl.so.3": b"evil"},
        {"/usr/bin/curl": b"evil"},
        {"/etc/os-release": b"ID=b"},
        {"/var/lang/lib/python3.11/site-packages/pip/main.py": b"evil"},
        {"/var/runtime/.wh.bootstrap.py": b""},
        {"/var/.wh.runtime": b""},
        {"/var/runtime/.wh..wh..opq": b""},
        {"/usr/bin/.wh.curl": b""},
        {"/usr/bin/curl": None},
        layer({}, links={"/usr/bin/curl": "/opt/evil"}),
        layer({}, links={"/var/runtime": "/opt/runtime"}),
        layer({"/opt/x": b"evil"}, hard={"/usr/bin/curl": "/opt/x"}),
        layer({}, links={"/usr/lib64/libz.so.1": "/opt/libz.so.9"}),
        layer({}, links={"/bin": "opt/bin"}),
    ],
)
def test_a_file_of_the_base_that_is_another_is_refused(own):
    """Replaced, deleted, hidden below a link or a deleted folder: the file and its layer are named."""
    told = checked(own)
    assert "of the base is" in told
    assert "layer 2 of 2" in told
    assert "leave the base's files as they are" in told


@pytest.mark.parametrize(
    "own",
    [
        {},
        {"/var/task/main.py": b"x", "/opt/lib/libssl.so.3": b"mine", "/usr/lib64/libnew.so.1": b"new"},
        {"/usr/bin/curl": b"curl 1", "/var/runtime/bootstrap": b"run"},
        {"/etc/ld.so.cache": b"cache 2", "/var/lib/dpkg/status": b"status 2", "/var/cache/x": b""},
        {"/usr/share/doc/curl/.wh.copyright": b"", "/usr/share/.wh.man": b""},
        {"/var/lang/lib/python3.11/.wh.__pycache__": b""},
        {"/usr/bin/curl": b"curl 2", **md5sums({"/usr/bin/curl": b"curl 2"})},
        {
            "/var/lang/lib/python3.11/site-packages/pip/main.py": b"pip 24",
            "/var/lang/bin/pip3": b"#!pip 24",
            **record({"pip/main.py": b"pip 24", "../../../bin/pip3": b"#!pip 24"}),
        },
        {"/var/lang/lib/python3.11/site-packages/pip/.wh.main.py": b"", **record({"pip/other.py": b"pip 24"})},
        {"/usr/bin/.wh.curl": b"", **md5sums({"/usr/bin/wget": b"wget"})},
        {"/usr/lib64/empty": None},
        layer(
            md5sums({"/usr/lib64/libz.so.1.3": b"z"}) | {"/usr/lib64/libz.so.1.3": b"z"},
            links={"/usr/lib64/libz.so.1": "libz.so.1.3"},
        ),
        layer({}, modes={}, links={"/bin": "usr/bin"}),
        layer({"/usr/bin/curl": b"curl 1"}, modes={"/usr/bin/curl": 0o755}),
        layer({}, links={"/etc/localtime": "/usr/share/zoneinfo/Asia/Seoul"}),
    ],
)
def test_what_packages_caches_and_copies_do_is_harmless(own):
    """Added, equal, upgraded by a package manager, rewritten by the system, or not needed at run time."""
    assert checked(own) == ""


@pytest.mark.parametrize(
    "path",
    ["/var/runtime/bootstrap", "/lambda-entrypoint.sh", "/var/lang/bin/python3.11", "/var/lang/lib/python3.11/os.py"],
)
def test_no_record_explains_another_runtime(path):
    """No package of a distribution holds it, and whoever changes it can write a record too."""
    assert f"{path} of the base is replaced" in checked(
        {path: b"2", **md5sums({path: b"2"}), **record({f"../../../../..{path}": b"2"})}
    )


INSTALLED = {
    **BASE,
    **record({"pip/main.py": b"pip 23", "../../../bin/pip3": b"#!pip 23"}),
    **md5sums({"/usr/bin/curl": b"curl 1"}),
    "/usr/local/bin/aws-lambda-rie": b"\x7fELF",
}
PACKAGES = "/var/lang/lib/python3.11/site-packages"


@pytest.mark.parametrize(
    "own",
    [
        {f"{PACKAGES}/.wh.pip": b"", f"{PACKAGES}/.wh.pip-24.dist-info": b"", "/var/lang/bin/.wh.pip3": b""},
        {
            f"{PACKAGES}/pip/.wh.main.py": b"",
            f"{PACKAGES}/pip/new.py": b"new",
            f"{PACKAGES}/.wh.pip-24.dist-info": b"",
            "/var/lang/bin/.wh.pip3": b"",
            f"{PACKAGES}/pip-25.dist-info/RECORD": record({"pip/new.py": b"new"})[
                f"{PACKAGES}/pip-24.dist-info/RECORD"
            ],
        },
        {"/usr/bin/.wh.curl": b"", "/var/lib/dpkg/info/.wh.x.md5sums": b""},
        {"/usr/local/bin/.wh.aws-lambda-rie": b""},
    ],
    ids=["uninstalled", "upgraded", "removed by apt", "the emulator"],
)
def test_what_the_bases_own_package_manager_removes_is_harmless(own):
    """The records in the base's layers list it, and those that a container sees do not."""
    assert checked(own, base=INSTALLED) == ""


@pytest.mark.parametrize(
    "own",
    [
        {f"{PACKAGES}/pip/.wh.main.py": b""},
        {"/usr/bin/.wh.curl": b""},
        {"/usr/local/bin/aws-lambda-rie": b"\x7fELF2"},
        {f"{PACKAGES}/pip/main.py": b"evil"},
    ],
)
def test_a_file_that_is_still_recorded_is_not_removed_by_its_manager(own):
    """Nor is the emulator replaced by another program."""
    assert "of the base is" in checked(own, base=INSTALLED)


def test_rpm_tells_what_it_recorded():
    """The columns of rpm --dump: path, size, time, digest, mode, owner, group and five flags."""
    digest = hashlib.sha256(b"curl 2").hexdigest()
    dump = f"/usr/bin/curl 6 1700000000 {digest} 0100755 root root 0 0 0 X\n/usr/share/doc 0 1 {'0' * 64} 040755 root root 0 0 0 X\n(none)\n"  # noqa: E501
    assert checked({"/usr/bin/curl": b"curl 2"}, known=rpm_records(dump)) == ""
    assert "/usr/bin/curl" in checked({"/usr/bin/curl": b"curl 3"}, known=rpm_records(dump))
    link = "/usr/lib64/libz.so.1 9 1 0000 0120777 root root 0 0 0 libz.so.2\n"
    other = layer({}, links={"/usr/lib64/libz.so.1": "libz.so.2"})
    assert checked(other, known=rpm_records(link)) == ""
    assert checked(other, known=rpm_records(link.replace("/usr/lib64", "/lib64"))) == ""
    assert "now a link to libz.so.2" in checked(other, known=rpm_records(dump))
    assert rpm_records("rpm: command not found\n") == PackageRecords()


def test_what_is_put_back_is_unchanged():
    """The final content counts, and the last layer that changes a file is named."""
    assert checked({"/usr/bin/curl": b"2"}, {"/usr/bin/curl": b"curl 1"}) == ""
    assert "layer 3 of 4" in checked({"/x": b""}, {"/usr/bin/curl": b"2"}, {"/y": b""})


def test_every_change_is_evidence_with_what_explains_it():
    """Harmless changes are listed too."""
    (only,) = changes(image({"/etc/ld.so.cache": b"2"}), 1)
    assert (only.path, only.what, only.layer, only.why) == (
        "/etc/ld.so.cache",
        "replaced",
        2,
        "rewritten by the system",
    )


def test_many_changes_are_counted():
    """Twenty are named."""
    base = {f"/usr/bin/{number}": b"1" for number in range(30)}
    told = checked(dict.fromkeys(base, b"2"), base=base)
    assert told.count("of the base is replaced") == SHOWN
    assert "10 more files of the base are changed" in told


def test_a_library_before_the_bases_own_is_refused():
    """The loader takes the first library of a name; one in a later folder is never loaded."""
    told = checked({"/var/lang/lib/libssl.so.3": b"evil"})
    assert "/var/lang/lib/libssl.so.3 is loaded instead of the base's /usr/lib64/libssl.so.3" in told
    assert list(shadows(image({"/opt/lib/libssl.so.3": b"mine"}), 1, LIBRARY_PATH)) == []
    assert checked({"/var/lang/lib/libssl.so.3": b"1", **md5sums({"/var/lang/lib/libssl.so.3": b"1"})}) == ""


def test_a_list_of_libraries_for_every_program_is_refused():
    """As LD_PRELOAD, by a file; an empty one does nothing."""
    assert "/etc/ld.so.preload loads a library into every program" in checked({"/etc/ld.so.preload": b"/opt/x.so\n"})
    assert checked({"/etc/ld.so.preload": b""}) == ""
    assert checked({"/etc/ld.so.preload": b"/opt/x.so\n"}, {"/etc/.wh.ld.so.preload": b""}) == ""
    assert checked({}, base={**BASE, "/etc/ld.so.preload": b"/opt/base.so\n"}) == ""


@pytest.mark.parametrize("base_layers", [0, 3])
def test_an_image_without_its_base_is_refused(base_layers):
    """There is no base to compare with."""
    assert "does not begin with its base's layers" in said(base_unchanged(image({}), base_layers, ""))


def test_layers_are_merged_as_a_container_sees_them():
    """Whiteouts, opaque folders, and a file that replaces a folder."""
    read = image(
        {"/a/b": b"1", "/a/c": b"2", "/d/e": b"3"}, {"/a/.wh..wh..opq": b"", "/a/f": b"4", "/d": b"file"}, base={}
    )
    assert {path for path in merged(read.layers) if path[1] in "ad"} == {"/a/f", "/d"}
    assert merged([Layer()]) == {}
    assert isinstance(read, Layers)

"""Requirements as pip reads them for the image's own Python, and the image's packages held against them."""

from __future__ import annotations

import pytest

from gate.errors import ImageUnavailable
from gate.image import requirements
from gate.image.packages import InstalledPackages, no_development_packages, pins_installed
from gate.image.requirements import pins, read_requirements, same_version
from tests.image.results import said

LINUX = {
    "os_name": "posix",
    "sys_platform": "linux",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "implementation_name": "cpython",
    "implementation_version": "3.11.9",
    "platform_system": "Linux",
    "platform_release": "5.10",
    "platform_version": "#1",
    "python_version": "3.11",
    "python_full_version": "3.11.9",
    "extra": "",
}


def pinned(folder, text, environment=LINUX, **others):
    """The pins of a file of this text, beside these other files."""
    for name, content in others.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    path = folder / "requirements.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return pins(read_requirements(path), environment)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("# comment\n\n  a==1  # why\n", {"a": "1"}),
        ("--index-url https://x/simple\n--require-hashes\n--only-binary :all:\na==1\n", {"a": "1"}),
        ("A_b.c[extra,more] == 1.0 ; python_version > '3'\n", {"a-b-c": "1.0"}),
        (
            "a==1 \\\n    --hash=sha256:" + "0" * 64 + " \\\n    --hash=sha256:" + "1" * 64 + "\nb==2\n",
            {"a": "1", "b": "2"},
        ),
        ('cffi==1.17.1 ; os_name == "nt"\ncolorama==0.4.6; sys_platform == "win32"\na==1\n', {"a": "1"}),
        ('a==1; python_version < "3.10"\na==2; python_version >= "3.10"\n', {"a": "2"}),
        ('a==1; platform_machine == "x86_64" and implementation_name == "cpython"\n', {"a": "1"}),
        ('a==1; python_full_version < "3.11.9"\na>=2; sys_platform == "darwin"\n', {}),
        ('a==1; extra == "dev"\n', {}),
        ("a==2.1+cpu\n", {"a": "2.1+cpu"}),
        ("a===1.0-weird\n", {"a": "1.0-weird"}),
        ("a==1.0,!=1.1\n", {"a": "1.0"}),
        ("a==1\na==1.0\n", {"a": "1"}),
        ("a[x]\na[y]>=1\na==1\n", {"a": "1"}),
        ("a==2.1\na==2.1+cpu\n", {"a": "2.1+cpu"}),
        ("a==1 --config-settings=--build-option=x\nb==2 -C a=b\n", {"a": "1", "b": "2"}),
        ("--no-require-hashes\n--all-releases :all:\n--only-final b\na==1\n", {"a": "1"}),
        ("w @ https://h/w-1.2-py3-none-any.whl#sha256=1\n", {"w": "1.2"}),
        ("https://h/w_x-1.2-py3-none-any.whl\n", {"w-x": "1.2"}),
        ("\ufeffa==1\n", {"a": "1"}),
        ("# -*- coding: latin-1 -*-\n# caf\xe9\na==1\n".encode("latin-1"), {"a": "1"}),
        ("a==1\n".encode("utf-16"), {"a": "1"}),
        ("a==1\r\nb==2\r\n", {"a": "1", "b": "2"}),
        ("--extra-index-url=https://x ; sys_platform == 'darwin'\na==1\n", {"a": "1"}),
        ("--find-links wheels beside it\n-i https://x/simple why\na==1\n", {"a": "1"}),
        ("--pre and more\na==1\n", {"a": "1"}),
    ],
)
def test_requirements_are_read_as_pip_reads_them(tmp_path, text, expected):
    """Comments, options, hashes, markers, extras, addresses, encodings."""
    assert pinned(tmp_path, text) == expected


def test_every_option_of_pips_own_reader_is_known():
    """Compared with the pip that is installed here."""
    from pip._internal.req import req_file

    known = requirements._reader()
    for name in ("SUPPORTED_OPTIONS", "SUPPORTED_OPTIONS_REQ"):
        ours, pips = ({option().get_opt_string() for option in getattr(each, name)} for each in (known, req_file))
        assert pips <= ours


def test_other_files_are_followed_from_where_they_are_named(tmp_path):
    """-r adds requirements, -c only says at which version: an unpinned one is pinned by it, an unnamed one is none."""
    found = pinned(
        tmp_path,
        "-r sub/more.txt\n-c pins.txt\na\nb==2\n",
        sub__more="",
        **{
            "sub__more.txt": "--constraint ../other.txt\nc\n",
            "other.txt": "c==3\nunused==9\n",
            "pins.txt": "a==1\nb==2.0\n",
        },
    )
    assert found == {"a": "1", "b": "2", "c": "3"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a\n", "'a' is not pinned"),
        ("a>=1\n", "is not pinned"),
        ("a==1.*\n", "is not pinned"),
        ("git+https://h/x\n", "is not pinned"),
        ("-e ./local\n", "is not pinned"),
        ("a @ https://h/a-1.tar.gz\n", "is not pinned"),
        ("a==1\na==2\n", "a is pinned at 1 (requirements.txt:1), which 'a==2' does not admit"),
        ("a>=2\n-c c.txt\n", "a is pinned at 1 (c.txt:1), which 'a>=2' does not admit"),
        ("a==2\n-c c.txt\n", "which 'a==1' does not admit"),
        ("a==\n", "pip does not understand 'a=='"),
        ("==1\n", "pip does not understand"),
        ("--no-such-option\n", "pip does not understand"),
        ("-r missing.txt ; sys_platform == 'darwin'\n", "missing.txt does not exist"),
        ("--no-such-option ; sys_platform == 'darwin'\n", "pip does not understand"),
        ("-r missing.txt\n", "missing.txt does not exist"),
        ("-c https://h/constraints.txt\n", "is no local file"),
        ("-r requirements.txt\n", "includes itself"),
        (b"\xff\xfe\xff", "cannot be read"),
        ("a==1; python_version ~ '3'\n", "pip does not understand"),
    ],
)
def test_what_cannot_be_followed_is_refused_and_never_skipped(tmp_path, text, words):
    """With the line that it is about."""
    with pytest.raises(ImageUnavailable) as refused:
        pinned(tmp_path, text, **{"c.txt": "a==1\n"})
    assert words in str(refused.value)
    assert "requirements.txt" in str(refused.value)


def test_a_line_is_named_by_its_file_and_number(tmp_path):
    """Also in a file that is included."""
    with pytest.raises(ImageUnavailable) as refused:
        pinned(tmp_path, "-r more.txt\n", **{"more.txt": "# c\na==1\nb\n"})
    assert refused.value.where == "more.txt:3"


def test_versions_are_compared_by_pep_440():
    """Not letter by letter."""
    assert same_version("1.0", "1.0.0")
    assert same_version("1.0", "1.0+local.1")
    assert not same_version("1.0", "")


@pytest.mark.parametrize(
    ("pin", "found"),
    [("23.1", "23.1.0"), ("2.1", "2.1+cpu"), ("2.1+cpu", "2.1+cpu"), ("1.0rc1", "1.0.rc1"), ("weird", "weird")],
)
def test_a_pin_is_met_as_pep_440_says(pin, found):
    """Zeros at the end, local versions, spellings of pre-releases."""
    assert pins_installed({"a": pin}, InstalledPackages({"a": found}, {}, ())).accepted


@pytest.mark.parametrize(
    ("pin", "found"),
    [("23.1", "23.1.1"), ("2.1+cpu", "2.1"), ("2.1", "2.1.post1"), ("2.1", "2.1rc1"), ("2.1", "weird")],
)
def test_another_version_is_no_match(pin, found):
    """Similar versions are different versions."""
    assert not pins_installed({"a": pin}, InstalledPackages({"a": found}, {}, ())).accepted


def test_a_package_that_is_shadowed_edited_or_closed_is_refused():
    """With the file that is imported instead, or the folder that is closed."""
    shadowed = InstalledPackages({"a": "1", "b": "1"}, {}, (), {"a": ("/var/task/a/__init__.py",), "b": ("/x",)})
    refused = said(pins_installed({"a": "1"}, shadowed))
    assert "Python imports /var/task/a/__init__.py, which is not the file that a recorded" in refused
    assert "/x" not in refused
    closed = said(pins_installed({"a": "1"}, InstalledPackages({}, {}, (), {}, {"a": "/root"})))
    assert "a is pinned at 1, and lies where Lambda's user has no access: /root is closed to it" in closed


def test_packages_at_their_pins_are_accepted():
    """Other packages do not matter, even if they cannot be imported."""
    assert pins_installed({"a": "1"}, InstalledPackages({"a": "1", "b": "2"}, {"b": "ImportError"}, ())).accepted


@pytest.mark.parametrize(
    ("installed", "words"),
    [
        (InstalledPackages({}, {}, ()), "a is pinned at 1, and the image holds none"),
        (InstalledPackages({"a": "2"}, {}, ()), "a is pinned at 1, and the image holds 2"),
        (
            InstalledPackages({"a": "1"}, {"a": "ImportError: x"}, ()),
            "a is installed and cannot be imported: ImportError: x",
        ),
        (InstalledPackages({"a": "1"}, {}, ("a needs b",)), "pip check: a needs b"),
    ],
)
def test_a_package_that_is_missing_other_broken_or_in_conflict_is_refused(installed, words):
    """Each with its own message."""
    refused = pins_installed({"a": "1"}, installed)
    assert [words in str(each) for each in refused.rejections] == [True]


def test_no_pin_and_no_package_prove_nothing():
    """Empty lists are refused, not accepted."""
    assert "pin no package" in said(pins_installed({}, InstalledPackages({}, {}, ())))
    assert "no Python package was found" in said(no_development_packages((), ("pytest",)))


def test_development_packages_are_refused_by_any_spelling():
    """Each one in the image is named."""
    assert no_development_packages({"selenium"}, ("pytest", "Moto")).accepted
    assert "image: moto, pytest-x" in said(
        no_development_packages({"pytest-x", "a", "moto"}, ("Moto", "pytest_x", "b"))
    )

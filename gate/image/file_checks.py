"""Whether the image's programs and files exist and can be run by the user that Lambda runs as. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence

from gate.check import ACCEPTED, CheckResult, Rejection, check, reject
from gate.image.tree import KEPT_BYTES, OTHERS_EXECUTE, OTHERS_READ, ImageFile, Tree

_ABSOLUTE_PATH = re.compile(r"/[A-Za-z0-9._+/-]+")
# The values consist of letters and paths only, so they need no escaping for re.sub.
_ASSIGNMENT = re.compile(r"^([A-Za-z_]\w*)=[\"']?([\w$/.{}-]+)[\"']?$", re.MULTILINE)
# The tools that a wrapper script calls (grep, uname…) are not the program that it starts.
_TOOLS = ("/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/")


def _dangling() -> tuple[Tree, str, str]:
    link = ImageFile("/opt/chromedriver", "symlink", digest="link:/usr/bin/chromedriver")
    return Tree({"/opt/chromedriver": link}, {}), "CHROMEDRIVER_BIN", "/opt/chromedriver"


@check(1, known_bad=_dangling)
def is_program(tree: Tree, name: str, path: str) -> CheckResult:
    """A path leads to a program that any user may run: an ELF executable, or a script that starts one."""
    entry, followed = tree.resolve(path)
    way = f" (links followed: {'; '.join(followed)})" if followed else ""
    if entry is None:
        what = "is a dangling link" if followed else "does not exist"
        return reject(
            f"{name} names {path}, which {what} in the image{way}",
            where=path,
            remedy="install the program, and check whether the package manager skipped a package that it does not have",
        )
    if entry.kind != "file":
        return reject(f"{name} names {path}, which is a {entry.kind}, not a program{way}", entry.path,
                      "name the program itself, or install it there")  # fmt: skip
    shut = tree.closed_before(path) or tree.first_closed(entry, OTHERS_READ | OTHERS_EXECUTE)
    if shut:
        return reject(
            f"{name} names {path}, which Lambda's user may not run: {shut} is closed to it",
            where=shut,
            remedy=f"chmod a+rx {shut} in the Dockerfile; Lambda ignores USER and runs as uid 993",
        )
    if program_behind(tree, entry):
        return ACCEPTED
    what = "a script that starts no ELF program" if entry.is_script else f"no program (it begins with {entry.head!r})"
    return reject(
        f"{name} names {path}, which is {what}{way}",
        where=entry.path,
        remedy="install the real program at this path",
    )


def program_behind(tree: Tree, entry: ImageFile) -> ImageFile | None:
    """The ELF program itself, or the one that a script names by its absolute path; None for neither."""
    if entry.is_elf:
        return entry
    script = tree.texts.get(entry.path, "") if entry.is_script else ""
    # The first line names the interpreter.
    named = _ABSOLUTE_PATH.findall(_substituted(script.partition("\n")[2]))
    found = (tree.resolve(path)[0] for path in named)
    return next((e for e in found if e and e.is_elf and not e.path.startswith(_TOOLS)), None)


def _substituted(script: str) -> str:
    """The script with its simple variables substituted: Debian's chromium starts $LIBDIR/$APPNAME."""
    for name in dict(_ASSIGNMENT.findall(script)):
        # Read again: the previous substitution may have changed the value.
        value = dict(_ASSIGNMENT.findall(script))[name]
        used = re.compile(rf"\$(?:{name}\b|\{{{name}\}})")
        # Nested variables can expand to more text than fits in memory.
        if len(script) + len(used.findall(script)) * len(value) > KEPT_BYTES:
            break
        script = used.sub(value, script)
    return script


@check(1, known_bad=lambda: (Tree({}, {}), ("/var/task/src",)), follows=(is_program,))
def all_exist(tree: Tree, paths: Sequence[str]) -> CheckResult:
    """Each path exists, links followed."""
    return CheckResult.of(
        Rejection(f"{path} does not exist in the image", where=path, remedy="see required_paths in pytest.ini")
        for path in paths
        if tree.resolve(path)[0] is None
    )


# File names of programs that are a browser, or drive one.
_BROWSERS = ("chrome", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless_shell",
             "chrome-headless-shell", "headless-chromium", "firefox", "microsoft-edge")  # fmt: skip
_DRIVERS = ("chromedriver", "geckodriver", "msedgedriver")

# Where AWS's base images have the Python that runs the handler, and the package that is Lambda's runtime for it.
_RUNTIME_PYTHON = re.compile(r"/var/lang/bin/python[0-9.]*|.*/awslambdaric/__main__\.py")
_PYTHON = re.compile(r"python[0-9.]*")


def _unstated_browser() -> tuple[Tree, Mapping[str, str], dict[str, str]]:
    program = ImageFile("/opt/chrome/chrome", "file", mode=0o755, head=b"\x7fELF")
    return Tree({program.path: program}, {}), {}, {"browser": "chrome_bin is empty"}


@check(6, known_bad=_unstated_browser)
def absent_parts_are_absent(
    tree: Tree, environment: Mapping[str, str], absent: Mapping[str, str], command: Sequence[str] = ()
) -> CheckResult:
    """What pytest.ini calls no part of the release is not in the image: no browser, no driver, no variable for one.

    A Python beside another runtime is none of the function's; one that Lambda would run the handler with is.

    Args:
        tree: the image's files.
        environment: the image's variables.
        absent: why each part that is no part of the release is none, by its tag in features/.
        command: the image's ENTRYPOINT and CMD.
    """
    signs = {
        "browser": _signs_of("CHROME_BIN", _BROWSERS, tree, environment),
        "driver": _signs_of("CHROMEDRIVER_BIN", _DRIVERS, tree, environment),
        "python": _signs_of_python(tree, command),
    }
    return CheckResult.of(
        Rejection(
            f"{reason}, and {found}",
            where=where,
            remedy="state it in pytest.ini, so that it is checked; or take it out of the image",
        )
        for part, reason in absent.items()
        if part in signs
        for where, found in signs[part]
    )


def _signs_of(
    variable: str, programs: Sequence[str], tree: Tree, environment: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    if path := environment.get(variable):
        yield f"ENV {variable}", f"the image's {variable} names {path}"
    for path, entry in sorted(tree.entries.items()):
        runs = entry.kind == "file" and entry.mode & 0o111 and (entry.is_elf or entry.is_script)
        if posixpath.basename(path) in programs and runs:
            yield path, f"{path} is a program in the image"


def _signs_of_python(tree: Tree, command: Sequence[str]) -> Iterator[tuple[str, str]]:
    for path, entry in sorted(tree.entries.items()):
        if entry.kind != "directory" and _RUNTIME_PYTHON.fullmatch(path):
            yield path, f"{path} is Python's runtime for Lambda, in the image"
            break  # each of its files would say the same
    program = next((word for word in command if _PYTHON.fullmatch(posixpath.basename(word))), None)
    if program:
        yield "ENTRYPOINT and CMD", f"the image starts {program}"

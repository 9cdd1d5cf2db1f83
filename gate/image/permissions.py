"""Whether the image's files can be read by the user that Lambda runs as. Pure."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence

from packaging.utils import canonicalize_name

from gate.check import ACCEPTED, CheckResult, Rejection, check, reject
from gate.image.tree import OTHERS_EXECUTE, OTHERS_READ, ImageFile, Tree

SHOWN = 10
# Closed to other users in every Debian or Amazon Linux base, and read by no program of another user.
_ROOTS_OWN = (
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/sudoers",
    "/etc/security/opasswd",
    "/root",
    "/proc",
    "/sys",
    "/dev",
    "/run",
    "/.dockerenv",
)
_OF_ADMINISTRATION = ("/etc/sudoers.d", "/etc/ssl/private", "/etc/polkit-1", "/var/spool", "/usr/lib/sysimage")
_CACHES_OF_ROOT = ("/var/cache", "/var/log", *(f"/var/lib/{each}" for each in ("apt", "dpkg", "yum", "dnf", "rpm")))
_FOR_ROOT = tuple(f"{each}/" for each in (*_ROOTS_OWN, *_OF_ADMINISTRATION, *_CACHES_OF_ROOT, "/tmp"))  # noqa: S108
_BACKUPS = ("-", ".lock")
_AS_OWNER = 0o6000  # set-user-ID, set-group-ID


@check(6, known_bad=lambda: (Tree({"/var/task/main.py": ImageFile("/var/task/main.py", "file", mode=0o600)}, {}),))
def readable_by_all(tree: Tree, used: Sequence[str] = (), recorded: Container[str] = ()) -> CheckResult:
    """Lambda requires that any user can read the image's files (Lambda, "Container image requirements").

    Files that a base reserves for root (password hashes, package caches), and those that a distribution's package has
    closed, are not checked, unless they lie in a folder that the function uses.

    Args:
        tree: the image's files.
        used: the folders in which programs, modules and libraries are looked for.
        recorded: the paths of all files of packages.
    """
    if not tree.entries:
        return reject(
            "the image has no files, so none can be checked",
            "the layers of the image",
            "check what the last stage of the Dockerfile copies",
        )
    below = tuple(f"{each}/" for each in used)
    kept = (
        e
        for e in tree.entries.values()
        if e.kind in {"file", "symlink"}
        and (_is_used(e.path, below) or not (e.kind == "symlink" or e.path in recorded or _for_root(e.path)))
    )
    closed = [(shut, e) for e in kept if (shut := _shut(tree, e))]
    return CheckResult.of(_closed(tree, closed)) if closed else ACCEPTED


def _shut(tree: Tree, entry: ImageFile) -> str:
    """The path that keeps others from a file, or from what a link leads to; "" for none.

    A program need not be read to be run, and one that runs as its owner or group is closed by intent.
    """
    target = tree.resolve(entry.path)[0] if entry.kind == "symlink" else entry
    if target is None:
        return ""
    runs = target.is_elf and target.mode & (_AS_OWNER | OTHERS_EXECUTE)
    folder = target.kind == "directory"
    return tree.first_closed(target, OTHERS_EXECUTE if folder else 0 if runs else OTHERS_READ)


def _closed(tree: Tree, closed: Sequence[tuple[str, ImageFile]]) -> Iterator[Rejection]:
    """One rejection for the files that are closed themselves, and one for each closed folder."""
    own = [e for shut, e in closed if shut == e.path]
    if own:
        shown = ", ".join(f"{e.path} ({e.mode & 0o7777:04o})" for e in own[:SHOWN]) + (" …" if len(own) > SHOWN else "")
        cause = f"{_files(len(own))} cannot be read by Lambda's user: {shown}"
        yield Rejection(cause, own[0].path, "chmod -R a+rX them in the layer that adds them")
    below = Counter(shut for shut, e in closed if shut != e.path)
    for folder, count in below.items():
        mode = tree.entries[folder].mode & 0o7777
        cause = f"{_files(count)} cannot be read by Lambda's user: {folder} ({mode:04o}) is closed to it"
        yield Rejection(cause, folder, f"move them out of {folder}, or chmod a+rx {folder} in the Dockerfile")


def _files(count: int) -> str:
    return f"{count} file{'s'[: count - 1]}"


def _is_used(path: str, below: tuple[str, ...]) -> bool:
    """Whether Python, the loader or a shell looks for a file there."""
    return "/site-packages/" in path or "/dist-packages/" in path or path.startswith(below)


def used_folders(env: Mapping[str, str]) -> tuple[str, ...]:
    """The folders of the variables in which programs, modules and libraries are looked for."""
    names = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LAMBDA_TASK_ROOT", "PYTHONUSERBASE")
    folders = (
        posixpath.normpath(each) for name in names for each in env.get(name, "").split(":") if each.startswith("/")
    )
    # Not the root folder, /tmp or the folders of the kernel.
    shared = {"/", "/tmp", *_ROOTS_OWN[5:], *_CACHES_OF_ROOT}  # noqa: S108
    return tuple(dict.fromkeys(each for each in folders if each not in shared))


def closed_packages(tree: Tree) -> dict[str, str]:
    """By canonical package name, the folder that Lambda's user may not enter to read the package."""
    found: dict[str, str] = {}
    for path, entry in tree.entries.items():
        if path.endswith((".dist-info/METADATA", ".dist-info/RECORD")) and (
            shut := tree.first_closed(entry, OTHERS_READ)
        ):
            name = posixpath.basename(posixpath.dirname(path)).partition("-")[0]
            found[canonicalize_name(name)] = shut
    return found


def _for_root(path: str) -> bool:
    return f"{path}/".startswith(_FOR_ROOT) or (path.startswith("/etc/") and path.endswith(_BACKUPS))

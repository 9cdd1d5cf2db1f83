"""Whether the base's own files are what they were, held against the image's layers. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gate.check import CheckResult, Rejection, check, reject
from gate.image.layers import Layer, LayerFile, Layers, merged
from gate.image.records import Records, source_of

SHOWN = 20
# What starts and runs the function (AWS, "Create a base image": runtime interface client, emulator and entry point;
# "Container image requirements"). No package of a distribution holds them, so no record can vouch for another content.
_RUNTIME = ("/var/runtime/", "/lambda-entrypoint.sh", "/usr/local/bin/aws-lambda-rie", "/var/lang/")
# Below the interpreter's folder lie the packages that pip manages; each of them is vouched for by its own record.
_PACKAGES = re.compile(r"^/var/lang/(?:lib/python[\d.]+/site-packages/|bin/(?!python[\d.]*$))")
# Kept by the package managers, the loader and Python themselves, and written anew by each of their runs.
_CHANGING = (
    "/var/lib/dpkg/",
    "/var/lib/rpm/",
    "/usr/lib/sysimage/",
    "/var/lib/yum/",
    "/var/lib/dnf/",
    "/var/lib/apt/",
    "/var/cache/",
    "/var/log/",
    "/var/lib/pam/",
    "/var/lib/systemd/",
    "/var/lib/ucf/",
    "/var/lib/python/",
    "/var/lib/alternatives/",
    "/etc/ld.so.cache",
    "/etc/alternatives/",
    "/etc/mtab",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/hostname",
    "/etc/passwd",
    "/etc/group",
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/subuid",
    "/etc/subgid",
    "/etc/shells",
    "/etc/machine-id",
    "/etc/pki/",
    "/etc/pam.d/common-",
    "/etc/nsswitch.conf",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/default/locale",
    "/etc/locale.",
    "/etc/ssl/certs/",
    "/etc/ca-certificates",
    "/etc/apt/",
    "/etc/yum",
    "/etc/dnf/",
    "/etc/dpkg/",
    "/etc/fonts/",
    "/usr/share/info/dir",
    "/usr/share/mime/",
    "/usr/share/icons/",
    "/usr/share/applications/",
    "/usr/share/glib-2.0/schemas/",
    "/usr/lib/locale/",
    "/run/",
    "/tmp/",  # noqa: S108 - named, not written to
    "/var/tmp/",  # noqa: S108
    "/root/",
    "/home/",
    "/dev/",
    "/proc/",
    "/sys/",
)
# Also these are written anew for all packages together, wherever they lie.
_CACHES = re.compile(
    r"/(?:gconv-modules\.cache|loaders\.cache|giomodule\.cache|icon-theme\.cache|mime\.cache|gschemas\.compiled|immodules\.cache)$"
)
# Nothing that runs reads them; images are often made smaller by taking them away.
_SPARE = re.compile(
    r"^/usr/(?:share|local/share)/(?:doc|man|info|locale|licenses|bug|lintian|zoneinfo|i18n)/|^/var/lang/share/|/__pycache__/|\.pyc$|^/(?:boot|media|mnt|srv)/"
)
# The loader reads it before it starts any program (ld.so(8)).
_PRELOAD = "/etc/ld.so.preload"
_LIBRARY = re.compile(r"/lib[^/]+\.so(?:\.[\d.]+)?$")
_LEAVE = (
    "leave the base's files as they are: bring your own under /opt or /var/task, "
    "or build on another base and have it reviewed"
)


@dataclass(frozen=True)
class Change:
    """One file of the base that the image holds otherwise.

    Attributes:
        path: in both.
        what: "replaced", "deleted", or what it became ("a symlink").
        layer: the number, from 1, of the layer that did it last.
        why: what explains it, where it is allowed; "" where nothing does.
    """

    path: str
    what: str
    layer: int
    why: str


def changes(layers: Layers, base_layers: int) -> tuple[Change, ...]:
    """Every file of the base that is another, or gone, in the image, and what explains it."""
    base = merged(layers.layers[:base_layers])
    image = merged(layers.layers)
    found = []
    for path, before in base.items():
        after = image.get(path)
        what = _changed(before, after)
        if what:
            why = _explained(path, after, layers.records, image)
            found.append(Change(path, what, _last(layers.layers, path), why))
    return tuple(found)


def _changed(before: LayerFile, after: LayerFile | None) -> str:
    """How a path of the base differs; "" where it does not. Modes are another claim's matter."""
    if after is None:
        return "" if before.kind == "directory" else "deleted"
    if after.kind != before.kind:
        return f"replaced by a {after.kind}"
    if before.kind == "symlink":
        return "" if after.link == before.link else f"now a link to {after.link}"
    return "" if before.kind != "file" or after.digest == before.digest else "replaced"


def _explained(path: str, after: LayerFile | None, records: Records, image: Mapping[str, LayerFile]) -> str:
    """What explains a change; "" where nothing does."""
    if path.startswith(_RUNTIME) and not _PACKAGES.match(path):
        return "not needed to run" if after is None and _SPARE.search(path) else ""
    if path.startswith(_CHANGING) or _CACHES.search(path):
        return "kept by the system itself"
    if after is None:
        return _gone(path, records)
    if after.kind == "file" and records.vouch(path, after.digest):
        return "as its package recorded it"
    if after.kind == "symlink" and records.vouch(path, f"link:{after.link}"):
        return "as its package recorded it"
    if after.kind == "symlink" and _same_library(path, after.link, records):
        return "a link to its library as a package recorded it"
    return "compiled anew" if source_of(path) in image else ""


def _same_library(path: str, link: str, records: Records) -> bool:
    """Whether libx.so.1 now leads to another version of libx that a package brought."""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), link))
    same = posixpath.basename(path).split(".so")[0] == posixpath.basename(target).split(".so")[0]
    return bool(_LIBRARY.search(path)) and same and records.list(target)


def _gone(path: str, records: Records) -> str:
    """A package manager that removes or upgrades a package no longer lists its files; documents nobody needs."""
    if _SPARE.search(path):
        return "not needed to run"
    manager = "pip" if _PACKAGES.match(path) or "/dist-packages/" in path else "dpkg or rpm"
    managed = records.managed & ({"pip"} if manager == "pip" else {"dpkg", "rpm"})
    return f"no longer listed by {manager}" if managed and not records.list(path) else ""


def _last(layers: tuple[Layer, ...], path: str) -> int:
    """The number of the highest layer that touches a path."""
    above = {path}
    while (parent := posixpath.dirname(min(above, key=len))) not in above:
        above.add(parent)
    touching = [
        number
        for number, layer in enumerate(layers, 1)
        if path in layer.files
        or above & (layer.removed | layer.emptied)
        or any(layer.files[each].kind != "directory" for each in above & layer.files.keys())
    ]
    return touching[-1] if touching else 0


def shadows(layers: Layers, base_layers: int, library_path: str) -> Iterator[tuple[str, str]]:
    """Libraries of the image that the loader finds before the base's own of the same name: (its path, the base's)."""
    folders = [posixpath.normpath(each) for each in library_path.split(":") if each]
    base, image = merged(layers.layers[:base_layers]), merged(layers.layers)
    known: dict[str, str] = {}
    for path, file in base.items():
        if file.kind in ("file", "symlink") and _LIBRARY.search(path):
            known.setdefault(posixpath.basename(path), path)
    for path, file in image.items():
        folder, name = posixpath.split(path)
        if path in base or name not in known or folder not in folders:
            continue
        recorded = file.kind == "file" and layers.records.vouch(path, file.digest)
        if not recorded and not _comes_after(folder, posixpath.dirname(known[name]), folders):
            yield path, known[name]


def _comes_after(folder: str, own: str, folders: list[str]) -> bool:
    """Whether the base's folder is looked through first (ld.so(8): LD_LIBRARY_PATH, then the cache)."""
    return own in folders and folders.index(own) < folders.index(folder)


def _bad() -> tuple[Layers, int, str]:
    runtime = "/var/runtime/bootstrap"
    base, own = (Layer({runtime: LayerFile("file", digest=f"sha256:{each}")}) for each in "ab")
    return Layers((base, own), (), Records(), {}), 1, ""


@check(6, known_bad=_bad)
def base_unchanged(layers: Layers, base_layers: int, library_path: str) -> CheckResult:
    """The base's own files are unchanged, byte for byte, but for what the system's own managers changed.

    Args:
        layers: of the image, as they are pushed.
        base_layers: how many of them are the base's.
        library_path: LD_LIBRARY_PATH of the image.
    """
    if not 0 < base_layers <= len(layers.layers):
        return reject(
            "the image does not begin with its base's layers, so nothing of the base can be held against it",
            "rootfs.diff_ids of the image's configuration",
            "build FROM the approved base",
        )
    return CheckResult.of([*_changed_files(layers, base_layers), *_preloading(layers, base_layers, library_path)])


def _changed_files(layers: Layers, base_layers: int) -> Iterator[Rejection]:
    unexplained = [change for change in changes(layers, base_layers) if not change.why]
    for change in unexplained[:SHOWN]:
        where = f"layer {change.layer} of {len(layers.layers)}: {change.path}"
        yield Rejection(f"{change.path} of the base is {change.what}", where, _LEAVE)
    if len(unexplained) > SHOWN:
        yield Rejection(
            f"{len(unexplained) - SHOWN} more files of the base are changed", "the image's own layers", _LEAVE
        )


def _preloading(layers: Layers, base_layers: int, library_path: str) -> Iterator[Rejection]:
    own = merged(layers.layers[base_layers:])
    if _PRELOAD in own and own[_PRELOAD].size:
        yield Rejection(
            f"{_PRELOAD} loads a library into every program, the runtime too", _PRELOAD, "leave it out of the image"
        )
    for path, other in list(shadows(layers, base_layers, library_path))[:SHOWN]:
        yield Rejection(f"{path} is loaded in the place of the base's {other}", path, _LEAVE)

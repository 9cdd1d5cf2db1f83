"""Whether the image leaves the files of its base unchanged, by a comparison of its layers. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from gate.check import CheckResult, Rejection, check, reject
from gate.image.layers import Layer, Layers
from gate.image.package_records import PackageRecords, source_of
from gate.image.tree import ImageFile

SHOWN = 20
# What starts and runs the function (AWS, "Create a base image": runtime interface client, emulator and entry point;
# "Container image requirements"). No package of a distribution contains them, so no record explains a change.
# The entry point starts the emulator only outside of Lambda, and it is often removed with its vulnerabilities.
_EMULATOR = "/usr/local/bin/aws-lambda-rie"
_RUNTIME = ("/var/runtime/", "/lambda-entrypoint.sh", _EMULATOR, "/var/lang/")
# The packages that pip manages lie below the folder of the interpreter; each has a RECORD of its own.
_PACKAGES = re.compile(r"^/var/lang/(?:lib/python[\d.]+/site-packages/|bin/(?!python[\d.]*$))")
# Package managers, the loader and system tools rewrite these whenever they run.
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
# Caches over all packages, rewritten in any folder.
_CACHES = re.compile(
    r"/(?:gconv-modules\.cache|loaders\.cache|giomodule\.cache|icon-theme\.cache|mime\.cache|gschemas\.compiled|immodules\.cache)$"
)
# Not needed at run time; images are often made smaller by removing them.
_REMOVABLE = re.compile(
    r"^/usr/(?:share|local/share)/(?:doc|man|info|locale|licenses|bug|lintian|zoneinfo|i18n)/|^/var/lang/share/|/__pycache__/|\.pyc$|^/(?:boot|media|mnt|srv)/"
)
# Libraries that the loader loads into every program (ld.so(8)).
_PRELOAD = "/etc/ld.so.preload"
_LIBRARY = re.compile(r"/lib[^/]+\.so(?:\.[\d.]+)?$")
_LEAVE = (
    "leave the base's files as they are: put your own under /opt or /var/task, "
    "or build on another base and have it reviewed"
)


@dataclass(frozen=True)
class BaseFileChange:
    """A file of the base that is changed in the image.

    Attributes:
        path: of the file.
        what: "replaced", "deleted", or "replaced by a symlink" and the like.
        layer: the number, from 1, of the last layer that changed it.
        why: the reason why the change is allowed; "" if it is not.
    """

    path: str
    what: str
    layer: int
    why: str


def changes(layers: Layers, base_layers: int) -> tuple[BaseFileChange, ...]:
    """Every file of the base that the image changes or deletes, and what explains it."""
    base, image = layers.files(base_layers), layers.files()
    found = []
    for path, before in base.items():
        after = image.get(path)
        if what := _changed(before, after):
            why = _explained(path, after, layers, image)
            found.append(BaseFileChange(path, what, _last(layers.layers, path), why))
    return tuple(found)


def _changed(before: ImageFile, after: ImageFile | None) -> str:
    """How a path of the base differs, or "". Another check looks at the modes."""
    if after is None:
        return "" if before.kind == "directory" else "deleted"
    if after.kind != before.kind:
        return f"replaced by a {after.kind}"
    if after.digest == before.digest:
        return ""
    return f"now a link to {after.link}" if after.kind == "symlink" else "replaced"


def _explained(path: str, after: ImageFile | None, layers: Layers, image: Mapping[str, ImageFile]) -> str:
    """What explains a change, or ""."""
    if path.startswith(_RUNTIME) and not _PACKAGES.match(path):
        unneeded = after is None and (path == _EMULATOR or _REMOVABLE.search(path))
        return "not needed to run" if unneeded else ""
    if path.startswith(_CHANGING) or _CACHES.search(path):
        return "rewritten by the system"
    if after is None:
        return _deleted(path, layers)
    if layers.records.confirms(path, after.digest):
        return "as its package recorded it"
    if after.kind == "symlink" and _same_library(path, after.link, layers.records):
        return "a link to its library as a package recorded it"
    return "compiled again" if source_of(path) in image else ""


def _same_library(path: str, link: str, records: PackageRecords) -> bool:
    """Whether libx.so.1 now leads to another version of libx that a package installed."""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), link))
    same = posixpath.basename(path).split(".so")[0] == posixpath.basename(target).split(".so")[0]
    return bool(_LIBRARY.search(path)) and same and records.lists(target)


def _deleted(path: str, layers: Layers) -> str:
    """What explains a deletion: a package manager no longer lists the file, or it is not needed at run time."""
    if _REMOVABLE.search(path):
        return "not needed to run"
    managers = ("pip",) if _PACKAGES.match(path) or "/dist-packages/" in path else ("dpkg", "rpm")
    unlisted = layers.records.managed & set(managers) and not layers.installed.lists(path)
    return f"no longer listed by {' or '.join(managers)}" if unlisted else ""


def _last(layers: tuple[Layer, ...], path: str) -> int:
    """The number of the last layer that changes a path."""
    above = {path}
    while (parent := posixpath.dirname(min(above, key=len))) not in above:
        above.add(parent)
    changing = [
        number
        for number, layer in enumerate(layers, 1)
        if path in layer.files
        or above & (layer.removed | layer.emptied)
        or any(layer.files[each].kind != "directory" for each in above & layer.files.keys())
    ]
    return max(changing, default=0)


def shadows(layers: Layers, base_layers: int, library_path: str) -> Iterator[tuple[str, str]]:
    """Libraries that the loader finds before the base's library of the same name: (path, the base's path)."""
    folders = list(dict.fromkeys(posixpath.normpath(each) for each in library_path.split(":") if each))
    base, image = layers.files(base_layers), layers.files()
    known: dict[str, str] = {}
    for path, file in base.items():
        if file.kind in ("file", "symlink") and _LIBRARY.search(path):
            known.setdefault(posixpath.basename(path), path)
    for folder, name in product(folders, known):
        path = posixpath.join(folder, name)
        if path in base or path not in image:
            continue
        file, own = image[path], posixpath.dirname(known[name])
        recorded = file.kind == "file" and layers.records.confirms(path, file.digest)
        # The loader searches LD_LIBRARY_PATH in its order, then the cache (ld.so(8)).
        later = own in folders and folders.index(own) < folders.index(folder)
        if not recorded and not later:
            yield path, known[name]


def _known_bad() -> tuple[Layers, int, str]:
    runtime = "/var/runtime/bootstrap"
    base, own = (Layer({runtime: ImageFile(runtime, "file", digest=f"sha256:{each}")}) for each in "ab")
    return Layers((base, own), (), PackageRecords(), {}), 1, ""


@check(6, known_bad=_known_bad)
def base_unchanged(layers: Layers, base_layers: int, library_path: str) -> CheckResult:
    """The files of the base are unchanged, except for what package managers and the system rewrite.

    Args:
        layers: of the image, as they are pushed.
        base_layers: how many of them, the lowest, are the base's.
        library_path: LD_LIBRARY_PATH.
    """
    if not 0 < base_layers <= len(layers.layers):
        return reject(
            "the image does not begin with its base's layers, so its files cannot be compared with the base",
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
    preload = layers.files().get(_PRELOAD)
    if preload and preload.size and any(_PRELOAD in layer.files for layer in layers.layers[base_layers:]):
        yield Rejection(
            f"{_PRELOAD} loads a library into every program, the runtime included",
            _PRELOAD,
            "leave it out of the image",
        )
    for path, other in list(shadows(layers, base_layers, library_path))[:SHOWN]:
        yield Rejection(f"{path} is loaded instead of the base's {other}", path, _LEAVE)

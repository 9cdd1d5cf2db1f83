"""docs/engines.md: what the gate did on each engine, as the last run saw it."""

from __future__ import annotations

from collections.abc import Sequence

from tests.engines.drive import Seen

_HEAD = """# The gate on four Docker engines

Written by `make engines`: on each engine, in a sandbox of its own made of Debian's packages alone, the gate
builds the release for linux/amd64 on the stand-in base, checks AC1 and AC6, pushes to the local target, and checks
Lambda's admission (AC2). Scenarios that only AWS can prove are left out of the counts.

"""
_SAME = """
## One image on all of them

The stand-in base, saved once and loaded into each engine. Image ID (the digest of the configuration), number of layers
and size are properties of the image, so they have to agree, although one engine reports the bytes of the files, another
the blocks on its disk, and the third the tar around them.

"""
_RELEASE = """
## The release that each of them built

Every build writes the times of its files, so these image IDs differ; what the engine holds and what the registry holds
must not. In containerd's store a step that leaves a file as it was (`chmod` to the mode that it has) adds no copy of it
to its layer: that release has fewer bytes.

"""


def page(seen: Sequence[Seen], expected: tuple[str, int, int]) -> str:
    """The page."""
    rows = [_verdict(each) for each in seen]
    same = [_same(each, expected) for each in seen if not each.cannot]
    built = [_built(each) for each in seen if each.release]
    parts = [
        _HEAD,
        _table(("engine", "version", "image store", "builder", "AC1", "AC6", "AC2", "seconds", "date", "result"), rows),
        *_failures(seen),
        _SAME,
        _table(("engine", "image ID", "layers", "bytes", "as in the archive"), same),
        _RELEASE,
        _table(("engine", "image ID", "digest pushed", "media type", "layers", "in the registry", "bytes"), built),
    ]
    return "".join(parts)


def good(each: Seen, expected: tuple[str, int, int]) -> bool:
    """Whether the gate did all that it has to on this engine."""
    held, stored = each.layers
    counted = [pair.split(" of ") for pair in each.criteria.values()]
    whole = bool(counted) and all(passed == total != "0" for passed, total in counted)
    return not each.cannot and whole and each.same == expected and held == stored > 0


def _verdict(each: Seen) -> tuple[str, ...]:
    if each.cannot:
        return (each.title, each.version, "", "", "", "", "", "", each.date, each.cannot)
    counts = [each.criteria.get(name, "") for name in ("AC1", "AC6", "AC2")]
    result = "not all hold, see below" if each.failed else "all hold"
    return (each.title, each.version, each.store, each.builder, *counts, f"{each.seconds:.0f}", each.date, result)


def _failures(seen: Sequence[Seen]) -> list[str]:
    return [f"\n- {each.title}: {line}" for each in seen for line in each.failed] + ["\n"]


def _same(each: Seen, expected: tuple[str, int, int]) -> tuple[str, ...]:
    image, layers, size = each.same
    return (each.title, _short(image), str(layers), f"{size:,}", "yes" if each.same == expected else "NO")


def _built(each: Seen) -> tuple[str, ...]:
    held, stored = each.layers
    about = each.release
    return (each.title, _short(about["image_id"]), _short(about["digest"]), about["media_type"], str(held), str(stored),
            f"{about['uncompressed_bytes'] or 0:,}")  # fmt: skip


def _short(digest: str | None) -> str:
    return f"`{digest[:19]}`" if digest else "none"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)

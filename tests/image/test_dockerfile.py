"""The FROM lines: arguments filled in as the builder does it, and every foreign base refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.errors import ImageUnavailable
from gate.image.dockerfile import From, all_arguments, bases_approved, from_lines

APPROVED = ("public.ecr.aws/lambda/python:3.11",)


def images(folder: Path, text: str, **arguments: str) -> list[str]:
    """The images that a Dockerfile of this text names."""
    path = folder / "Dockerfile"
    path.write_text(text)
    return [each.image for each in from_lines(path, arguments, "linux/arm64/v8")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM a:1", "a:1"),
        ("ARG BASE=a:1\nFROM ${BASE}", "a:1"),
        ("ARG BASE=a:1\nFROM $BASE AS build", "a:1"),
        ('ARG BASE="a:1"\nFROM "${BASE}"', "a:1"),
        ("ARG TAG=1\nARG BASE=a:${TAG}\nFROM ${BASE}", "a:1"),
        ("ARG NAME=a TAG=1\nFROM ${NAME}:${TAG}", "a:1"),
        ("ARG BASE\nFROM ${BASE:-a:1}", "a:1"),
        ("FROM --platform=linux/amd64 a:1 as build", "a:1"),
        ("# escape=`\nFROM `\n a:1", "a:1"),
        ("from a:1", "a:1"),
        ("FROM a:${TARGETARCH}", "a:arm64"),
        ("ARG TARGETARCH\nFROM a:${TARGETARCH}-${TARGETVARIANT}", "a:arm64-v8"),
        ("ARG TARGETARCH=amd64\nFROM a:${TARGETARCH}", "a:amd64"),
        ("FROM --platform=$TARGETPLATFORM a-${TARGETOS}", "a-linux"),
        ("ARG KIND=${TARGETARCH}-slim\nFROM a:${KIND}", "a:arm64-slim"),
        ("FROM a:1${BUILDARCH}", "a:1"),
    ],
)
def test_from_is_resolved_as_the_builder_resolves_it(tmp_path: Path, text: str, expected: str) -> None:
    """Defaults, quotes, nested arguments, stages, platforms and continued lines."""
    assert images(tmp_path, text) == [expected]


def test_build_argument_overrides_a_declared_default_only(tmp_path: Path) -> None:
    """A build argument that no ARG before FROM declares changes nothing, as in the builder."""
    text = "ARG BASE=a:1\nFROM ${BASE}\nFROM b:${OTHER:-2}"
    assert images(tmp_path, text, BASE="c:3", OTHER="4") == ["c:3", "b:2"]


def test_an_argument_of_a_stage_is_none_of_the_next_from(tmp_path: Path) -> None:
    """A FROM sees only arguments that are declared before the first FROM."""
    assert images(tmp_path, "ARG BASE=a:1\nFROM ${BASE}\nARG BASE=b:2\nFROM ${BASE}", BASE="c:3") == ["c:3", "c:3"]


@pytest.mark.parametrize("text", ["ARG A\n\nARG B='x\nFROM a:1\n", "ARG C\n\nFROM ${C}\n"])
def test_a_line_that_cannot_be_understood_is_named_by_its_number(tmp_path: Path, text: str) -> None:
    """Line 3 in both cases."""
    with pytest.raises(ImageUnavailable) as told:
        images(tmp_path, text)
    assert told.value.where == "Dockerfile:3"


def test_a_stage_is_known_by_its_name(tmp_path: Path) -> None:
    """A stage without AS has no name; the line is that of the FROM."""
    (tmp_path / "Dockerfile").write_text("FROM a:1 AS build\nFROM b:1\n")
    assert from_lines(tmp_path / "Dockerfile", {}) == (From(1, "a:1", "build"), From(2, "b:1", ""))


def test_copy_from_a_foreign_image_counts_as_a_base(tmp_path: Path) -> None:
    """COPY --from another image counts like a FROM; an earlier stage does not."""
    text = "FROM a:1 AS build\nFROM a:1\nCOPY --from=build /x /x\nCOPY --from=0 /x /y\nCOPY --from=nginx:1 /z /z"
    assert images(tmp_path, text) == ["a:1", "a:1", "build", "nginx:1"]
    result = bases_approved(from_lines(tmp_path / "Dockerfile", {}), ("a:1",))
    (rejection,) = result.rejections
    assert "nginx:1" in rejection.cause
    assert rejection.where == "Dockerfile:5"


def test_mount_from_a_foreign_image_counts_as_a_base(tmp_path: Path) -> None:
    """A RUN that mounts another image uses it as well."""
    text = "FROM a:1\nRUN --network=none --mount=type=bind,from=nginx:1,target=/x cp /x/y /y\nRUN echo --from=z\n"
    assert images(tmp_path, text) == ["a:1", "nginx:1"]


def test_every_mount_of_a_run_counts(tmp_path: Path) -> None:
    """A harmless first mount does not hide another one, and a quoted field is read too."""
    mounts = (
        "type=bind,from=build,target=/a",
        "type=bind,from=0,target=/b",
        "from=nginx:1,target=/c",
        '"From=redis:7",target=/d',
    )
    text = f"FROM a:1 AS build\nRUN {' '.join(f'--mount={each}' for each in mounts)} cp --from=x /c/y /y\n"
    assert images(tmp_path, text) == ["a:1", "build", "nginx:1", "redis:7"]
    refused = bases_approved(from_lines(tmp_path / "Dockerfile", {}), ("a:1",)).rejections
    assert [each.cause.partition(",")[0] for each in refused] == ["RUN takes nginx:1", "RUN takes redis:7"]


@pytest.mark.parametrize(
    "text",
    [
        "FROM a:1\nRUN python3 - <<'EOF'\nfrom selenium import webdriver\nFROM evil\nEOF\n",
        "FROM a:1\nCOPY <<EOF /etc/x.ini\nfrom = here\nCOPY --from=evil /a /b\nEOF\n",
        "FROM a:1\nCOPY <<-A <<B /x/\n\tfrom evil\n\tA\nfrom evil\nB\n",
        "FROM a:1\nRUN <<EOF bash -e\nfrom() { :; }\nfrom x y z\nEOF\nRUN echo done\n",
        "FROM a:1\nRUN echo \\\n# a comment\n  from evil \\\n\n && true\n",
        "FROM a:1\nRUN echo 'FROM evil' && cat <<< from\n",
        'FROM a:1\nLABEL x="\\\nfrom evil"\n',
        "# syntax=docker/dockerfile:1.7\nFROM a:1\n",
        "# syntax = docker.io/docker/dockerfile:1@sha256:" + "a" * 64 + "\nFROM a:1\n",
        "# a comment\n# syntax=evil/frontend\nFROM a:1\n",
        "\ufeffFROM a:1\n",
        "FROM a:1\r\nRUN true\r\n",
        "FROM --platform=$BUILDPLATFORM a:1\n",
        "FROM a:1\nONBUILD RUN <<EOF\nfrom x\nEOF\nONBUILD\n",
        'FROM a:1\nONBUILD RUN true\nHEALTHCHECK NONE\nSHELL ["/bin/sh"]\n',
    ],
)
def test_what_only_looks_like_an_instruction_is_none(tmp_path: Path, text: str) -> None:
    """Heredocs, continued lines, comments between them, labels and directives: BuildKit's grammar decides."""
    assert images(tmp_path, text) == ["a:1"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ARG A\nFROM ${A:-a:1}", "a:1"),
        ("ARG A=\nFROM ${A:-a:1}", "a:1"),
        ("ARG A=\nFROM a:1${A-x}", "a:1"),
        ("ARG A=3\nFROM a:1${A:+-slim}", "a:1-slim"),
        ("FROM a:1${A:+-slim}", "a:1"),
        ("ARG A\nARG B=a\nFROM ${A:-${B}:${C:-1}}", "a:1"),
        ("ARG A=a B=${A}:1\nFROM $B", "a:1"),
        ("ARG A='a:1'\nFROM $A", "a:1"),
        ("ARG A=\\$B\nFROM a:1$A", "a:1$B"),
        ("ARG A=1\nFROM 'a:$A'", "a:$A"),
        ("ARG A=1\nFrOm a:${A:?none} As B", "a:1"),
        ("# escape=`\nARG A=a`\n:1\nFROM $A", "a:1"),
        ("ARG V=3.11.2\nFROM a:${V%.*}", "a:3.11"),
        ("ARG V=3.11.2\nFROM a:${V%%.*}", "a:3"),
        ("ARG V=3.11.2\nFROM a:${V#*.}", "a:11.2"),
        ("ARG V=3.11.2\nFROM a:${V##*.}", "a:2"),
        ("ARG V=v1\nFROM a:${V#v}", "a:1"),
        ("ARG V=1\nFROM a:${V#v}", "a:1"),
        ("ARG V=1\nFROM a:${V%x}", "a:1"),
        ("ARG V=v1 P=v\nFROM a:${V#${P}}", "a:1"),
        ("FROM a:1${V%.*}", "a:1"),
        ("ARG V=1-2-3\nFROM a:${V/-/.}", "a:1.2-3"),
        ("ARG V=1-2-3\nFROM a:${V//-/.}", "a:1.2.3"),
        ("ARG V=1-2 S=.\nFROM a:${V/-/${S}}", "a:1.2"),
        ("ARG V=1.2-slim\nFROM a:${V/-*/}", "a:1.2"),
        ("ARG V=1x2\nFROM a:${V/1?/3}", "a:32"),
        ("ARG V=1x2\nFROM a:${V/./3}", "a:1x2"),
    ],
)
def test_variables_are_filled_in_as_the_builder_does_it(tmp_path: Path, text: str, expected: str) -> None:
    """Every form of the reference, defaults in defaults, both kinds of quotes, either escape."""
    assert images(tmp_path, text) == [expected]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("FROM ${A", "a brace is not closed"),
        ("FROM ${}", "a variable has no name"),
        ("FROM ${A:?}", "A has no value"),
        ("ARG A=a.1\nFROM ${A^}", "is not known here"),
        ("ARG A=a.1\nFROM ${A:#a}", "is not known here"),
        ("ARG A=a.1\nFROM ${A#\\a}", "is not known here"),
        ("ARG A=a.1\nFROM ${A/a}", "is not known here"),
        ("ARG A=a.1\nFROM ${A//b}", "is not known here"),
        ("ARG A=a.1\nFROM ${A//*/b}", "is not known here"),
        ("ARG A=a.1 B=a\nFROM ${A/${B}/b}", "is not known here"),
        ('FROM "a', "a quote is not closed"),
        ("FROM 'a", "a quote is not closed"),
        ("FROM a AS", "names no image"),
        ("FROM a b", "names no image"),
        ("FROM", "names no image"),
        ("FROM a\0b", "it holds a NUL character"),
        ("FROM a\nRUN <<EOF\nx", "unterminated heredoc"),
        (f"FROM {'${A:-' * 30}x{'}' * 30}", "nests more variables"),
    ],
)
def test_what_cannot_be_read_is_refused_and_never_passed_over(tmp_path: Path, text: str, words: str) -> None:
    """With a message."""
    with pytest.raises(ImageUnavailable, match=words):
        images(tmp_path, text)


def test_a_foreign_frontend_runs_the_build_and_counts_as_a_base(tmp_path: Path) -> None:
    """It parses and runs the whole file."""
    (tmp_path / "Dockerfile").write_text("# escape=`\n# Syntax=evil/frontend:1\nFROM a:1\n")
    (rejection,) = bases_approved(from_lines(tmp_path / "Dockerfile", {}), ("a:1",)).rejections
    assert rejection.cause.startswith("# syntax takes evil/frontend:1")
    assert rejection.where == "Dockerfile:2"


def test_what_a_stage_keeps_for_those_built_on_it_counts(tmp_path: Path) -> None:
    """ONBUILD runs in a later stage of the same file."""
    text = "FROM a:1 AS b\nONBUILD COPY --from=x:1 \\\n /a /b\nonbuild\trun --mount=from=y:2 true\nFROM b\n"
    assert images(tmp_path, text) == ["a:1", "x:1", "y:2", "b"]
    assert bases_approved(from_lines(tmp_path / "Dockerfile", {}), ("a:1",)).rejections[0].where == "Dockerfile:2"


def test_a_number_is_a_stage_only_where_there_is_one(tmp_path: Path) -> None:
    """Otherwise it is the name of an image; later stages do not count."""
    text = "FROM a:1\nCOPY --from=0 /x /x\nCOPY --from=1 /x /y\nRUN --mount=from=7 true\n"
    assert images(tmp_path, text) == ["a:1", "1", "7"]


def test_a_file_of_comments_has_no_from(tmp_path: Path) -> None:
    """The check rejects it."""
    assert images(tmp_path, "# nothing\n\n") == []


def test_from_without_an_image_is_an_error(tmp_path: Path) -> None:
    """An argument without a value leaves no image."""
    with pytest.raises(ImageUnavailable, match="names no image"):
        images(tmp_path, "ARG BASE\nFROM ${BASE}")


def test_unreadable_dockerfile_is_an_error(tmp_path: Path) -> None:
    """A missing or binary Dockerfile cannot be checked."""
    with pytest.raises(ImageUnavailable, match="cannot be read"):
        from_lines(tmp_path / "Dockerfile", {})
    (tmp_path / "Dockerfile").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ImageUnavailable, match="cannot be read"):
        from_lines(tmp_path / "Dockerfile", {})


def test_arguments_of_every_stage_are_found(tmp_path: Path) -> None:
    """A build can set the arguments of any stage."""
    (tmp_path / "Dockerfile").write_text("ARG A=1\nFROM x\nARG B\nARG C=2 D=3\n")
    assert all_arguments(tmp_path / "Dockerfile") == {"A", "B", "C", "D"}


@pytest.mark.parametrize(
    "image", ["ubuntu", "public.ecr.aws/lambda/python:3.12", "public.ecr.aws/lambda/python", "later"]
)
def test_foreign_base_is_refused_by_name_and_line(image: str) -> None:
    """Another image, another tag, no tag, and a stage that is named only later are refused."""
    result = bases_approved((From(4, image, ""), From(9, APPROVED[0], "later")), APPROVED)
    (rejection,) = result.rejections
    assert image in rejection.cause
    assert rejection.where == "Dockerfile:4"


def test_approved_bases_stages_and_scratch_are_accepted() -> None:
    """The approved base, an earlier stage in any case, and scratch."""
    froms = (From(1, APPROVED[0], "Build"), From(2, "build", ""), From(3, "scratch", ""))
    assert bases_approved(froms, APPROVED).accepted


def test_dockerfile_without_from_is_refused() -> None:
    """No FROM at all is not "every FROM is approved"."""
    assert not bases_approved((), APPROVED).accepted

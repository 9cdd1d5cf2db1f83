"""What the scanner sees of an image, held against the image's SBOM."""

import json
import os
import stat
import sys
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.errors import ScanUnavailable
from gate.judgement import ACCEPTED
from gate.scan import sbom
from gate.scan.coverage import Component, Watched, gaps_registered, sight, something_seen, watch
from gate.scan.register.entries import canonical
from gate.scan.register.judges import by_register, coverage_used, fixed_or_excepted
from gate.scan.register.reading import parse
from gate.scan.statuses import Mode

from .conftest import DIGEST, basic
from .test_judges import report_of

TODAY = date(2026, 11, 22)
WATCHED = watch("3.11", {"selenium": "4.51.0", "PySocks": "1.7.1"}, chrome="130.0.1")


def deb(name: str, version: str = "1") -> Component:
    """A Debian package."""
    return Component(name, version, f"pkg:deb/debian/{name}@{version}", "deb")


def pypi(name: str, version: str = "1") -> Component:
    """A Python package."""
    return Component(name, version, f"pkg:pypi/{name}@{version}", "pypi")


STAND_IN = (*map(deb, ("chromium", "chromium-driver", "python3.11", "zlib1g")), pypi("selenium"), pypi("PySocks"))
ON_AWS = (
    Component("glibc", "2.34", "pkg:rpm/amzn/glibc@2.34", "rpm"),
    Component("chrome", "130.0.1", "pkg:generic/chrome@130.0.1", "generic"),
    Component("python", "3.11.9", "pkg:generic/python@3.11.9", "generic"),
    pypi("selenium"),
    pypi("pysocks"),
)


def register(*entries: str):
    """A register with these coverage entries: purl, target, scanning, expires."""
    keys = ("purl", "target", "scanning", "expires")
    made = [dict(zip(keys, entry.split(), strict=True), reason="r", check="c") for entry in entries]
    policy = {"CRITICAL": "never", "HIGH": "fixed or excepted"}
    text = json.dumps({"version": "1", "policy": policy, "exceptions": [], "coverage": made})
    read = parse(text)
    assert read.faults == ()
    return read


def missed(components, mode) -> list[str]:
    """The watched components that are not covered."""
    return [gap.component.name for gap in sight(components, mode, WATCHED).gaps]


def test_basic_scanning_sees_packages_of_the_system_only() -> None:
    """On the stand-in: Chrome, its driver and Python, but no Python package."""
    assert missed(STAND_IN, Mode.BASIC) == ["pysocks", "selenium"]
    assert missed(STAND_IN, Mode.ENHANCED) == []


def test_neither_kind_of_scanning_sees_a_chrome_from_a_zip() -> None:
    """On AWS's base: Chrome, the driver and AWS's own Python are not seen."""
    assert missed(ON_AWS, Mode.ENHANCED) == ["chrome", "chromedriver", "python"]
    assert missed(ON_AWS, Mode.BASIC) == ["chrome", "chromedriver", "python", "pysocks", "selenium"]


def test_a_second_chrome_beside_the_packaged_one_is_a_gap() -> None:
    """The copy that nobody scans is the one that may run."""
    copied = (*STAND_IN, Component("chrome", "99", "pkg:generic/chrome@99", "generic"))
    assert "chrome" in missed(copied, Mode.BASIC)


def test_a_requirement_that_the_sbom_does_not_list_is_a_gap() -> None:
    """What the catalogue does not know, the scanner does not see either."""
    assert missed(STAND_IN[:-1], Mode.ENHANCED) == ["pysocks"]


def test_what_has_no_version_is_not_looked_at() -> None:
    """A scanner compares versions: without one a package is listed as not covered, and is no copy beside itself."""
    unversioned = (deb("chromium", ""), *STAND_IN[1:-1], pypi("PySocks", ""))
    seen = sight(unversioned, Mode.ENHANCED, WATCHED)
    assert [c.name for c in seen.uncovered] == ["chromium", "PySocks"]
    assert [(gap.component.name, gap.why) for gap in seen.gaps] == [
        ("chrome", "no package of the operating system is this component"),
        ("pysocks", "enhanced scanning does not look at this Python package"),
    ]


def test_a_package_of_another_kind_is_not_the_component() -> None:
    """A Debian package is no Python package of its name, and a Python package no Chrome."""
    assert missed((*STAND_IN[:-2], deb("selenium"), deb("pysocks")), Mode.ENHANCED) == ["pysocks", "selenium"]
    assert missed((*STAND_IN[1:], pypi("chromium")), Mode.ENHANCED) == ["chrome"]


@pytest.mark.parametrize("name", ["Chrome", "google-chrome", "chrome-for-testing"])
def test_a_copy_is_known_by_each_of_its_names(name) -> None:
    """In any case of letters; one that a package of the system holds is no copy."""
    copied = (*STAND_IN, Component(name, "99", "", ""))
    (gap,) = sight(copied, Mode.ENHANCED, WATCHED).gaps
    assert (gap.component.title, gap.why) == (
        "Chrome", "the image holds a copy that comes from no package of the operating system"
    )  # fmt: skip
    assert missed((*STAND_IN, deb(name.lower(), "")), Mode.ENHANCED) == []


def test_an_entry_ends_with_its_last_day_and_is_found_by_kind_and_name() -> None:
    """On its last day it is in force; an expired one is told with its line; a Debian entry is none for Python."""
    gaps = sight(STAND_IN[:-1], Mode.ENHANCED, WATCHED).gaps
    assert gaps_registered(
        gaps, register("pkg:pypi/pysocks both both 2026-11-22"), "aws", Mode.ENHANCED, TODAY
    ).accepted
    late = gaps_registered(gaps, register("pkg:pypi/pysocks both both 2026-11-21"), "aws", Mode.ENHANCED, TODAY)
    assert "PySocks (pkg:pypi/pysocks@1.7.1) expired on 2026-11-21" in late.rejections[0].cause
    other = gaps_registered(gaps, register("pkg:deb/debian/pysocks both both 2026-12-31"), "aws", Mode.ENHANCED, TODAY)
    assert "the register does not say what is done instead" in other.rejections[0].cause


def test_a_python_package_is_registered_in_any_spelling_and_nothing_else_is() -> None:
    """PEP 503 holds for Python's names only."""
    for purl, title, accepted in (
        ("pkg:pypi/Zope.Interface", "zope_interface", True),
        ("pkg:generic/chrome.driver", "chrome-driver", False),
    ):
        kind = purl.removeprefix("pkg:").partition("/")[0]
        watched = (Watched(title, kind, canonical(title), "1"),)
        gaps = sight((), Mode.BASIC, watched).gaps
        held = register(f"{purl} both both 2026-12-31")
        assert gaps_registered(gaps, held, "aws", Mode.BASIC, TODAY).accepted is accepted


def test_a_component_without_a_version_is_registered_without_one() -> None:
    """Its package URL ends with its name."""
    chrome, _, python = watch("3.11", {}, chrome="130.0.1")
    assert (chrome.purl, python.purl) == ("pkg:generic/chrome@130.0.1", "pkg:generic/python")


def test_what_is_not_covered_is_listed() -> None:
    """Every component is either covered or named as not covered."""
    seen = sight(ON_AWS, Mode.BASIC, WATCHED)
    assert [c.name for c in seen.covered] == ["glibc"]
    assert [c.name for c in seen.uncovered] == ["chrome", "python", "selenium", "pysocks"]


def test_each_gap_needs_an_entry_in_force() -> None:
    """Registered: yes. Missing, expired, for the other target, mode or version: no, by name."""
    gaps = sight(STAND_IN, Mode.BASIC, WATCHED).gaps
    both = ("pkg:pypi/selenium both basic 2026-12-31", "pkg:pypi/PySocks@1.7.1 local both 2026-12-31")
    assert gaps_registered(gaps, register(*both), "local", Mode.BASIC, TODAY).accepted
    for bad in ("selenium both basic 2026-11-21", "selenium aws basic 2026-12-31", "selenium both enhanced 2026-12-31",
                "selenium@4.50.0 both basic 2026-12-31", "urllib3 both basic 2026-12-31"):  # fmt: skip
        judged = gaps_registered(gaps, register(f"pkg:pypi/{bad}", both[1]), "local", Mode.BASIC, TODAY)
        assert [r for r in judged.rejections if "selenium" in r.cause]
        assert len(judged.rejections) == 1


def test_an_entry_for_what_is_covered_is_unused() -> None:
    """Under the kind of scanning and on the target it names; elsewhere it is not looked for."""
    held = register("pkg:generic/chrome aws both 2026-12-31", "pkg:pypi/selenium both basic 2026-12-31")
    seen = sight(STAND_IN, Mode.BASIC, WATCHED)
    assert coverage_used(held, seen, "local").accepted
    assert "pkg:generic/chrome" in coverage_used(held, seen, "aws").rejections[0].cause
    assert coverage_used(held, sight(STAND_IN, Mode.ENHANCED, WATCHED), "local").accepted


def test_zero_findings_about_nothing_prove_nothing() -> None:
    """No covered component and no finding is a NO-GO; either of them is not."""
    blind = sight((ON_AWS[1],), Mode.BASIC, WATCHED)
    assert not something_seen(report_of(), blind).accepted
    assert something_seen(report_of(basic()), blind).accepted
    assert something_seen(report_of(), sight(STAND_IN, Mode.BASIC, WATCHED)).accepted


def test_the_projects_register_fits_its_image_on_either_target(request) -> None:
    """Chrome from a zip on AWS, Debian's on the stand-in, its pinned requirements on both: registered, none idle."""
    image = request.config.rootpath.parent / "image"
    held = parse((image / "exceptions.yaml").read_text())
    names = [line.split("==")[0] for line in (image / "requirements.txt").read_text().splitlines() if "==" in line]
    watched = watch("3.11", dict.fromkeys(names, "1"))
    for target, system in (("local", STAND_IN[:4]), ("aws", ON_AWS[:3])):
        for mode in Mode:
            seen = sight((*system, *map(pypi, names)), mode, watched)
            assert coverage_used(held, seen, target).accepted
            covered = {gap.component.name for gap in seen.gaps}
            entries = {e.name for e in held.coverage if e.stands_for(target, mode)}
            assert covered == entries


def test_a_faulty_register_is_the_cause_and_not_what_it_fails_to_say() -> None:
    """One mark too many in it is one refusal, and not one for each finding that it then says nothing of."""
    faulty, findings = parse("exceptions: [["), tuple(report_of(basic(severity="HIGH")).open) * 3
    found = by_register(faulty, fixed_or_excepted(findings, faulty, "aws", TODAY, "HIGH"))
    assert [each.cause.partition(": ")[2].partition(":")[0] for each in found.rejections] == ["this is not YAML"]
    assert by_register(faulty, ACCEPTED).accepted
    sound = register()
    assert len(by_register(sound, fixed_or_excepted(findings, sound, "aws", TODAY, "HIGH")).rejections) == 3


def cyclonedx(*components: dict) -> dict:
    """A CycloneDX document."""
    tools = {"components": [{"name": "syft", "version": "1.18.1"}]}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "metadata": {"tools": tools},
        "components": list(components),
    }


LIBRARY = {
    "type": "library",
    "name": "zlib1g",
    "version": "0:1.2.13",
    "purl": "pkg:deb/debian/zlib1g@1.2.13?arch=amd64",
}


@pytest.fixture
def fake_syft(tmp_path, monkeypatch):
    """A syft beside the interpreter that does what a test says."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setattr(sys, "executable", str(folder / "python"))

    def does(script: str) -> None:
        program = folder / "syft"
        program.write_text(f'#!/bin/sh\nout="${{5#cyclonedx-json=}}"\necho x >> "{folder}/calls"\n{script}\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)

    does.calls = lambda: len((folder / "calls").read_text().split())
    return does


def test_an_sbom_is_made_once_for_a_digest(tmp_path, fake_syft) -> None:
    """The second time it is read from its folder; its components carry purls."""
    document = json.dumps(cyclonedx(LIBRARY, {"type": "file", "name": "/etc/x"}))
    fake_syft(f"cat > \"$out\" <<'END'\n{document}\nEND")
    for _ in range(2):
        made = sbom.make_sbom("docker:x", DIGEST, tmp_path / "kept")
        assert [(c.name, c.type) for c in made.components] == [("zlib1g", "deb")]
        assert made.purl_of("zlib1g", "1.2.13") == "pkg:deb/debian/zlib1g@1.2.13"
        assert made.tool == "syft 1.18.1"
    assert fake_syft.calls() == 1
    assert os.listdir(tmp_path / "kept") == [made.path.name]


def test_a_damaged_kept_sbom_is_made_again(tmp_path, fake_syft) -> None:
    """Half a file left by a crash is no SBOM."""
    fake_syft(f"cat > \"$out\" <<'END'\n{json.dumps(cyclonedx(LIBRARY))}\nEND")
    made = sbom.make_sbom("docker:x", DIGEST, tmp_path)
    made.path.write_text(made.path.read_text()[:50])
    assert sbom.make_sbom("docker:x", DIGEST, tmp_path).components
    assert fake_syft.calls() == 2


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo no such image >&2; exit 1", "no such image"),
        ("exec sleep 30", "did not end"),
        ("exit 0", "cannot be read"),
        ("echo '[]' > $out", "no CycloneDX"),
        ('echo \'{"bomFormat": "CycloneDX", "components": []}\' > $out', "lists no component"),
    ],
    ids=["fails", "hangs", "writes nothing", "writes something else", "finds nothing"],
)
def test_a_syft_that_does_not_serve_is_a_clear_no(tmp_path, fake_syft, script, words) -> None:
    """Failing, hanging or writing rubbish: one sentence, and nothing is left in the folder."""
    fake_syft(script)
    with pytest.raises(ScanUnavailable, match=words):
        sbom.make_sbom("docker:x", DIGEST, tmp_path / "kept", timeout=1)
    assert os.listdir(tmp_path / "kept") == []


def test_without_syft_the_way_out_is_told(tmp_path, monkeypatch) -> None:
    """No program beside the interpreter."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(ScanUnavailable, match="cannot be run"):
        sbom.make_sbom("docker:x", DIGEST, tmp_path / "kept")


def test_a_name_that_is_no_digest_makes_no_path(tmp_path) -> None:
    """A digest becomes a file name, so it must be one."""
    with pytest.raises(ScanUnavailable, match="by digest"):
        sbom.make_sbom("docker:x", "../../etc/passwd", tmp_path)


def test_a_giant_sbom_is_refused(tmp_path, monkeypatch) -> None:
    """Before it is read."""
    monkeypatch.setattr(sbom, "MAX_BYTES", 10)
    (tmp_path / "big.json").write_text(json.dumps(cyclonedx(LIBRARY)))
    with pytest.raises(ScanUnavailable, match="larger than 10 bytes"):
        sbom.read_sbom(tmp_path / "big.json", DIGEST)


@given(
    st.recursive(
        st.none() | st.text(max_size=9) | st.integers(),
        lambda x: st.lists(x, max_size=4) | st.dictionaries(st.text(max_size=9), x, max_size=4),
        max_leaves=8,
    )
)
def test_any_json_is_components_or_a_clear_no(document) -> None:
    """Whatever JSON an SBOM file holds, it is never an empty list of components."""
    for held in (document, {"bomFormat": "CycloneDX", "components": document}):
        with suppress(ScanUnavailable):
            assert sbom.components_of(held)


@pytest.mark.docker
def test_syft_catalogues_a_real_image(tmp_path) -> None:
    """Debian's own packages are found with versions and purls, and basic scanning sees them."""
    made = sbom.make_sbom("docker:debian:bookworm-slim", DIGEST, Path(tmp_path))
    assert {"libc6", "zlib1g"} <= {c.name for c in made.components}
    seen = sight(made.components, Mode.BASIC, WATCHED)
    assert len(seen.covered) > 50
    assert {gap.component.name for gap in seen.gaps} == {"chrome", "chromedriver", "python", "selenium", "pysocks"}

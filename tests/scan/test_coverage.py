"""What the scanner sees of an image, held against the image's SBOM."""

import json
import os
import stat
import sys
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from packageurl import PackageURL
from packaging.utils import canonicalize_name

from gate.check import ACCEPTED
from gate.errors import ScanUnavailable
from gate.scan import sbom
from gate.scan.coverage import (
    Component,
    RequiredComponent,
    image_coverage,
    required_components,
    something_covered,
    uncovered_registered,
)
from gate.scan.exceptions.exception_checks import by_register, coverage_used, fixed_or_excepted
from gate.scan.exceptions.reading import parse
from gate.scan.statuses import Mode

from .conftest import DIGEST, basic
from .test_result_checks import report_of

TODAY = date(2026, 11, 22)
POLICY = {"CRITICAL": "never", "HIGH": "fixed or excepted"}
REQUIRED = required_components("3.11", {"selenium": "4.51.0", "PySocks": "1.7.1"}, chrome="130.0.1")


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
    text = json.dumps({"version": "1", "policy": POLICY, "exceptions": [], "coverage": made})
    read = parse(text)
    assert read.faults == ()
    return read


def missed(components, mode) -> list[str]:
    """The required components that are not covered."""
    return [each.name for each in image_coverage(components, mode, REQUIRED).to_register]


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
    seen = image_coverage(unversioned, Mode.ENHANCED, REQUIRED)
    assert [c.name for c in seen.uncovered] == ["chromium", "PySocks"]
    assert [(each.name, each.why) for each in seen.to_register] == [
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
    (each,) = image_coverage(copied, Mode.ENHANCED, REQUIRED).to_register
    assert (each.title, each.why) == (
        "Chrome", "the image holds a copy that comes from no package of the operating system"
    )  # fmt: skip
    assert missed((*STAND_IN, deb(name.lower(), "")), Mode.ENHANCED) == []


def test_an_entry_ends_with_its_last_day_and_is_found_by_kind_and_name() -> None:
    """On its last day it is in force; an expired one is told with its line; a Debian entry is none for Python."""
    uncovered = image_coverage(STAND_IN[:-1], Mode.ENHANCED, REQUIRED).to_register
    assert uncovered_registered(
        uncovered, register("pkg:pypi/pysocks both both 2026-11-22").at("aws", TODAY), Mode.ENHANCED
    ).accepted
    late = uncovered_registered(
        uncovered, register("pkg:pypi/pysocks both both 2026-11-21").at("aws", TODAY), Mode.ENHANCED
    )
    assert "PySocks (pkg:pypi/pysocks@1.7.1) expired on 2026-11-21" in late.rejections[0].cause
    other = uncovered_registered(
        uncovered, register("pkg:deb/debian/pysocks both both 2026-12-31").at("aws", TODAY), Mode.ENHANCED
    )
    assert "the register does not say what is done instead" in other.rejections[0].cause


def test_a_python_package_is_registered_in_any_spelling_and_nothing_else_is() -> None:
    """PEP 503 holds for Python's names only."""
    for purl, title, accepted in (
        ("pkg:pypi/Zope.Interface", "zope_interface", True),
        ("pkg:generic/chrome.driver", "chrome-driver", False),
    ):
        kind = purl.removeprefix("pkg:").partition("/")[0]
        required = (RequiredComponent(title, kind, canonicalize_name(title), "1"),)
        uncovered = image_coverage((), Mode.BASIC, required).to_register
        held = register(f"{purl} both both 2026-12-31")
        assert uncovered_registered(uncovered, held.at("aws", TODAY), Mode.BASIC).accepted is accepted


def test_a_component_without_a_version_is_registered_without_one() -> None:
    """Its package URL ends with its name."""
    chrome, _, python = required_components("3.11", {}, chrome="130.0.1")
    assert (chrome.purl, python.purl) == ("pkg:generic/chrome@130.0.1", "pkg:generic/python")


def test_what_is_not_covered_is_listed() -> None:
    """Every component is either covered or named as not covered."""
    seen = image_coverage(ON_AWS, Mode.BASIC, REQUIRED)
    assert [c.name for c in seen.covered] == ["glibc"]
    assert [c.name for c in seen.uncovered] == ["chrome", "python", "selenium", "pysocks"]


def test_each_gap_needs_an_entry_in_force() -> None:
    """Registered: yes. Missing, expired, for the other target, mode or version: no, by name."""
    uncovered = image_coverage(STAND_IN, Mode.BASIC, REQUIRED).to_register
    both = ("pkg:pypi/selenium both basic 2026-12-31", "pkg:pypi/PySocks@1.7.1 local both 2026-12-31")
    assert uncovered_registered(uncovered, register(*both).at("local", TODAY), Mode.BASIC).accepted
    for bad in ("selenium both basic 2026-11-21", "selenium aws basic 2026-12-31", "selenium both enhanced 2026-12-31",
                "selenium@4.50.0 both basic 2026-12-31", "urllib3 both basic 2026-12-31"):  # fmt: skip
        checked = uncovered_registered(uncovered, register(f"pkg:pypi/{bad}", both[1]).at("local", TODAY), Mode.BASIC)
        assert [r for r in checked.rejections if "selenium" in r.cause]
        assert len(checked.rejections) == 1


def test_an_entry_for_what_is_covered_is_unused() -> None:
    """Under the kind of scanning and on the target it names; elsewhere it is not looked for."""
    held = register("pkg:generic/chrome aws both 2026-12-31", "pkg:pypi/selenium both basic 2026-12-31")
    seen = image_coverage(STAND_IN, Mode.BASIC, REQUIRED)
    assert coverage_used(held.at("local", TODAY), seen).accepted
    assert "pkg:generic/chrome" in coverage_used(held.at("aws", TODAY), seen).rejections[0].cause
    assert coverage_used(held.at("local", TODAY), image_coverage(STAND_IN, Mode.ENHANCED, REQUIRED)).accepted


def component(purl: str, *paths: str, name: str = "") -> Component:
    """A component that the SBOM lists with this package URL."""
    url = PackageURL.from_string(purl)
    return Component(name or url.name, url.version or "", purl, url.type, paths)


UNSEEN = (
    component("pkg:npm/left-pad@1.3.0", "/var/task/node_modules/left-pad/package.json"),
    component("pkg:npm/%40babel/core@7.1.0", "/var/task/node_modules/@babel/core/package.json"),
    component("pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1", "/opt/lib/log4j-core-2.14.1.jar"),
    component("pkg:golang/golang.org/x/net@v0.17.0", "/usr/local/bin/tool"),
    component("pkg:gem/rails@7.0.0", "/var/task/vendor/rails.gemspec"),
    component("pkg:cargo/serde@1.0.1", "/usr/local/bin/rusty"),
    component("pkg:composer/monolog/monolog@3.0.0"),
    component("pkg:nuget/Newtonsoft.Json@13.0.1"),
    pypi("h11", "0.16.0"),
)
PROGRAMS = (
    component("pkg:generic/openssl@3.0.1", "/opt/bin/openssl"),
    component("pkg:conda/numpy@1.26"),
    Component("busybox", "1.36.1", "", "", ("/bin/busybox",)),
    deb("odd", ""),
)


@pytest.mark.parametrize("unseen", [*UNSEEN, *PROGRAMS], ids=lambda c: f"{c.type} {c.name}")
def test_basic_scanning_sees_the_operating_system_alone(unseen) -> None:
    """Whatever nobody pinned and is installed all the same: named, with its place, and an entry that then holds."""
    seen = image_coverage((*STAND_IN[:4], unseen), Mode.BASIC, required_components("3.11", {}))
    (said,) = uncovered_registered(seen.to_register, register().at("local", TODAY), Mode.BASIC).rejections
    assert unseen.name in said.cause
    assert all(path in said.cause for path in unseen.paths[:1])
    held = pasted(said.paste)
    assert uncovered_registered(seen.to_register, held.at("local", TODAY), Mode.BASIC).accepted
    assert coverage_used(held.at("local", TODAY), seen).accepted


def pasted(text: str):
    """The register with a suggested coverage entry, completed."""
    done = text.replace("<a day within 90 days, as YYYY-MM-DD>", "2026-12-31").replace("<", "").replace(">", "")
    read = parse(yaml.safe_dump({"version": 1, "policy": POLICY, "exceptions": [], "coverage": yaml.safe_load(done)}))
    assert read.faults == ()
    return read


@pytest.mark.parametrize("seen", UNSEEN, ids=lambda c: c.type)
def test_enhanced_scanning_sees_the_packages_of_languages(seen) -> None:
    """They need no entry, and one is idle."""
    found = image_coverage((*STAND_IN, seen), Mode.ENHANCED, REQUIRED)
    assert found.to_register == ()
    held = register(f"{seen.purl.partition('@')[0] if '%40' not in seen.purl else seen.purl} both both 2026-12-31")
    assert not coverage_used(held.at("local", TODAY), found).accepted


@pytest.mark.parametrize("unseen", PROGRAMS, ids=lambda c: f"{c.type} {c.name}")
def test_enhanced_scanning_does_not_see_what_no_manager_knows(unseen) -> None:
    """Programs without a package, kinds of packages that Inspector does not list, packages without a version."""
    assert [each.title for each in image_coverage((*STAND_IN, unseen), Mode.ENHANCED, REQUIRED).to_register] == [
        unseen.name
    ]


def kind(ecosystem: str, path: str = "", target: str = "both", expires: str = "2026-12-31") -> dict:
    """A coverage entry for a kind of packages."""
    entry = {"ecosystem": ecosystem, "target": target, "scanning": "basic", "reason": "r", "check": "c"}
    return {**entry, "expires": expires, **({"path": path} if path else {})}


def kinds(*entries: dict):
    """A register with these coverage entries; its faults are the caller's matter."""
    return parse(json.dumps({"version": "1", "policy": POLICY, "exceptions": [], "coverage": list(entries)}))


def test_one_entry_stands_for_two_hundred_packages_of_a_kind() -> None:
    """Unpinned ones included; without it they are told in one message, with one entry to paste."""
    many = tuple(pypi(f"package-{n}") for n in range(200))
    seen = image_coverage((*STAND_IN[:4], *many), Mode.BASIC, required_components("3.11", {"package-0": "1"}))
    assert len(seen.to_register) == 200
    assert uncovered_registered(seen.to_register, kinds(kind("pypi")).at("local", TODAY), Mode.BASIC).accepted
    assert coverage_used(kinds(kind("pypi")).at("local", TODAY), seen).accepted
    pinned, others = uncovered_registered(seen.to_register, register().at("local", TODAY), Mode.BASIC).rejections
    assert "package-0 (pkg:pypi/package-0@1)" in pinned.cause
    assert "199 packages of the type pypi (package-1, " in others.cause
    assert "and 189 more" in others.cause
    held = pasted(others.paste)
    assert uncovered_registered(seen.to_register, held.at("local", TODAY), Mode.BASIC).accepted


def test_an_entry_for_a_kind_covers_that_kind_only() -> None:
    """On its target, until its last day, and in its folder."""
    (node,) = image_coverage((*STAND_IN[:4], UNSEEN[0]), Mode.BASIC, required_components("3.11", {})).to_register
    about = lambda entry, target="local": uncovered_registered((node,), kinds(entry).at(target, TODAY), Mode.BASIC)  # noqa: E731
    for good in (kind("npm"), kind("npm", "/var/task/node_modules"), kind("npm", "/var/task/node_modules/")):
        assert about(good).accepted
    for bad in (kind("pypi"), kind("npm", "/var/task/node"), kind("npm", "/opt"), kind("npm", target="aws")):
        assert not about(bad).accepted
    late = about(kind("npm", expires="2026-11-21"))
    assert "expired on 2026-11-21" in late.rejections[0].cause


def test_a_package_in_two_places_is_registered_by_a_folder_that_holds_both() -> None:
    """One copy outside of it is one that the entry does not speak of; a place that is not known is outside."""
    copies = (
        component("pkg:npm/ms@2.0.0", "/var/task/node_modules/ms/package.json"),
        component("pkg:npm/ms@2.0.0", "/opt/node_modules/ms/package.json"),
    )
    for found, accepted in ((copies[:1], True), (copies, False), ((component("pkg:npm/ms@2.0.0"),), False)):
        seen = image_coverage((*STAND_IN[:4], *found), Mode.BASIC, required_components("3.11", {}))
        assert len(seen.to_register) == 1
        held = kinds(kind("npm", "/var/task"))
        assert uncovered_registered(seen.to_register, held.at("local", TODAY), Mode.BASIC).accepted is accepted


def test_an_entry_by_name_that_has_expired_is_covered_by_one_for_its_kind() -> None:
    """And both are used; a kind that nothing needs any more is idle."""
    seen = image_coverage((*STAND_IN[:4], pypi("h11")), Mode.BASIC, required_components("3.11", {}))
    named = {**kind("pypi", expires="2026-11-21"), "purl": "pkg:pypi/h11"}
    del named["ecosystem"]
    held = kinds(named, kind("pypi"))
    assert uncovered_registered(seen.to_register, held.at("local", TODAY), Mode.BASIC).accepted
    assert coverage_used(held.at("local", TODAY), seen).accepted
    (idle,) = coverage_used(kinds(kind("npm", "/opt/x")).at("local", TODAY), seen).rejections
    assert "The entry for every npm package under /opt/x is not used" in idle.cause


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (kind("generic"), "name each such program by its purl"),
        ({**kind("npm"), "purl": "pkg:npm/ms"}, "either a purl, or an ecosystem"),
        ({key: value for key, value in kind("npm").items() if key != "ecosystem"}, "either a purl, or an ecosystem"),
        (kind("npm", "node_modules"), "a folder of the image"),
        (kind("npm", "/var/*"), "wildcard"),
        (kind("*"), "the type of a package URL"),
        (kind("NPM"), "the type of a package URL"),
    ],
)
def test_an_entry_for_a_kind_that_says_too_much_is_a_fault(entry, words) -> None:
    """Programs without a package have no kind, and a folder is one of the image's."""
    (fault,) = kinds(entry).faults
    assert words in fault.sentence


def test_an_entry_for_a_kind_given_twice_is_a_fault() -> None:
    """As for one component."""
    assert "repeats the entry" in kinds(kind("npm"), kind("npm", target="local")).faults[0].sentence
    assert kinds(kind("npm"), kind("npm", "/opt")).faults == ()


def test_an_installed_package_that_nobody_pinned_needs_its_entry() -> None:
    """What pip brought along with a pinned one: its entry is used, and missing it is a no."""
    seen = image_coverage(
        (*STAND_IN[:4], pypi("selenium"), pypi("Trio_WebSocket")),
        Mode.BASIC,
        required_components("3.11", {"selenium": "1"}),
    )
    held = register("pkg:pypi/selenium both basic 2026-12-31", "pkg:pypi/trio-websocket both basic 2026-12-31")
    assert coverage_used(held.at("local", TODAY), seen).accepted
    assert uncovered_registered(seen.to_register, held.at("local", TODAY), Mode.BASIC).accepted
    alone = register("pkg:pypi/selenium both basic 2026-12-31")
    assert "trio-websocket" in str(
        uncovered_registered(seen.to_register, alone.at("local", TODAY), Mode.BASIC).rejections
    )


def test_zero_findings_about_nothing_prove_nothing() -> None:
    """No covered component and no finding is a NO-GO; either of them is not."""
    blind = image_coverage((ON_AWS[1],), Mode.BASIC, REQUIRED)
    assert not something_covered(report_of(), blind).accepted
    assert something_covered(report_of(basic()), blind).accepted
    assert something_covered(report_of(), image_coverage(STAND_IN, Mode.BASIC, REQUIRED)).accepted


LAUNCHER = Component("Simple Launcher", "1.1", "pkg:nuget/Simple%20Launcher@1.1", "nuget", ("/pip/distlib/t32.exe",))
EMULATOR = Component("stdlib", "go1.22.1", "pkg:golang/stdlib@1.22.1", "golang", ("/usr/local/bin/aws-lambda-rie",))


def test_the_projects_register_fits_its_image_on_either_target(request) -> None:
    """Chrome from a zip on AWS, Debian's on the stand-in, all Python packages on both: registered, none idle."""
    image = request.config.rootpath.parent / "image"
    held = parse((image / "exceptions.yaml").read_text())
    names = [line.split("==")[0] for line in (image / "requirements.txt").read_text().splitlines() if "==" in line]
    required = required_components("3.11", dict.fromkeys(names, "1"))
    for target, system in (("local", STAND_IN[:4]), ("aws", (*ON_AWS[:3], EMULATOR))):
        for mode in Mode:
            seen = image_coverage((*system, LAUNCHER, *map(pypi, (*names, "pip"))), mode, required)
            assert coverage_used(held.at(target, TODAY), seen).accepted
            assert uncovered_registered(seen.to_register, held.at(target, TODAY), mode).accepted
            assert bool(seen.to_register) is (mode is Mode.BASIC or target == "aws")


def test_a_faulty_register_is_the_cause_and_not_what_it_fails_to_say() -> None:
    """One mark too many in it is one refusal, and not one for each finding that it then says nothing of."""
    faulty, findings = parse("exceptions: [["), tuple(report_of(basic(severity="HIGH")).open) * 3
    found = by_register(faulty, fixed_or_excepted(findings, faulty.at("aws", TODAY), "HIGH"))
    assert [each.cause.partition(": ")[2].partition(":")[0] for each in found.rejections] == ["this is not YAML"]
    assert by_register(faulty, ACCEPTED).accepted
    sound = register()
    assert len(by_register(sound, fixed_or_excepted(findings, sound.at("aws", TODAY), "HIGH")).rejections) == 3


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
        program.write_text(
            f'#!/bin/sh\nout="${{5#cyclonedx-json=}}"\necho x >> "{folder}/calls"\n'
            f'echo {{}} > "${{7#spdx-json=}}"\n{script}\n'
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)

    does.calls = lambda: len((folder / "calls").read_text().split())
    return does


def test_an_sbom_is_made_once_for_a_digest(tmp_path, fake_syft) -> None:
    """The second time it is read from its folder; its components carry purls."""
    document = json.dumps(cyclonedx(LIBRARY, {"type": "file", "name": "/etc/x"}))
    fake_syft(f"cat > \"$out\" <<'END'\n{document}\nEND")
    for _ in range(2):
        made = sbom.make_sbom("docker:x", DIGEST, tmp_path / "kept")
        assert [(c.name, c.type, c.purl) for c in made.components] == [("zlib1g", "deb", LIBRARY["purl"])]
        assert made.tool == "syft 1.18.1"
    assert fake_syft.calls() == 1
    assert set(os.listdir(tmp_path / "kept")) == {made.path.name, sbom.spdx_of(made.path).name}


def test_a_kept_sbom_without_its_spdx_form_is_made_again(tmp_path, fake_syft) -> None:
    """As an older gate left it: both are attached to the image. A syft that writes one form alone is no tool for it."""
    fake_syft(f"cat > \"$out\" <<'END'\n{json.dumps(cyclonedx(LIBRARY))}\nEND")
    made = sbom.make_sbom("docker:x", DIGEST, tmp_path)
    sbom.spdx_of(made.path).unlink()
    assert sbom.spdx_of(sbom.make_sbom("docker:x", DIGEST, tmp_path).path).exists()
    assert fake_syft.calls() == 2
    sbom.spdx_of(made.path).unlink()
    fake_syft(f'rm "${{7#spdx-json=}}"; cat > "$out" <<\'END\'\n{json.dumps(cyclonedx(LIBRARY))}\nEND')
    with pytest.raises(ScanUnavailable, match="no SPDX document"):
        sbom.make_sbom("docker:x", DIGEST, tmp_path)


def found_by(finder: str, **more: str) -> dict[str, object]:
    """A component as syft writes it: with what found it."""
    return {**LIBRARY, **more, "properties": [{"name": "syft:package:foundBy", "value": finder}]}


@pytest.mark.parametrize("purl", ["pkg:deb/debian/systemd@252", "pkg:rpm/fedora/systemd@252", "pkg:apk/alpine/musl@1"])
def test_a_note_in_a_program_is_no_package_that_a_scanner_sees(purl) -> None:
    """Without the package database a scanner sees none of it: a scan without findings proves nothing then."""
    noted = sbom.components_of(cyclonedx(found_by("elf-binary-package-cataloger", purl=purl)))
    assert not something_covered(report_of(), image_coverage(noted, Mode.BASIC, ())).accepted
    assert not something_covered(report_of(), image_coverage(noted, Mode.ENHANCED, ())).accepted


@pytest.mark.parametrize("finder", ["dpkg-db-cataloger", "rpm-db-cataloger", "apk-db-cataloger", ""])
def test_a_package_of_the_database_is_seen(finder) -> None:
    """As is one of an SBOM that does not say what found it."""
    listed = sbom.components_of(cyclonedx(found_by(finder)))
    assert something_covered(report_of(), image_coverage(listed, Mode.BASIC, ())).accepted


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
        ('echo \'{"bomFormat": "CycloneDX", "specVersion": "1.6"}\' > $out', "lists no component"),
    ],
    ids=["fails", "hangs", "writes nothing", "writes something else", "finds nothing", "leaves the list out"],
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
        sbom.read_sbom(tmp_path / "big.json")


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
    seen = image_coverage(made.components, Mode.BASIC, REQUIRED)
    assert len(seen.covered) > 50
    assert {each.name for each in seen.to_register} == {
        "chrome",
        "chromedriver",
        "python",
        "selenium",
        "pysocks",
    }

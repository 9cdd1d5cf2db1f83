"""A vendor's OpenVEX document clears a finding only as far as it was reviewed, and only in the very package."""

import hashlib
import json
import os
from datetime import UTC, date, datetime

import pytest
import yaml

from gate.report.findings import findings as listed
from gate.scan.exceptions.exception_checks import (
    dispositions,
    expiring,
    fixed_or_excepted,
    register_valid,
    unused_exceptions,
)
from gate.scan.exceptions.openvex import openvex
from gate.scan.exceptions.packages import InvalidEntry
from gate.scan.exceptions.reading import load, parse
from gate.scan.exceptions.vex import read_vex
from gate.scan.findings import ExploitData, Finding
from gate.scan.records import from_json, record_of, to_json
from gate.scan.remediation import remediations
from gate.scan.report import ScanReport
from gate.scan.statuses import Mode

TODAY = date(2026, 11, 22)
NAME = "vex/vendor.json"
PURL = "pkg:deb/debian/openssl@3.0.11-1~deb12u2?arch=amd64"
FINDING = Finding("CVE-1", "openssl", "3.0.11-1~deb12u2", "", "HIGH", 7.5, "t", "", Mode.BASIC)


def statement(status="not_affected", purl=PURL, **more):
    """One statement about a package."""
    why = {"justification": "vulnerable_code_not_present"} if status == "not_affected" else {}
    return {"vulnerability": {"name": "CVE-1"}, "products": [{"@id": purl}], "status": status, **why, **more}


def document(*statements, **more):
    """A document as vexctl writes one."""
    return {
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://openvex.dev/docs/example/vex-9fb3463de1b57",
        "author": "Debian Security Team", "timestamp": "2026-10-08T18:02:03.647787998-06:00", "version": 1,
        "statements": list(statements) or [statement()], **more,
    }  # fmt: skip


def register(vex=None, *, policy=(), **changes):
    """A register whose one entry names the document."""
    raw = json.dumps(vex or document()).encode()
    entry = {
        "file": NAME, "sha256": hashlib.sha256(raw).hexdigest(), "target": "both", "reason": "they make the package",
        "owner": "platform-engineering", "reviewer": "security", "decided": "2026-11-01", "expires": "2026-12-31",
        "reference": "https://security-tracker.debian.org/vex", **changes,
    }  # fmt: skip
    rows = {"CRITICAL": "never", "HIGH": "fixed or excepted", **dict(policy)}
    text = yaml.safe_dump({"version": "1", "policy": rows, "exceptions": [], "coverage": [], "vex": [entry]})
    return parse(text, file_beside={NAME: raw}.__getitem__)


def decision(held, finding=FINDING, today=TODAY, target="aws"):
    """What becomes of the finding."""
    assert held.faults == (), held.faults
    (given,) = dispositions((finding,), held.at(target, today))
    return given.decision


def test_a_statement_about_the_very_package_is_a_disposition_of_its_own() -> None:
    """Shown with author, date and end; recorded; and it makes no exception of ours in the OpenVEX document."""
    held, now = register(), datetime(2026, 11, 22, tzinfo=UTC)
    assert decision(held) == "vex: not_affected"
    assert fixed_or_excepted((FINDING,), held.at("aws", TODAY), "HIGH").accepted
    report = ScanReport(
        "sha256:a", "", Mode.BASIC, "COMPLETE", now, now, (FINDING,), (("HIGH", 1),), 1, now, "rescanned"
    )
    (row,) = listed(report, held.at("aws", TODAY)).rows
    assert row.fate == "not affected, says VEX of Debian Security Team of 2026-10-08, until 2026-12-31"
    assert not row.excepted
    record = from_json(to_json(record_of(report, held, event="released", tags=(), target="aws")))
    (history,) = remediations([record])
    assert history.closed
    assert history.mitigation == "not affected by a vendor's statement, until 2026-12-31"
    given = dispositions((FINDING,), held.at("aws", TODAY))
    assert openvex(given, repository="r/app", digest="sha256:a", now=now)["statements"] == []


SAME = {"@id": PURL}
IMAGE = "pkg:oci/python@sha256%3Aab?repository_url=public.ecr.aws/lambda"


@pytest.mark.parametrize(
    ("said", "changes", "cleared"),
    [
        (statement("fixed"), {}, True),
        (statement(vulnerability={"name": "DSA-1", "aliases": ["CVE-1"]}), {}, True),
        (statement(products=[{"@id": "urn:x", "identifiers": {"purl": PURL}}]), {}, True),
        (statement(products=[{"@id": IMAGE, "subcomponents": [SAME]}]), {"product": IMAGE}, True),
        (statement(products=[{"@id": IMAGE, "subcomponents": [SAME]}]), {}, False),
        (
            statement(products=[{"@id": IMAGE, "subcomponents": [SAME]}]),
            {"product": IMAGE.replace("Aab", "Aac")},
            False,
        ),
        (statement(products=[{**SAME, "identifiers": {"purl": "pkg:deb/debian/curl@1"}}]), {}, False),
        (statement(products=[{"@id": "pkg:deb/debian/curl@1", "identifiers": {"purl": PURL}}]), {}, False),
        (statement(products=[{**SAME, "identifiers": {"purl": PURL}}]), {}, True),
        (statement(products=[]), {}, False),
        (statement("affected", action_statement="upgrade"), {}, False),
        (statement("under_investigation"), {}, False),
        (statement(purl="pkg:deb/debian/openssl@3.0.11-1~deb12u1"), {}, False),
        (statement(purl="pkg:deb/debian/openssl"), {}, False),
        (statement(purl="pkg:deb/debian/libssl3@3.0.11-1~deb12u2"), {}, False),
        (statement(vulnerability={"name": "CVE-11"}), {}, False),
        (statement(timestamp="2026-11-23T00:00:00Z"), {}, False),
        (statement(timestamp="2026-11-22T00:00:00Z"), {}, True),
        (statement(), {"target": "local"}, False),
        (statement(), {"decided": "2026-11-23", "expires": "2026-12-31"}, False),
        (statement(), {"decided": "2026-10-01", "expires": "2026-11-21"}, False),
    ],
)
def test_only_what_is_said_of_this_very_version_clears(said, changes, cleared) -> None:
    """Of this vulnerability, by today, for this target, while the entry is in force."""
    assert decision(register(document(said), **changes)) == ("open" if not cleared else f"vex: {said['status']}")


@pytest.mark.parametrize(
    ("times", "cleared"),
    [
        (("2026-11-01", "2026-11-02"), False),
        (("2026-11-02", "2026-11-01"), True),
        (("2026-11-01", "2026-11-01"), False),
    ],
)
def test_the_newest_statement_counts(times, cleared) -> None:
    """Of two of one moment the one that clears nothing."""
    clears, other = (f"{each}T00:00:00Z" for each in times)
    said = document(statement(timestamp=clears), statement("affected", timestamp=other))
    assert (decision(register(said)) != "open") is cleared


@pytest.mark.parametrize(
    ("finding", "policy"),
    [
        (Finding("CVE-1", "openssl", FINDING.installed, "", "CRITICAL", 9.8, "t", "", Mode.BASIC), {}),
        (Finding("CVE-1", "openssl", FINDING.installed, "", "SEVERE", 9.8, "t", "", Mode.BASIC), {}),
        (FINDING, {"HIGH": "never"}),
        (Finding(*(vars(FINDING)[key] for key in ("id", "package", "installed", "fixed", "severity", "score", "title",
                                                  "uri", "source")), exploits=ExploitData("YES")),
         {"exploited": "never"}),
    ],
)  # fmt: skip
def test_no_statement_clears_what_the_policy_never_allows(finding, policy) -> None:
    """A CRITICAL, first of all."""
    assert decision(register(policy=policy), finding) == "open"


def test_a_version_that_the_scanner_does_not_tell_is_no_very_version() -> None:
    """Although an exception of ours may be about such a finding."""
    untold = Finding("CVE-1", "openssl", "", "", "HIGH", 7.5, "t", "", Mode.BASIC)
    assert decision(register(document(statement(purl="pkg:deb/debian/openssl@untold"))), untold) == "open"


def test_an_expired_entry_is_a_fault_and_the_finding_names_it() -> None:
    """And one that soon expires is a warning."""
    held = register(decided="2026-10-01", expires="2026-11-21")
    assert (
        "for the VEX document vex/vendor.json expired on 2026-11-21"
        in register_valid(held.at("aws", TODAY)).rejections[0].cause
    )
    (said,) = fixed_or_excepted((FINDING,), held.at("aws", TODAY), "HIGH").rejections
    assert "its entry runs from 2026-10-01 to 2026-11-21" in said.cause
    assert expiring(register(expires="2026-11-30").at("aws", TODAY)) != ()


def test_a_document_about_none_of_the_findings_is_unused() -> None:
    """One that is about a finding is used, whatever it says."""
    other = statement(purl="pkg:deb/debian/openssl@1")
    said = unused_exceptions(register(document(other)).at("aws", TODAY), (FINDING,))
    assert "is not used: none of its statements is about" in said[0].cause
    assert unused_exceptions(register(document(other, statement("affected"))).at("aws", TODAY), (FINDING,)) == ()


def test_statements_about_other_packages_decide_nothing() -> None:
    """A newer one about another version, among others."""
    newer = statement("affected", purl="pkg:deb/debian/openssl@1", timestamp="2026-11-20T00:00:00Z")
    held = register(document(newer, statement(), author="D"))
    assert decision(held) == "vex: not_affected"
    (entry,) = held.vex
    assert [each.why for each in entry.document.statements] == ["", "vulnerable_code_not_present"]
    impact = statement("not_affected", justification="component_not_present", impact_statement="never built in")
    del impact["justification"]
    assert register(document(impact)).vex[0].document.statements[0].why == "never built in"


@pytest.mark.parametrize("raw", [b"not JSON", b"\xff", b"[" * 100_000])
def test_a_file_that_is_not_json_is_a_fault(raw) -> None:
    """However deep it is."""
    with pytest.raises(InvalidEntry, match="is not JSON"):
        read_vex(raw, hashlib.sha256(raw).hexdigest())


@pytest.mark.parametrize(
    ("vex", "says"),
    [
        ({"@context": "https://openvex.dev/ns"}, "@context"),
        ({"statements": []}, "statements"),
        ({"version": "1"}, "version"),
        ({"version": 0}, "version"),
        ({"author": ""}, "author"),
        ({"timestamp": "yesterday"}, "is no moment"),
        ({"timestamp": "2026-10-08T18:02:03"}, "no time zone"),
        ({"statements": [statement(status="harmless")]}, "harmless"),
        ({"statements": [statement(justification="because")]}, "because"),
        ({"statements": [{**statement("fixed"), "status": "not_affected"}]}, "not valid under any"),
        ({"statements": [statement(purl="pkg:deb")]}, "is no package URL"),
        ({"statements": [statement(purl="pkg:deb/debian/openssl@vers%3Adeb%2F%3E%3D0")]}, "names a range"),
    ],
)
def test_a_file_that_is_no_openvex_document_is_a_fault_with_its_line(vex, says) -> None:
    """The entry is not among the entries then."""
    held = register(document(**vex))
    (fault,) = held.faults
    assert says in fault.sentence
    assert fault.line > 1
    assert held.vex == ()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"sha256": "0" * 64}, "the file is not what was reviewed: its sha256 is"),
        ({"sha256": "abc"}, "sha256"),
        ({"file": "../vendor.json"}, "file"),
        ({"file": "/etc/vendor.json"}, "file"),
        ({"reviewer": "platform-engineering"}, "another role has to agree"),
        ({"expires": "2027-12-31"}, "at most 90 are allowed"),
        ({"reason": "<why>"}, "placeholder"),
        ({"product": "pkg:oci/python"}, "has no version"),
        ({"signature": "x"}, "not known"),
    ],
)
def test_an_entry_in_another_form_is_a_fault(changes, says) -> None:
    """Each in one sentence."""
    assert says in register(**changes).faults[0].sentence


def test_the_document_is_read_from_beside_the_register(tmp_path) -> None:
    """A link out of the folder, a pipe, a folder, a file too large and a missing one are faults, and nothing hangs."""
    home = tmp_path / "image"
    (home / "vex").mkdir(parents=True)
    raw = json.dumps(document()).encode()
    entry = f"""  - {{file: %s, sha256: {hashlib.sha256(raw).hexdigest()}, target: both, reason: r, owner: platform,
       reviewer: security, decided: 2026-11-01, expires: 2026-12-31, reference: "https://example.org"}}\n"""
    head = "version: 1\npolicy: {CRITICAL: never, HIGH: fixed or excepted}\nexceptions: []\ncoverage: []\nvex:\n"
    (home / "vex" / "good.json").write_bytes(raw)
    (tmp_path / "outside.json").write_bytes(raw)
    (home / "vex" / "link.json").symlink_to(tmp_path / "outside.json")
    os.mkfifo(home / "vex" / "pipe.json")
    (home / "vex" / "folder.json").mkdir()
    padded = raw + b" " * (1_000_000 - len(raw))
    (home / "vex" / "most.json").write_bytes(padded)
    (home / "vex" / "large.json").write_bytes(padded + b" ")
    for name, says in {
        "good": "", "link": "no file beside", "pipe": "no file beside", "folder": "no file beside",
        "large": "larger than", "most": "not what was reviewed", "missing": "no file beside",
    }.items():  # fmt: skip
        (home / "exceptions.yaml").write_text(head + entry % f"vex/{name}.json", encoding="utf-8")
        faults = load(home / "exceptions.yaml").faults
        assert [says in fault.sentence for fault in faults] == [True] * bool(says), (name, faults)

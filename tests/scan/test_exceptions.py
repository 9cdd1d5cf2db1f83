"""The register: every kind of bad entry is found, with its line, and an entry covers only what it names."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from packageurl import PackageURL

from gate.errors import WrongUse
from gate.scan.coverage import ImageCoverage, RequiredComponent
from gate.scan.exceptions.entries import Register
from gate.scan.exceptions.exception_checks import (
    coverage_used,
    disposed_below,
    dispositions,
    exceptions_used,
    expiring,
    fixed_or_excepted,
    register_valid,
    unused_exceptions,
)
from gate.scan.exceptions.openvex import openvex
from gate.scan.exceptions.reading import load, parse
from gate.scan.exceptions.source import MAX_BYTES, RegisterFault
from gate.scan.exceptions.suggestion import ready_entry
from gate.scan.findings import Finding
from gate.scan.statuses import Mode

TODAY = date(2026, 11, 22)
GOOD = """\
version: 1
policy:
  CRITICAL: never
  HIGH: fixed or excepted
exceptions:
  - id: CVE-2024-0001
    package: pkg:deb/debian/openssl@3.0.1
    target: aws
    decision: accepted-risk
    rationale: the function parses no certificates
    owner: platform-engineering
    reviewer: security
    decided: 2026-11-01
    expires: 2026-12-31
    reference: https://example.org/1
coverage:
  - purl: pkg:generic/chrome
    target: aws
    scanning: both
    reason: unpacked from a zip
    check: version held against the vendor's releases
    expires: 2027-01-31
"""


def finding(
    severity="HIGH", *, id="CVE-2024-0001", package="openssl", installed="3.0.1", fixed="3.0.2", manager=""
) -> Finding:
    """A finding that the good register excepts."""
    return Finding(id, package, installed, fixed, severity, 7.5, "t", "https://e.org", Mode.BASIC, manager)


def changed(old: str, new: str) -> Register:
    """The good register with one thing changed."""
    assert old in GOOD
    return parse(GOOD.replace(old, new, 1))


def entry(text: str) -> Register:
    """The good register with its exception's package (and versions) replaced."""
    return changed("package: pkg:deb/debian/openssl@3.0.1", text)


def said(result) -> str:
    """The whole message of a judgement that must not be a yes."""
    assert not result.accepted
    return "\n".join(map(str, result.rejections))


def test_the_good_register_is_accepted() -> None:
    """It is valid, excepts its finding, and all of it is used."""
    register = parse(GOOD)
    assert register.faults == ()
    assert register_valid(register.at("aws", TODAY)).accepted
    assert fixed_or_excepted((finding(),), register.at("aws", TODAY), "HIGH").accepted
    assert exceptions_used(register.at("aws", TODAY), (finding(),), False).accepted


BAD = {
    "expired": ("expires: 2026-12-31", "expires: 2026-11-21", 6, "expired on 2026-11-21"),
    "too long": ("expires: 2026-12-31", "expires: 2027-01-31", 6, "91 days"),
    "ends before it begins": ("expires: 2026-12-31", "expires: 2026-10-31", 6, "not after it was decided"),
    "decided tomorrow": ("decided: 2026-11-01", "decided: 2026-11-23", 6, "still to come"),
    "no end": ("    expires: 2026-12-31\n", "", 6, "'expires' is a required property"),
    "no such day": ("expires: 2026-12-31", "expires: 2026-02-30", 6, "no day of the calendar"),
    "no date": ("expires: 2026-12-31", "expires: soon", 14, "YYYY-MM-DD"),
    "no owner": ("    owner: platform-engineering\n", "", 6, "'owner' is a required property"),
    "a person": ("owner: platform-engineering", "owner: Jane Doe", 11, "roles, not persons"),
    "an empty rationale": ("rationale: the function parses no certificates", 'rationale: " "', 10, "reason"),
    "a wildcard id": ("id: CVE-2024-0001", "id: CVE-2024-*", 6, "wildcard"),
    "a wildcard package": ("pkg:deb/debian/openssl@3.0.1", "pkg:deb/debian/open*@3.0.1", 6, "wildcard"),
    "only a star": ("pkg:deb/debian/openssl@3.0.1", '"*"', 7, "wildcard"),
    "a purl of every version": ("openssl@3.0.1", "openssl", 6, "every version"),
    "a name of every version": ("pkg:deb/debian/openssl@3.0.1", "openssl", 6, "every version"),
    "a range of everything": ("openssl@3.0.1", "openssl\n    versions: vers:deb/*", 6, "wildcard"),
    "a range as the version of a purl": ("openssl@3.0.1", "openssl@vers%3Adeb%2F%3E%3D0", 6, "names a range"),
    "a range without end": ("openssl@3.0.1", "openssl\n    versions: vers:deb/>=3.0.1", 6, "no upper end"),
    "a range that excludes": ("openssl@3.0.1", "openssl\n    versions: vers:deb/!=3.0.1", 6, "no upper end"),
    "an unreadable range": ("openssl@3.0.1", "openssl\n    versions: vers:tex/<3", 6, "cannot be read"),
    "two versions": ("openssl@3.0.1", "openssl@3.0.1\n    versions: 3.0.2", 6, "one of a version"),
    "no purl": ("pkg:deb/debian/openssl@3.0.1", "pkg:deb", 6, "no package URL"),
    "an unknown target": ("target: aws", "target: gcp", 8, "gcp"),
    "an unknown decision": ("decision: accepted-risk", "decision: ignore", 9, "ignore"),
    "no justification": ("decision: accepted-risk", "decision: not-affected", 6, "justification"),
    "a foreign justification": (
        "decision: accepted-risk", "decision: not-affected\n    justification: because", 10, "because"),
    "a needless justification": (
        "decision: accepted-risk", "decision: upgrade\n    justification: component_not_present", 10, "not-affected"),
    "an unknown key": ("target: aws", "target: aws\n    severity: LOW", 9, "severity"),
    "a script as reference": ("https://example.org/1", "javascript:alert(1)", 15, "web address"),
    "a placeholder": ("the function parses no certificates", '"<why>"', 6, "placeholder"),
    "a key twice": ("target: aws", "target: aws\n    target: local", 9, "twice"),
    "an alias": ("version: 1", "version: &a 1\nextra: *a", 2, "alias"),
    "a python object": ("version: 1", "version: !!python/object/apply:os.getcwd []", 1, "tag"),
    "no YAML": ("exceptions:", "exceptions: [", 6, "not YAML"),
    "two documents": ("coverage:", "---\ncoverage:", 16, "not YAML"),
    "an unknown version": ("version: 1", "version: 2", 1, "1"),
    "no policy": ("policy:\n  CRITICAL: never\n  HIGH: fixed or excepted\n", "policy: {}\n", 2, "required"),
    "critical allowed": ("CRITICAL: never", "CRITICAL: fixed or excepted", 3, "never"),
    "high only monitored": ("HIGH: fixed or excepted", "HIGH: monitor", 4, "monitor"),
    "an unknown severity": ("HIGH: fixed or excepted", "HIGH: never\n  SEVERE: monitor", 5, "SEVERE"),
    "coverage expired": ("expires: 2027-01-31", "expires: 2026-11-01", 17, "expired on 2026-11-01"),
    "coverage for years": ("expires: 2027-01-31", "expires: 2029-01-31", 17, "90 days"),
    "coverage wildcard": ("pkg:generic/chrome", "pkg:generic/*", 17, "wildcard"),
    "coverage without check": ("    check: version held against the vendor's releases\n", "", 17, "'check'"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD, ids=str)
def test_every_kind_of_bad_entry_is_a_no_with_its_line(case) -> None:
    """The check says no, names the line, says what is wrong, and the bad entry excepts nothing."""
    old, new, line, words = BAD[case]
    register = changed(old, new)
    message = said(register_valid(register.at("aws", TODAY)))
    assert f"image/exceptions.yaml:{line}" in message
    assert words in message
    if 6 <= line <= 15:
        assert not fixed_or_excepted((finding(),), register.at("aws", TODAY), "HIGH").accepted


@pytest.mark.parametrize("text", ["", "[]", "null", "- a", "\0", "{" * 5000, "x" * (MAX_BYTES + 1), "a: b: c"])
def test_what_is_no_register_is_a_no(text) -> None:
    """Empty, of another form, unreadable or giant: never a valid register, never a crash."""
    assert not register_valid(parse(text).at("aws", TODAY)).accepted


def test_a_duplicate_is_a_no_that_names_both_lines() -> None:
    """The same vulnerability in the same package on an overlapping target, whatever else differs."""
    body = GOOD[GOOD.index("  - id:") : GOOD.index("coverage:")]
    twice = GOOD.replace("coverage:", body.replace("target: aws", "target: both") + "coverage:", 1)
    message = said(register_valid(parse(twice).at("aws", TODAY)))
    assert "exceptions.yaml:16" in message
    assert "line 6" in message
    apart = GOOD.replace("coverage:", body.replace("target: aws", "target: local") + "coverage:", 1)
    assert register_valid(parse(apart).at("aws", TODAY)).accepted


SUPPORT = """\
support:
  - what: Amazon Linux 2
    reason: the story asks for this base
    check: scanned each night
    owner: platform-engineering
    reviewer: security
    decided: 2026-11-01
    expires: 2026-12-31
"""


def test_an_accepted_end_of_support_is_read_and_its_end_is_warned_of() -> None:
    """It stands beside the exceptions, and is no exception of a finding."""
    register = parse(GOOD + SUPPORT)
    assert register_valid(register.at("aws", TODAY)).accepted
    (entry,) = register.support
    assert (entry.what, entry.line, entry.expires) == ("Amazon Linux 2", 24, date(2026, 12, 31))
    assert [entry.is_in_force(date(2026, 12, day)) for day in (1, 31)] == [True, True]
    assert not entry.is_in_force(date(2027, 1, 1))
    assert not entry.is_in_force(date(2026, 10, 31))
    assert "the entry for the support of Amazon Linux 2 expires" in "".join(
        expiring(register.at("aws", date(2026, 12, 20)))
    )


@pytest.mark.parametrize(("old", "new", "words"), [
    ("expires: 2026-12-31", "expires: 2026-11-21", "for the support of Amazon Linux 2 expired on 2026-11-21"),
    ("expires: 2026-12-31", "expires: 2027-01-31", "91 days"),
    ("decided: 2026-11-01", "decided: 2026-11-23", "still to come"),
    ("    expires: 2026-12-31\n", "", "'expires' is a required property"),
    ("    check: scanned each night\n", "", "'check' is a required property"),
    ("    reason: the story asks for this base\n", "", "'reason' is a required property"),
    ("reviewer: security", "reviewer: platform-engineering", "another role has to agree"),
    ("reviewer: security", "reviewer: Jane Doe", "roles, not persons"),
    ("what: Amazon Linux 2", 'what: "*"', "wildcard"),
    ("reason: the story asks for this base", 'reason: "<why>"', "placeholder"),
    ("reviewer: security", "reviewer: security\n    target: aws", "the key 'target' is not known"),
])  # fmt: skip
def test_a_bad_acceptance_of_an_end_of_support_is_a_no(old, new, words) -> None:
    """With its line, whichever rule it breaks."""
    assert old in SUPPORT
    message = said(register_valid(parse(GOOD + SUPPORT.replace(old, new, 1)).at("aws", TODAY)))
    assert words in message
    assert "image/exceptions.yaml:" in message


def test_an_end_of_support_accepted_twice_is_a_no() -> None:
    """The second one names the line of the first."""
    body = SUPPORT.partition("\n")[2]
    assert "line 24: for the support of Amazon Linux 2" in said(
        register_valid(parse(GOOD + SUPPORT + body).at("aws", TODAY))
    )


def test_a_coverage_entry_given_twice_is_a_no() -> None:
    """The second one names the line of the first."""
    body = GOOD[GOOD.index("  - purl:") :]
    assert "entry of line 17" in said(register_valid(parse(GOOD + body).at("aws", TODAY)))


def test_an_entry_is_in_force_on_its_last_day() -> None:
    """It expires with the end of the day it names."""
    register = parse(GOOD)
    for day, ok in ((date(2026, 12, 31), True), (date(2027, 1, 1), False), (date(2026, 10, 31), False)):
        assert fixed_or_excepted((finding(),), register.at("aws", day), "HIGH").accepted is ok


@pytest.mark.parametrize(
    "other",
    [
        finding(id="CVE-2024-0002"),
        finding(package="openssl-libs"),
        finding(package="OpenSSL"),
        finding(installed="3.0.2"),
        finding(installed=""),
        finding(package=""),
        finding(manager="PYTHONPKG"),
        finding("CRITICAL"),
        finding("SEVERE"),
    ],
    ids=["id", "package", "case", "version", "no version", "no package", "ecosystem", "critical", "unknown severity"],
)
def test_an_entry_covers_only_what_it_names(other) -> None:
    """Another id, package, version or ecosystem is not excepted, and a CRITICAL never is."""
    assert not fixed_or_excepted((other,), parse(GOOD).at("aws", TODAY), "HIGH").accepted


def test_an_entry_covers_only_its_target() -> None:
    """What is excepted for AWS is not excepted in a rehearsal, unless it says both."""
    assert not fixed_or_excepted((finding(),), parse(GOOD).at("local", TODAY), "HIGH").accepted
    both = changed("target: aws", "target: both")
    assert fixed_or_excepted((finding(),), both.at("local", TODAY), "HIGH").accepted


@pytest.mark.parametrize(
    ("package", "installed", "manager", "ok"),
    [
        ("pkg:deb/debian/openssl@3.0.1", "0:3.0.1", "OS", True),
        ("openssl\n    versions: 3.0.1", "3.0.1", "", True),
        ("openssl\n    versions: vers:deb/>=3.0.0|<3.0.2", "3.0.1-1+deb12u1", "OS", True),
        ("openssl\n    versions: vers:deb/<3.0.1", "3.0.1~rc1", "OS", True),
        ("openssl\n    versions: vers:deb/<3.0.1", "3.0.1", "OS", False),
        ("openssl\n    versions: vers:deb/<3.0.9", "3.0.10", "OS", False),
        ("pkg:rpm/amzn/openssl\n    versions: vers:rpm/<1:3.0.8-2", "1:3.0.8-1.amzn2023", "OS", True),
        ("pkg:pypi/OpenSSL@3.0.1", "3.0.1", "PYTHONPKG", True),
        ("pkg:pypi/openssl\n    versions: vers:pypi/<3.0.10", "3.0.9", "PYTHONPKG", True),
        ("pkg:pypi/openssl\n    versions: vers:pypi/<3.0.10", "not a version", "PYTHONPKG", False),
    ],
)  # fmt: skip
def test_versions_are_compared_as_their_ecosystem_does(package, installed, manager, ok) -> None:
    """Exact versions, ranges of Debian, RPM and PyPI, and what no scheme can read."""
    register = entry(f"package: {package}")
    assert register.faults == ()
    checked = fixed_or_excepted((finding(installed=installed, manager=manager),), register.at("aws", TODAY), "HIGH")
    assert checked.accepted is ok


def test_python_names_are_compared_as_pep_503_says() -> None:
    """PySocks, pysocks and py_socks: the same project where the purl says pypi."""
    register = entry("package: pkg:pypi/typing_extensions@1.0")
    found = finding(package="Typing.Extensions", installed="1.0", manager="PYTHONPKG")
    assert fixed_or_excepted((found,), register.at("aws", TODAY), "HIGH").accepted


def test_lower_findings_follow_the_policy() -> None:
    """By default they are monitored; a policy may ask for more."""
    low = finding("LOW", id="CVE-2024-7777")
    assert disposed_below((low,), parse(GOOD).at("aws", TODAY), "HIGH").accepted
    strict = changed("HIGH: fixed or excepted", "HIGH: fixed or excepted\n  LOW: fixed or excepted")
    assert "CVE-2024-7777" in said(disposed_below((low,), strict.at("aws", TODAY), "HIGH"))
    never = changed("HIGH: fixed or excepted", "HIGH: never")
    assert "no entry helps" in said(fixed_or_excepted((finding(),), never.at("aws", TODAY), "HIGH"))


def test_without_a_policy_nothing_is_allowed() -> None:
    """An empty policy is not a permissive one, not even for an informational finding."""
    assert not disposed_below((finding("INFORMATIONAL"),), parse("").at("aws", TODAY), "HIGH").accepted


def test_excepted_findings_stay_visible() -> None:
    """The dispositions list every finding, the excepted one with its decision and entry."""
    given = dispositions((finding(), finding("LOW", id="CVE-2024-7777")), parse(GOOD).at("aws", TODAY))
    assert [(d.finding.id, d.decision) for d in given] == [
        ("CVE-2024-0001", "accepted-risk"),
        ("CVE-2024-7777", "monitor"),
    ]
    assert given[0].entry is not None


def test_an_unused_exception_is_a_no_by_day_and_a_warning_by_night() -> None:
    """It names the entry's line; on the other target it is not looked for."""
    register = parse(GOOD)
    assert "exceptions.yaml:6" in said(exceptions_used(register.at("aws", TODAY), (), False))
    assert exceptions_used(register.at("aws", TODAY), (), True).accepted
    assert len(unused_exceptions(register.at("aws", TODAY), ())) == 1
    assert exceptions_used(register.at("local", TODAY), (), False).accepted


def test_a_coverage_entry_is_used_by_the_gap_it_stands_for() -> None:
    """Without one it is refused by its line; on the other target it is not looked for."""
    chrome = RequiredComponent("Chrome", "generic", "chrome", why="from a zip")
    assert coverage_used(parse(GOOD).at("aws", TODAY), ImageCoverage(Mode.BASIC, (), (), (chrome,))).accepted
    (idle,) = coverage_used(parse(GOOD).at("aws", TODAY), ImageCoverage(Mode.BASIC, (), (), ())).rejections
    assert idle.where == "image/exceptions.yaml:17"
    assert coverage_used(parse(GOOD).at("local", TODAY), ImageCoverage(Mode.BASIC, (), (), ())).accepted


def test_entries_that_end_within_14_days_are_warned_of() -> None:
    """From 14 days before the end until the end; afterwards they are faults."""
    register = parse(GOOD)
    for left, warned in ((15, 0), (14, 1), (0, 1), (-1, 0)):
        assert len(expiring(register.at("aws", date(2026, 12, 31) - timedelta(days=left)))) == warned


def test_each_check_asks_for_its_own_severities_only() -> None:
    """One for the severity named and above, the other for what is below it; an open one is the other's matter."""
    strict = changed("HIGH: fixed or excepted", "HIGH: fixed or excepted\n  MEDIUM: fixed or excepted")
    medium, high, critical = (finding(word, id="CVE-2024-7777") for word in ("MEDIUM", "HIGH", "CRITICAL"))
    for found, above in ((medium, False), (high, True), (critical, True)):
        assert fixed_or_excepted((found,), strict.at("aws", TODAY), "HIGH").accepted is not above
        assert disposed_below((found,), strict.at("aws", TODAY), "HIGH").accepted is above


def test_twenty_findings_are_told_one_by_one_and_the_others_counted() -> None:
    """A flood stays readable, and none of it is accepted."""
    many = tuple(finding(id=f"CVE-2024-{n}") for n in range(1000, 1022))
    rejections = fixed_or_excepted(many, parse(GOOD).at("aws", TODAY), "HIGH").rejections
    assert len(rejections) == 21
    assert rejections[-1].cause == "… and 2 more findings over the policy"
    assert len(fixed_or_excepted(many[:20], parse(GOOD).at("aws", TODAY), "HIGH").rejections) == 20


def test_an_expired_exception_is_told_with_its_dates_and_its_line() -> None:
    """Beside what the policy says; where there never was one, the scanner's page is the place."""
    (late,) = fixed_or_excepted((finding(),), parse(GOOD).at("aws", date(2027, 1, 1)), "HIGH").rejections
    assert late.cause == (
        "CVE-2024-0001 in openssl 3.0.1 is HIGH (fixed in 3.0.2) and the policy says 'fixed or excepted' for HIGH"
        "; its entry runs from 2026-11-01 to 2026-12-31"
    )
    assert late.where == "image/exceptions.yaml:6"
    assert late.remedy == (
        "upgrade openssl from 3.0.1 to 3.0.2 or later, and rebuild; "
        "or paste, complete and have reviewed in image/exceptions.yaml:"
    )
    assert late.paste.startswith("- id: CVE-2024-0001\n")
    assert str(late).endswith(f"{late.remedy}\n{late.paste}")
    (never,) = fixed_or_excepted(
        (finding(id="CVE-2024-7777", fixed=""),), parse(GOOD).at("aws", TODAY), "HIGH"
    ).rejections
    assert never.cause.endswith("(no fixed version known) and the policy says 'fixed or excepted' for HIGH")
    assert never.where == "https://e.org"


@pytest.mark.parametrize(("expires", "accepted"), [("2027-02-20", True), ("2027-02-21", False), ("2026-11-22", True)])
def test_a_coverage_entry_runs_for_ninety_days_at_most(expires, accepted) -> None:
    """From today on, its last day included."""
    register = changed("expires: 2027-01-31", f"expires: {expires}")
    assert register_valid(register.at("aws", TODAY)).accepted is accepted


def test_an_exception_decided_today_and_ending_today_is_in_force() -> None:
    """Both days count."""
    register = changed("decided: 2026-11-01", "decided: 2026-11-22")
    assert register_valid(register.at("aws", TODAY)).accepted
    assert register_valid(parse(GOOD.replace("2027-01-31", "2026-12-31")).at("aws", date(2026, 12, 31))).accepted


def test_an_exception_that_is_yet_to_begin_is_no_coverage_entry_that_runs_for_too_long() -> None:
    """An exception's ninety days are counted from its own decision, so the one fault is all there is to say."""
    body = GOOD.replace("decided: 2026-11-01", "decided: 2026-11-23").replace("2026-12-31", "2027-02-21")
    (only,) = register_valid(parse(body).at("aws", TODAY)).rejections
    assert "is decided on 2026-11-23, which is still to come" in only.cause


def test_faults_are_told_in_the_order_of_their_lines() -> None:
    """Each with its own way out, or the plain one."""
    register = parse(GOOD.replace("2026-12-31", "2026-11-21").replace("2027-01-31", "2026-11-21"))
    rejections = register_valid(register.at("aws", TODAY)).rejections
    assert [each.where for each in rejections] == ["image/exceptions.yaml:6", "image/exceptions.yaml:17"]
    assert [each.cause.partition(" expired")[0] for each in rejections] == [
        "The entry CVE-2024-0001 for pkg:deb/debian/openssl@3.0.1",
        "The entry for pkg:generic/chrome",
    ]
    assert {each.remedy for each in rejections} == {
        "decide on it anew, with an end within 90 days; remove it if nothing needs it"
    }
    (plain,) = register_valid(replace(parse(GOOD), faults=(RegisterFault(3, "odd"),)).at("aws", TODAY)).rejections
    assert plain.remedy == "correct or remove the entry"
    (twice,) = register_valid(changed("target: aws", "target: aws\n    target: local").at("aws", TODAY)).rejections
    assert twice.remedy == "keep one of the two"


def test_a_finding_that_is_remediated_uses_no_exception() -> None:
    """An entry that is only about something closed can go; one for another target is not asked about."""
    closed = replace(finding(), closed=True)
    assert len(unused_exceptions(parse(GOOD).at("aws", TODAY), (closed,))) == 1
    assert unused_exceptions(parse(GOOD).at("aws", TODAY), (finding(),)) == ()
    assert len(unused_exceptions(changed("target: aws", "target: both").at("local", TODAY), ())) == 1


def test_what_may_go_live_is_what_is_not_open() -> None:
    """Excepted and monitored findings may, an open one may not."""
    given = dispositions((finding(), finding("LOW", id="CVE-1"), finding(id="CVE-2")), parse(GOOD).at("aws", TODAY))
    assert {d.finding.id: (d.decision, d.allowed) for d in given} == {
        "CVE-2024-0001": ("accepted-risk", True),
        "CVE-1": ("monitor", True),
        "CVE-2": ("open", False),
    }


def test_a_finding_over_the_policy_comes_with_an_entry_to_paste() -> None:
    """Package, installed and fixed version, a remedy, and an entry that holds once it is completed."""
    found = finding(id="CVE-2024-9999", package="libexpat1", installed="2.5.0-1+deb12u1", fixed="2.5.0-1+deb12u2")
    message = said(fixed_or_excepted((found,), parse(GOOD).at("aws", TODAY), "HIGH"))
    assert all(part in message for part in ("libexpat1", "2.5.0-1+deb12u1", "2.5.0-1+deb12u2", "upgrade"))
    pasted = ready_entry(found, "aws", TODAY)
    assert pasted in message
    unfinished = GOOD.replace("coverage:", _indented(pasted) + "coverage:", 1)
    assert not register_valid(parse(unfinished).at("aws", TODAY)).accepted
    done = unfinished.replace("<why the release may go live with it until then>", "not reachable")
    done = done.replace("<the role that answers for it>", "platform").replace("<the role that agreed>", "security")
    register = parse(done)
    assert register_valid(register.at("aws", TODAY)).accepted
    assert fixed_or_excepted((found,), register.at("aws", TODAY), "HIGH").accepted


def _indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.splitlines())


@example("\x85", "a", "1")  # a line break of YAML's, and of nobody else's
@given(st.text(min_size=1, max_size=60), st.text(min_size=1, max_size=60), st.text(min_size=1, max_size=60))
def test_no_finding_can_write_into_the_register(id, package, version) -> None:
    """A suggested entry is one YAML mapping with these keys, whatever the scanner's texts are."""
    text = ready_entry(finding(id=id, package=package, installed=version), "aws", TODAY)
    (made,) = yaml.safe_load(text)
    assert made["id"] == id
    assert set(made) <= set(yaml.safe_load(GOOD)["exceptions"][0]) | {"versions"}


def test_no_entry_is_suggested_for_a_critical() -> None:
    """None would help, and the message says so."""
    assert ready_entry(finding("CRITICAL"), "aws", TODAY) == ""
    assert "no entry helps" in said(fixed_or_excepted((finding("CRITICAL"),), parse(GOOD).at("aws", TODAY), "HIGH"))


@given(st.text(max_size=300) | st.text(alphabet="{}[]:-&*!|>'\"%@` \n\tabc1", max_size=120))
def test_any_text_is_read_without_a_crash(text) -> None:
    """Whatever stands in the file, reading it ends in a register or in faults with lines."""
    register = parse(text)
    assert all(fault.line >= 1 for fault in register.faults)
    assert register.faults or register.policy


@given(st.sampled_from(sorted(set(GOOD.splitlines()))), st.text(max_size=30))
def test_a_changed_line_never_excepts_more(line, junk) -> None:
    """Whatever one line is replaced by, no other vulnerability and no critical is excepted."""
    register = parse(GOOD.replace(line, junk, 1))
    for other in (finding("CRITICAL"), finding(id="CVE-1999-0001"), finding(package="bash")):
        assert register.at("aws", TODAY).exception(other) is None


VEX = {
    "type": "object",
    "required": ["@context", "@id", "author", "timestamp", "version", "statements"],
    "properties": {
        "@context": {"type": "string", "pattern": "^https://openvex.dev/ns/v0"},
        "@id": {"type": "string", "pattern": "^[a-z]+:"},
        "author": {"type": "string", "minLength": 1},
        "timestamp": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+]00:00$"},
        "version": {"type": "integer", "minimum": 1},
        "statements": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["vulnerability", "products", "status"],
                "properties": {
                    "vulnerability": {"type": "object", "required": ["name"]},
                    "status": {"enum": ["not_affected", "affected", "fixed", "under_investigation"]},
                    "products": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["@id"]}},
                },
                "allOf": [
                    {
                        "if": {"properties": {"status": {"const": "not_affected"}}},
                        "then": {"anyOf": [{"required": ["justification"]}, {"required": ["impact_statement"]}]},
                    },
                    {
                        "if": {"properties": {"status": {"const": "affected"}}},
                        "then": {"required": ["action_statement"]},
                    },
                ],
            },
        },
    },
}


@pytest.mark.parametrize("decision", ["upgrade", "base-image-patch", "accepted-risk", "not-affected"])
def test_exceptions_are_exported_as_openvex(decision) -> None:
    """Each decision becomes a statement with what OpenVEX 0.2.0 requires of its status."""
    more = "\n    justification: vulnerable_code_not_in_execute_path" if decision == "not-affected" else ""
    register = changed("decision: accepted-risk", f"decision: {decision}{more}")
    given = dispositions((finding(), finding("LOW", id="CVE-2024-7777")), register.at("aws", TODAY))
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    image = {"repository": "1.dkr.ecr.eu-west-1.amazonaws.com/naver-sms-automation", "digest": "sha256:ab"}
    document = openvex(given, **image, now=now)
    assert list(Draft202012Validator(VEX).iter_errors(document)) == []
    (statement,) = document["statements"]
    assert statement["vulnerability"] == {"name": "CVE-2024-0001"}
    assert statement["status"] == ("not_affected" if decision == "not-affected" else "affected")
    product = PackageURL.from_string(statement["products"][0]["@id"])
    assert (product.type, product.name, product.version) == ("oci", "naver-sms-automation", "sha256:ab")
    assert product.qualifiers == {"repository_url": image["repository"]}
    again = openvex(given, **image, now=now)
    assert again["@id"] == document["@id"]


def test_a_missing_register_is_wrong_use(tmp_path) -> None:
    """No file, a folder, or bytes that are no text: one clear error."""
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "none.yaml", tmp_path, tmp_path / "bytes.yaml"):
        with pytest.raises(WrongUse, match="cannot be read"):
            load(path)


def test_the_projects_own_register_is_valid(request) -> None:
    """image/exceptions.yaml holds by its own rules, and its policy is the story's."""
    register = load(request.config.rootpath.parent / "image" / "exceptions.yaml")
    assert register.faults == ()
    required = {word: register.required(finding(word)).requires for word in ("CRITICAL", "HIGH", "LOW")}
    assert required == {"CRITICAL": "never", "HIGH": "fixed or excepted", "LOW": "monitor"}

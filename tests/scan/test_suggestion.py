"""The gate's own entry covers the finding that it was made for, whatever manager, name and version Inspector tells."""

from dataclasses import replace
from datetime import date

import botocore.session
import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from gate.report.findings import findings as listed
from gate.scan.exceptions.entries import Register
from gate.scan.exceptions.exception_checks import (
    disposed_below,
    dispositions,
    exceptions_used,
    fixed_or_excepted,
    register_valid,
)
from gate.scan.exceptions.openvex import openvex
from gate.scan.exceptions.packages import package_selector
from gate.scan.exceptions.reading import parse
from gate.scan.exceptions.suggestion import ready_entry
from gate.scan.findings import Finding, Severity
from gate.scan.pages import findings_of
from gate.scan.statuses import Mode

from .conftest import NOON, basic, enhanced, page
from .test_result_checks import report_of

TODAY = date(2026, 11, 22)
POLICY = {"CRITICAL": "never", "HIGH": "fixed or excepted"}
MODEL = botocore.session.get_session().get_service_model("inspector2").shape_for("PackageManager").enum
# As each manager's findings name a package: name, version, and the package URL that an SBOM has for it.
FIELD = [
    ("OS", "zlib1g", "1:1.2.13.dfsg-1", "pkg:deb/debian/zlib1g@1%3A1.2.13.dfsg-1"),
    ("OS", "openssl-libs", "1:3.0.8-1.amzn2023.0.10", "pkg:rpm/amzn/openssl-libs@3.0.8-1.amzn2023.0.10"),
    ("OS", "libstdc++6", "12.2.0-14+deb12u1~bpo1", "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1~bpo1"),
    ("PYTHONPKG", "typing_extensions", "4.9.0", "pkg:pypi/typing-extensions@4.9.0"),
    ("PIP", "torch", "2.1.0+cpu", "pkg:pypi/torch@2.1.0%2Bcpu"),
    ("POETRY", "Jinja2", "3.1.2", "pkg:pypi/jinja2@3.1.2"),
    ("PIPENV", "zope.interface", "6.0", "pkg:pypi/zope-interface@6.0"),
    ("NODEPKG", "@babel/traverse", "7.22.5", "pkg:npm/%40babel/traverse@7.22.5"),
    ("NPM", "ms", "2.0.0", "pkg:npm/ms@2.0.0"),
    ("YARN", "@types/node", "20.1.0-beta.1", "pkg:npm/%40types/node@20.1.0-beta.1"),
    ("JAR", "org.apache.logging.log4j:log4j-core", "2.14.1", "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1"),
    ("JAR", "log4j-core", "2.14.1", "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1"),
    ("POM", "com.google.guava:guava", "31.1-jre", "pkg:maven/com.google.guava/guava@31.1-jre"),
    ("GOBINARY", "golang.org/x/net", "v0.17.0", "pkg:golang/golang.org/x/net@v0.17.0"),
    ("GOMOD", "github.com/gin-gonic/gin", "1.9.0", "pkg:golang/github.com/gin-gonic/gin@v1.9.0"),
    ("GENERIC", "go/stdlib", "1.22.1", "pkg:golang/stdlib@1.22.1"),
    ("GENERIC", "Google Chrome", "130.0.6723.58", "pkg:generic/chrome@130.0.6723.58"),
    ("GENERIC", "openssl/openssl", "3.0.1", "pkg:generic/openssl@3.0.1"),
    ("BUNDLER", "rails", "7.0.4.2", "pkg:gem/rails@7.0.4.2"),
    ("GEMSPEC", "nokogiri", "1.13.9-x86_64-linux", "pkg:gem/nokogiri@1.13.9"),
    ("CARGO", "serde_json", "1.0.107", "pkg:cargo/serde_json@1.0.107"),
    ("COMPOSER", "monolog/monolog", "2.9.1", "pkg:composer/monolog/monolog@2.9.1"),
    ("NUGET", "Newtonsoft.Json", "12.0.3", "pkg:nuget/newtonsoft.json@12.0.3"),
    ("DOTNET_CORE", "System.Text.Json", "6.0.0", "pkg:nuget/System.Text.Json@6.0.0"),
    ("HEX", "phoenix", "1.7.0", "pkg:hex/phoenix@1.7.0"),
    ("", "zlib1g", "", ""),
    ("JAR", "", "2.14.1", ""),
    ("", "", "", ""),
]
# Packages that an SBOM names or versions in another way than the finding: no entry by its package URL covers them.
OTHERWISE = {"openssl-libs", "log4j-core", "Google Chrome", "nokogiri", "phoenix"}


def found(manager: str, package: str, installed: str, **changes) -> Finding:
    """A HIGH finding of Inspector's."""
    one = Finding("CVE-2026-0001", package, installed, "", "HIGH", 7.5, "t", "https://e.org/1", Mode.ENHANCED, manager)
    return replace(one, **changes)


def completed(text: str) -> Register:
    """The register with suggested entries, read once they are completed."""
    entries = yaml.safe_load(text)
    for entry in entries:
        entry.update({key: "why-not" for key, value in entry.items() if str(value).startswith("<")})
        if not entry["reference"].startswith("http"):
            entry["reference"] = "https://example.org/1"
    document = {"version": "1", "policy": POLICY, "exceptions": entries, "coverage": []}
    return parse(yaml.safe_dump(document, allow_unicode=True))


def holds(finding: Finding) -> Register:
    """See that the suggested entry excepts its finding, is valid, used, and can be exported."""
    register = completed(ready_entry(finding, "aws", TODAY))
    assert register.faults == ()
    assert register_valid(register.at("aws", TODAY)).accepted
    assert fixed_or_excepted((finding,), register.at("aws", TODAY), "HIGH").accepted
    assert disposed_below((finding,), register.at("aws", TODAY), "HIGH").accepted
    assert exceptions_used(register.at("aws", TODAY), (finding,), False).accepted
    given = dispositions((finding,), register.at("aws", TODAY))
    assert len(openvex(given, repository="r/n", digest="sha256:a", now=NOON)["statements"]) == 1
    return register


@pytest.mark.parametrize(("manager", "package", "installed", "purl"), FIELD)
def test_the_suggested_entry_covers_its_finding(manager, package, installed, purl) -> None:
    """By name and version; and nothing beside it. So does an entry by the SBOM's package URL, if they agree."""
    finding = found(manager, package, installed)
    if purl:
        assert package_selector({"package": purl}).covers(finding) is (package not in OTHERWISE)
    register = holds(finding)
    for other in (replace(finding, id="CVE-2026-0002"), replace(finding, package=f"{package}x"),
                  replace(finding, installed=f"{installed}1"), replace(finding, severity="CRITICAL")):  # fmt: skip
        assert not fixed_or_excepted((other,), register.at("aws", TODAY), "HIGH").accepted


@pytest.mark.parametrize("manager", [*MODEL, "GENERIC", "A_NEW_ONE", ""])
def test_it_does_so_for_every_manager_of_the_model(manager) -> None:
    """With and without a namespace, a path, an epoch."""
    names = ("plain", "@scope/name", "group:artifact", "maker/program", "a.b/c/d", "with space", "libstdc++", "~odd")
    versions = ("1:1.2+dfsg~rc1-3", "v1.2.3", "1.0 (build 3)", "1.22.1", "null", "1e3", "0:1.0", "")
    for name, version in zip(names, versions, strict=True):
        holds(found(manager, name, version, path="/usr/local/bin/program"))


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="*?", exclude_categories=["C", "Z"]), max_size=30)
WORDS = NAMES.filter(lambda text: not text.startswith("<") and not text.startswith(("pkg:", "vers:")))


@example("GENERIC", "go/stdlib", "1.22.1")
@example("OS", "untold", "untold")
@given(st.sampled_from([*MODEL, "GENERIC", ""]), WORDS, WORDS)
def test_any_name_and_version_that_a_scanner_tells_is_covered(manager, package, installed) -> None:
    """Whatever is printed for a finding can be pasted for it."""
    holds(found(manager, package, installed))


IDS = "CVE-2026-0001 GHSA-c2qf-rxjj-qqgw ALAS2-2023-2039 RHSA-2023:1234 GO-2024-2687 TEMP-0841856-B18BAF IN1-JAVA-X.Y-1"


@pytest.mark.parametrize("id", [*IDS.split(), "SNYK-PYTHON-FOO_BAR-12", "PYSEC-2023-62"])
@pytest.mark.parametrize("uri", ["https://e.org/a", "", "https://e.org/a b"])
def test_any_id_and_link_that_a_scanner_tells_can_be_entered(id, uri) -> None:
    """A link that is none is left to be filled in."""
    holds(found("OS", "zlib1g", "1.2", id=id, uri=uri))


@pytest.mark.parametrize(
    ("package", "finding"),
    [
        ("pkg:golang/stdlib@1.22.1", found("GENERIC", "go/stdlib", "1.22.1")),
        ("pkg:generic/go/stdlib@1.22.1", found("GENERIC", "go/stdlib", "1.22.1")),
        ("pkg:generic/stdlib@1.22.1", found("GENERIC", "go/stdlib", "1.22.1")),
        ("pkg:maven/org.x/y@1", found("JAR", "org.x:y", "1")),
        ("pkg:maven/org.x/y@1", found("POM", "org.x/y", "1")),
        ("pkg:npm/%40a/b@1", found("YARN", "@a/b", "1")),
        ("pkg:golang/golang.org/x/net@v0.17.0", found("GOMOD", "golang.org/x/net", "0.17.0")),
        ("pkg:nuget/newtonsoft.json@12.0.3", found("DOTNET_CORE", "Newtonsoft.Json", "12.0.3")),
        ("pkg:cargo/serde@1.0.0", found("CARGO", "serde", "1.0.0")),
        ("pkg:gem/rails@7.0.0", found("GEMSPEC", "rails", "7.0.0")),
        ("pkg:rpm/amzn/openssl@3.0.8-1?epoch=1&arch=x86_64", found("OS", "openssl", "1:3.0.8-1")),
        ("pkg:rpm/amzn/zlib@1.2.11?epoch=0", found("OS", "zlib", "1.2.11")),
    ],
)
def test_an_entry_that_a_person_writes_by_purl_covers_what_it_names(package, finding) -> None:
    """And no package of another name, version or kind."""
    entry = yaml.safe_load(ready_entry(finding, "aws", TODAY))[0]
    entry.pop("versions")
    register = completed(yaml.safe_dump([{**entry, "package": package}]))
    assert register.faults == ()
    assert fixed_or_excepted((finding,), register.at("aws", TODAY), "HIGH").accepted
    wrong = ("POETRY", "A_NEW_ONE", "NPM" if finding.manager == "OS" else "OS")
    others = [replace(finding, manager=manager) for manager in wrong]
    others += [replace(finding, package="other"), replace(finding, installed="9")]
    for other in others:
        assert not fixed_or_excepted((other,), register.at("aws", TODAY), "HIGH").accepted


def test_a_package_in_two_places_is_one_entry_to_paste() -> None:
    """Pasting what the gate prints never makes an entry twice."""
    one, other = (found("JAR", "org.x:y", "1", path=path) for path in ("/a.jar", "/b.jar"))
    first, second = fixed_or_excepted((one, other), parse("").at("aws", TODAY), "HIGH").rejections
    assert not first.paste  # without a policy no entry helps
    register = parse(yaml.safe_dump({"version": "1", "policy": POLICY, "exceptions": [], "coverage": []}))
    first, second = fixed_or_excepted((one, other), register.at("aws", TODAY), "HIGH").rejections
    assert first.paste
    assert (second.paste, "given above" in second.remedy) == ("", True)
    assert "/a.jar" in first.cause
    assert "/b.jar" in second.cause
    assert fixed_or_excepted((one, other), completed(first.paste).at("aws", TODAY), "HIGH").accepted


@pytest.mark.parametrize("word", ["UNDEFINED", "untriaged", "Undefined"])
def test_what_is_not_yet_rated_has_a_row_of_its_own(word) -> None:
    """By default fixed or excepted, told as what it is; never monitored, and forbidden where the policy says so."""
    (finding,) = findings_of(page(basic(severity=word)))
    assert finding.rank is Severity.UNRATED
    register = parse(yaml.safe_dump({"version": "1", "policy": POLICY, "exceptions": [], "coverage": []}))
    (said,) = fixed_or_excepted((finding,), register.at("aws", TODAY), "HIGH").rejections
    assert f"is {word.upper()}, which means not yet rated" in said.cause
    assert "'fixed or excepted' for UNRATED" in said.cause
    assert disposed_below((finding,), register.at("aws", TODAY), "HIGH").accepted
    holds(finding)
    strict = completed(said.paste)
    never = replace(strict, policy=(*strict.policy, ("UNRATED", "never")))
    assert "no entry helps" in str(fixed_or_excepted((finding,), never.at("aws", TODAY), "HIGH").rejections[0])


def test_the_page_shows_what_is_not_yet_rated_as_what_it_is() -> None:
    """Among the findings, beside the scanner's word; and in the bars, under the gate's."""
    register = parse(yaml.safe_dump({"version": "1", "policy": POLICY, "exceptions": [], "coverage": []}))
    report = report_of(basic(severity="UNDEFINED"), basic("CVE-2", "HIGH"), basic("CVE-3", "CRITICAL"))
    rows = listed(report, register.at("aws", TODAY)).rows
    assert [(row.severity, row.tone) for row in rows] == [
        ("CRITICAL", "failed"),
        ("UNDEFINED (not yet rated)", "incomplete"),
        ("HIGH", "incomplete"),
    ]
    assert Severity.UNRATED.title == "NOT YET RATED"


@pytest.mark.parametrize(("required", "ok"), [("never", True), ("fixed or excepted", True), ("monitor", False)])
def test_what_is_not_yet_rated_is_never_only_monitored(required, ok) -> None:
    """The policy's row takes what the row of HIGH takes."""
    document = {"version": "1", "policy": {**POLICY, "UNRATED": required}, "exceptions": [], "coverage": []}
    assert (parse(yaml.safe_dump(document)).faults == ()) is ok


@pytest.mark.parametrize("word", ["SEVERE", "UNRATED", "NEGLIGIBLE", "", "10"])
def test_a_word_that_no_model_lists_stays_critical(word) -> None:
    """The gate's own word is no scanner's."""
    (finding,) = findings_of(page(enhanced(severity=word)))
    assert finding.rank is Severity.CRITICAL
    assert ready_entry(finding, "aws", TODAY) == ""

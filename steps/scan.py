"""The wording of the claims about vulnerability scans, the register of exceptions, and what changed overnight."""

import json

from pytest_bdd import given, parsers, then, when

from gate.check import require
from gate.scan import chain as chains
from gate.scan import nights, result_checks
from gate.scan.coverage import gaps_registered, sight, something_seen
from gate.scan.records import record_of
from gate.scan.register import exception_checks as rules
from gate.scan.register.openvex import openvex

VEX = "exceptions.openvex.json"


@given("the register of exceptions")
def register_of_exceptions(register, evidence):
    """What it says, before anything is decided by it."""
    evidence.add("register of exceptions", register, asked=f"cat {register.source}")


@when("its scan is read", target_fixture="scan_report")
def digest_scan_read(digest_scan, scanner, evidence):
    """The scan belongs to the digest, whatever tags name it."""
    asked = "aws ecr describe-image-scan-findings --repository-name"
    asked = f"{asked} {scanner.repository} --image-id imageDigest={digest_scan.digest}"
    evidence.add("scan of the checked digest", digest_scan, asked=asked)
    return digest_scan


@when(parsers.parse("the scan behind its {kind} tag is read"), target_fixture="scan_report")
def scan_read(scanner, release, evidence, kind):
    """The tag is resolved first; the scan is of its digest."""
    tag = {"release": release.release_tag, "rolling": release.rolling_tag}[kind]
    report = scanner.scan(tag)
    asked = "aws ecr describe-image-scan-findings --repository-name"
    evidence.add(
        f"scan behind {tag}", report, asked=f"{asked} {scanner.repository} --image-id imageDigest={report.digest}"
    )
    return report


@then("the scan is complete, under 24 hours old and of the checked digest")
def scan_complete(scan_report, registry_image, now, evidence):
    """That a scan was asked for, or is configured, says nothing about its result."""
    current = {"as of": scan_report.current_at, "rule": scan_report.current_by}
    evidence.add("what makes the scan current", current, asked="aws inspector2 list-coverage, where Inspector scans")
    require(result_checks.complete(scan_report, registry_image.digest, now()))


@then(parsers.parse('it has {number:d} findings of severity "{severity}"'))
def findings_of_severity(scan_report, number, severity):
    """Suppressed findings count, and words that nobody knows count as the worst."""
    require(result_checks.free_of(scan_report, severity, number))


@then("its severity counts equal the findings on its pages")
def counts_equal_findings(scan_report):
    """Counts and list must tell the same."""
    require(result_checks.counts_true(scan_report))


@then("the scanning configuration applies to the repository and its scanner covers the image")
def scanning_applies(scanner, scan_report, nightly, evidence):
    """The rules of the registry, and Inspector's word where it is the scanner."""
    settings = scanner.settings()
    evidence.add("scanning configuration", settings, asked="aws ecr get-registry-scanning-configuration")
    require(result_checks.applies(settings, scan_report, nightly))


@then("the scan has findings, or covers at least one component of the image's SBOM")
def scan_saw_something(scan_report, sbom, watched, evidence):
    """Zero findings about nothing prove nothing."""
    seen = sight(sbom.components, scan_report.mode, watched)
    evidence.add("components covered by the scanner", {"covered": len(seen.covered)}, asked=f"{sbom.tool} scan")
    require(something_seen(scan_report, seen))


@then(parsers.parse("its vulnerability data is under {hours:d} hours old"))
def data_is_fresh(scan_report, now, hours):
    """Its date is ECR's own, or Inspector keeps the result current."""
    require(result_checks.data_fresh(scan_report, now(), hours))


@then(parsers.parse('each finding of severity "{severity}" or above is fixed or excepted by the register'))
def serious_findings_disposed(scan_report, register, target_name, now, evidence, severity):
    """Excepted findings stay visible in the evidence."""
    given = rules.dispositions(scan_report.open, register, target_name, now().date())
    evidence.add("dispositions", given, asked=f"policy of {register.source}")
    found = rules.fixed_or_excepted(scan_report.open, register, target_name, now().date(), severity)
    require(rules.by_register(register, found))


@then(parsers.parse('each finding below severity "{severity}" has the disposition that the policy requires'))
def lower_findings_disposed(scan_report, register, target_name, now, severity):
    """The policy says which."""
    found = rules.disposed_below(scan_report.open, register, target_name, now().date(), severity)
    require(rules.by_register(register, found))


@when("its entries are held against today")
def entries_held_against_today(register, now, evidence):
    """Those that expire within 14 days are warned of."""
    warnings = rules.expiring(register, now().date())
    evidence.add("warnings: entries that expire within 14 days", warnings, asked=f"cat {register.source}")


@then("every entry is well-formed, unique and in force")
def register_is_valid(register, now):
    """Each fault with its line."""
    require(rules.register_valid(register, now().date()))


@when("the exceptions that it makes use of are written as an OpenVEX document")
def exceptions_as_openvex(register, scan_report, release, target_name, now, evidence):
    """For whoever reads scans with other tools; without a used exception there is no statement to make."""
    given = rules.dispositions(scan_report.open, register, target_name, now().date())
    document = openvex(given, repository=release.repository_uri, digest=scan_report.digest, now=now())
    evidence.add("exceptions as OpenVEX", document, asked=f"cat {VEX}")
    if document["statements"]:
        evidence.attach(VEX, json.dumps(document, indent=1, ensure_ascii=False).encode())


@then("no exception for this target is unused")
def exceptions_are_used(register, scan_report, target_name, nightly, evidence):
    """At night an unused one is only a warning."""
    idle = rules.unused_exceptions(register, scan_report.open, target_name)
    evidence.add("warnings: unused exceptions", [str(each) for each in idle], asked=f"cat {register.source}")
    require(rules.exceptions_used(register, scan_report.open, target_name, nightly))


@when("the image's SBOM is held against what the scanner sees", target_fixture="seen")
def sbom_against_sight(digest_scan, sbom, watched, evidence):
    """What is not covered is listed by name."""
    seen = sight(sbom.components, digest_scan.mode, watched)
    answer = {"covered": len(seen.covered), "not covered": [f"{c.name} {c.version}" for c in seen.uncovered]}
    gaps = {gap.component.purl: gap.why for gap in seen.gaps}
    evidence.add("what the scanner does not see", {**answer, "watched": gaps}, asked=f"{sbom.tool} scan")
    return seen


@then("Chrome, Chromedriver, Python and each pinned requirement is covered or registered as not covered")
def gaps_are_registered(seen, register, target_name, now):
    """Each gap with a compensating check, and an end."""
    watched = tuple(gap for gap in seen.gaps if gap.watched)
    found = gaps_registered(watched, register, target_name, seen.mode, now().date())
    require(rules.by_register(register, found))


@then("every other component of the SBOM is covered or registered as not covered")
def other_gaps_are_registered(seen, register, target_name, now):
    """What is installed counts, whoever asked for it: dependencies, npm packages, jars, programs of no package."""
    others = tuple(gap for gap in seen.gaps if not gap.watched)
    found = gaps_registered(others, register, target_name, seen.mode, now().date())
    require(rules.by_register(register, found))


@then("no coverage entry for this target is unused")
def coverage_entries_are_used(seen, register, target_name):
    """A gap that has closed needs no entry."""
    require(rules.coverage_used(register, seen, target_name))


@when("its scan is added to the recorded scans, withdrawn candidates included", target_fixture="chain")
def chain_of_scans(digest_scan, registry_image, register, target_name, scan_history, evidence):
    """The history is what earlier runs, and this one before promotion, recorded."""
    record = record_of(digest_scan, register, event="candidate", tags=registry_image.tags, target=target_name)
    links = chains.chain((*scan_history, record))
    evidence.add("found, mitigated, rescanned", {"links": links, "markdown": chains.markdown(links)}, asked="records")
    return links


@then(parsers.parse('the chain of each finding of severity "{severity}" or above is closed'))
def chain_is_closed(chain, severity):
    """Found, mitigated, rescanned."""
    require(chains.chain_closed(chain, severity))


@when("its scan is compared with the last recorded one", target_fixture="changes")
def compared_with_last(digest_scan, registry_image, register, target_name, last_night, evidence):
    """With one from before this run began; None on the first night, and the reason says so."""
    tonight = record_of(digest_scan, register, event="rescanned", tags=registry_image.tags, target=target_name)
    changes = nights.compare(last_night, tonight)
    evidence.add("changes since the last scan", {"changes": changes, "reason": changes.reason}, asked="records")
    return changes


@then("each new, vanished or re-scored finding comes from another image or other vulnerability data")
def changes_are_explained(changes):
    """A scanner that contradicts itself is not believed."""
    require(nights.explained(changes))

"""The wording of the scenarios about vulnerability scans, the register of exceptions, and what changed overnight."""

import json

import pytest
from pytest_bdd import given, parsers, then, when

from gate.check import require
from gate.scan import remediation, result_checks, scan_diff
from gate.scan.coverage import image_coverage, something_covered, uncovered_registered
from gate.scan.exceptions import exception_checks as rules
from gate.scan.exceptions.openvex import VEX, openvex
from gate.scan.records import record_of


@pytest.fixture
def register_today(register, target_name, now):
    """The register as it is asked for the run's target, today."""
    return register.at(target_name, now().date())


@given("the register of exceptions")
def register_of_exceptions(register, evidence):
    """What it says, before anything is decided by it."""
    evidence.add("register of exceptions", register, asked=f"cat {register.source}")


@when("its scan is read", target_fixture="scan_report")
def digest_scan_read(digest_scan, scanner, evidence):
    """The scan belongs to the digest, whatever tags name it."""
    asked = "aws ecr describe-image-scan-findings --repository-name"
    asked = f"{asked} {scanner.repository} --image-id imageDigest={digest_scan.digest}"
    return evidence.add("scan of the checked digest", digest_scan, asked=asked)


@when(parsers.parse("the scan behind its {kind} tag is read"), target_fixture="scan_report")
def scan_read(scanner, release, evidence, kind):
    """The tag is resolved first; the scan is of its digest."""
    tag = {"release": release.release_tag, "rolling": release.rolling_tag}[kind]
    report = scanner.scan(tag)
    asked = "aws ecr describe-image-scan-findings --repository-name"
    asked = f"{asked} {scanner.repository} --image-id imageDigest={report.digest}"
    return evidence.add(f"scan behind {tag}", report, asked=asked)


@then("the scan is complete, under 24 hours old and of the checked digest")
def scan_complete(scan_report, registry_image, now, evidence):
    """By its result: a scan that was only asked for, or configured, does not count."""
    current = {"as of": scan_report.current_at, "rule": scan_report.current_by}
    evidence.add("what makes the scan current", current, asked="aws inspector2 list-coverage, where Inspector scans")
    require(result_checks.complete(scan_report, registry_image.digest, now()))


@then(parsers.parse('it has {number:d} findings of severity "{severity}"'))
def findings_of_severity(scan_report, number, severity):
    """Suppressed findings count, and unknown severities count as CRITICAL."""
    require(result_checks.free_of(scan_report, severity, number))


@then("its severity counts equal the findings on its pages")
def counts_equal_findings(scan_report):
    """The counts and the list are two parts of one answer."""
    require(result_checks.counts_match(scan_report))


@then("the scanning configuration applies to the repository and its scanner covers the image")
def scanning_applies(scanner, scan_report, nightly, evidence):
    """The rules of the registry, and Inspector's coverage where it is the scanner."""
    settings = scanner.settings()
    evidence.add("scanning configuration", settings, asked="aws ecr get-registry-scanning-configuration")
    require(result_checks.applies(settings, scan_report, nightly))


@then("the scan has findings, or covers at least one component of the image's SBOM")
def scan_saw_something(scan_report, sbom, required_components, evidence):
    """A scan that covers no component finds nothing in any image."""
    coverage = image_coverage(sbom.components, scan_report.mode, required_components)
    evidence.add("components covered by the scanner", {"covered": len(coverage.covered)}, asked=f"{sbom.tool} scan")
    require(something_covered(scan_report, coverage))


@then(parsers.parse("its vulnerability data is under {hours:d} hours old"))
def data_is_fresh(scan_report, now, hours):
    """Its date is ECR's own, or Inspector keeps the result current."""
    require(result_checks.data_fresh(scan_report, now(), hours))


@then(parsers.parse('each finding of severity "{severity}" or above is fixed or excepted by the register'))
def serious_findings_disposed(scan_report, register_today, evidence, severity):
    """Excepted findings stay visible in the evidence."""
    given = rules.dispositions(scan_report.open, register_today)
    evidence.add("dispositions", given, asked=f"policy of {register_today.source}")
    require(rules.by_register(register_today, rules.fixed_or_excepted(scan_report.open, register_today, severity)))


@then(parsers.parse('each finding below severity "{severity}" has the disposition that the policy requires'))
def lower_findings_disposed(scan_report, register_today, severity):
    """The policy says which."""
    require(rules.by_register(register_today, rules.disposed_below(scan_report.open, register_today, severity)))


@when("its entries are held against today")
def entries_held_against_today(register_today, evidence):
    """Those that expire within 14 days are warned of."""
    warnings = rules.expiring(register_today)
    evidence.add("warnings: entries that expire within 14 days", warnings, asked=f"cat {register_today.source}")


@then("every entry is well-formed, unique and in force")
def register_is_valid(register_today):
    """Each fault with its line."""
    require(rules.register_valid(register_today))


@when("the exceptions that it makes use of are written as an OpenVEX document")
def exceptions_as_openvex(register_today, scan_report, release, now, evidence):
    """For whoever reads scans with other tools; without a used exception there is no statement to make."""
    given = rules.dispositions(scan_report.open, register_today)
    document = openvex(given, repository=release.repository_uri, digest=scan_report.digest, now=now())
    evidence.add("exceptions as OpenVEX", document, asked=f"cat {VEX}")
    if document["statements"]:
        evidence.attach(VEX, json.dumps(document, indent=1, ensure_ascii=False).encode())


@then("no exception for this target is unused")
def exceptions_are_used(register_today, scan_report, nightly, evidence):
    """At night an unused one is only a warning."""
    idle = rules.unused_exceptions(register_today, scan_report.open)
    evidence.add("warnings: unused exceptions", [str(each) for each in idle], asked=f"cat {register_today.source}")
    require(rules.exceptions_used(register_today, scan_report.open, nightly))


@when("the image's SBOM is held against what the scanner sees", target_fixture="coverage")
def sbom_against_image_coverage(digest_scan, sbom, required_components, evidence):
    """What is not covered is listed by name."""
    coverage = image_coverage(sbom.components, digest_scan.mode, required_components)
    answer = {"covered": len(coverage.covered), "not covered": [f"{c.name} {c.version}" for c in coverage.uncovered]}
    why = {each.purl: each.why for each in coverage.to_register}
    evidence.add("what the scanner does not see", {**answer, "to register": why}, asked=f"{sbom.tool} scan")
    return coverage


@then("each part with a version of its own, and each pinned requirement, is covered or registered as not covered")
def required_are_registered(coverage, register_today):
    """Each uncovered component with a compensating check, and an end."""
    required = tuple(each for each in coverage.to_register if each.required)
    require(rules.by_register(register_today, uncovered_registered(required, register_today, coverage.mode)))


@then("every other component of the SBOM is covered or registered as not covered")
def others_are_registered(coverage, register_today):
    """What is installed counts, whoever asked for it: dependencies, npm packages, jars, programs of no package."""
    others = tuple(each for each in coverage.to_register if not each.required)
    require(rules.by_register(register_today, uncovered_registered(others, register_today, coverage.mode)))


@then("no coverage entry for this target is unused")
def coverage_entries_are_used(coverage, register_today):
    """A component that is covered, or gone, needs no entry."""
    require(rules.coverage_used(register_today, coverage))


@when("its scan is added to the recorded scans, withdrawn candidates included", target_fixture="remediations")
def remediations_of_scans(digest_scan, registry_image, register, target_name, scan_history, evidence):
    """The history is what earlier runs, and this one before promotion, recorded."""
    record = record_of(digest_scan, register, event="candidate", tags=registry_image.tags, target=target_name)
    found = remediation.remediations((*scan_history, record))
    answer = {"remediations": found, "markdown": remediation.markdown(found)}
    evidence.add("found, mitigated, rescanned", answer, asked="records")
    return found


@then(parsers.parse('the chain of each finding of severity "{severity}" or above is closed'))
def findings_are_remediated(remediations, severity):
    """Found, mitigated, rescanned."""
    require(remediation.remediated(remediations, severity))


@when("its scan is compared with the last recorded one", target_fixture="diff")
def compared_with_last(digest_scan, registry_image, register, target_name, last_night, evidence):
    """With one from before this run began; None on the first night, and the reason says so."""
    tonight = record_of(digest_scan, register, event="rescanned", tags=registry_image.tags, target=target_name)
    diff = scan_diff.compare(last_night, tonight)
    evidence.add("changes since the last scan", {"changes": diff, "reason": diff.reason}, asked="records")
    return diff


@then("each new, vanished or re-scored finding comes from another image or other vulnerability data")
def changes_are_explained(diff):
    """Otherwise the scanner contradicts itself, and its answers cannot be relied on."""
    require(scan_diff.explained(diff))

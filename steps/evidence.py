"""The wording of the scenarios about the record: what is documented, and that it can be checked."""

import pytest
from pytest_bdd import then, when

from gate.check import require
from gate.evidence import deployment_notes, recorder
from gate.publish.publishing_run import recorded_steps
from gate.publish.release_diff import FIRST
from gate.report.validation_md import metadata
from gate.run.results import state_release


@when("its section of the deployment notes is read back", target_fixture="section")
def section_read(notes, evidence):
    """It is read from the disk."""
    return evidence.add("deployment notes", notes.section(), asked=f"cat {notes.path.name}")


@then("digest, sizes, tags and push time are those that ECR answers")
def documented_is_answered(section, release_client, published, notes):
    """ECR is asked again."""
    answered = metadata(release_client.verify(published.digest))
    require(deployment_notes.says_what_ecr_says(deployment_notes.metadata_in(section), answered, notes.path.name))


@when("verdict.json is read back", target_fixture="verdict_release")
def verdict_read(run, evidence):
    """The machine-readable half of AC3."""
    return evidence.add("verdict.json", state_release(run), asked="jq .release verdict.json")


@then("it names the digest, the tags and the sizes that ECR answers")
def verdict_is_answered(verdict_release, release_client, published):
    """ECR is asked again."""
    now = release_client.verify(published.digest)
    answered = {"digest": now.digest, "tags": sorted(now.tags), "size_bytes": now.compressed_bytes}
    require(deployment_notes.says_what_ecr_says(verdict_release, answered, "verdict.json"))


@when("it is compared with the release before it", target_fixture="difference")
def compared_with_previous(previous_release, evidence):
    """Packages, sizes and init time."""
    sentence = str(previous_release or FIRST)
    answer = {"sentence": sentence, "diff": previous_release}
    evidence.add("difference to the previous release", answer, asked="verdict.json and SBOM of both")
    return sentence


@then("the notes give the difference, or say that this is the first release")
def difference_is_noted(difference, notes):
    """Stories 5.2 and later read it."""
    require(deployment_notes.tells(notes.section(), difference))


@when("the record of its steps is read", target_fixture="recorded_steps")
def steps_read(run, evidence):
    """The build of this run, and the publishing run's steps."""
    if run.options.image and run.publishes:
        pytest.skip("the image was given, not built: there is no build to be recorded")
    return evidence.add("steps of the release", recorded_steps(run), asked="the steps in VALIDATION.md")


@then("each of these was recorded with its outcome")
def steps_are_recorded(recorded_steps, datatable):
    """Command, identity, time, outcome."""
    require(deployment_notes.steps_recorded(recorded_steps, [row[0] for row in datatable[1:]]))


@then("every linked file exists and has the sha-256 beside the link")
def links_hold(section, notes):
    """The files are hashed again."""
    said = deployment_notes.links_in(section)
    require(deployment_notes.links_hold(said, recorder.hashes_of(said, notes.path.parent)))


@then("its digest is that of every record of the published image")
def digest_is_one(section, run, published):
    """One digest from the scan to the notes."""
    said = deployment_notes.metadata_in(section).get("Digest", "")
    # Before the push a record carries the image's ID: it is about the registry, and not about what was published.
    about = [r for r in run.store.records if r.criterion in {2, 7} and r.digest not in {"", run.facts.image_id}]
    on_disk = recorder.digests_of(about, run.store.folder)
    require(deployment_notes.one_digest(said, on_disk, published.digest))


@when("every file that the run has written so far is searched for secrets", target_fixture="searched")
def searched_for_secrets(run, notes, evidence, canaries):
    """By shape, and for secrets that the redactor was not told of."""
    found = recorder.secrets_in(
        [run.folder / "evidence", run.folder / "verdict.json", *run.folder.glob("*.log"), notes.path],
        run.store.redactor,
        canaries,
    )
    evidence.add("artefacts searched for secrets", {"files": len(found), "canaries": sorted(canaries)}, asked="grep -r")
    return found


@then("none of them holds one")
def no_secret_in_artefacts(searched):
    """Redaction missed nothing."""
    require(deployment_notes.holds_no_secret(searched))

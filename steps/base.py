"""The steps about the base image: its layers and files, its FROM lines, its settings and its end of support."""

from pytest_bdd import then, when

from gate.check import require
from gate.image import base, base_files, contract, end_of_support
from gate.image.contract import Startup
from gate.image.dockerfile import bases_approved
from gate.run.inputs import base_that_ships
from gate.scan.exceptions.exception_checks import by_register


@when("its layers are held against the approved base")
def layers_against_base(candidate, evidence):
    """The layers of both images, and the size that each instruction added."""
    evidence.add(
        "layers",
        {"base": candidate.base.layers, "image": candidate.image.layers, "costs": candidate.image.layer_costs},
        asked=f"docker image inspect {candidate.base_reference}; docker history {candidate.reference}",
        provenance=candidate.base_provenance,
    )


@then("every layer of the base is in its place")
def base_layers_in_place(candidate):
    """The base's layers are the lowest of the image, in their order."""
    require(base.descends_from(candidate.image.layers, candidate.base.layers, candidate.base_reference))


@when("the approved base is looked up")
def base_looked_up(candidate, evidence):
    """Its labels, and its digests in registries."""
    facts = {"labels": candidate.base.labels, "registry digests": candidate.base.repo_digests}
    asked = f"docker image inspect {candidate.base_reference}"
    evidence.add("approved base", facts, asked=asked, provenance=candidate.base_provenance)


@then("it is no stand-in, and the registry names its digest")
def base_is_genuine(candidate):
    """A local image of the same name is not accepted."""
    found = candidate.base
    require(base.genuine(found.labels, found.repo_digests, candidate.base_reference, candidate.base_provenance))


@when("the Dockerfile's FROM lines are resolved")
def from_lines(candidate, build, evidence):
    """Every FROM with its arguments substituted; a build must tie the Dockerfile to the image."""
    evidence.add("FROM lines", candidate.from_lines, asked=f"grep FROM {candidate.dockerfile.name}")


@then("each names an approved base or a stage")
def bases_are_approved(candidate):
    """Also in stages before the last one."""
    require(bases_approved(candidate.from_lines, candidate.approved_bases))


@when("its environment, entrypoint and working directory are held against the base")
def startup_against_base(candidate, evidence):
    """Every setting that differs from the base."""
    table = contract.differences(Startup.of(candidate.image), Startup.of(candidate.base))
    evidence.add("differences to the base", table, asked="docker image inspect", provenance=candidate.base_provenance)


@then("nothing differs that the Lambda service relies on")
def nothing_differs(candidate):
    """New variables are allowed; changes of the base's own are not."""
    require(contract.starts_like(Startup.of(candidate.image), Startup.of(candidate.base)))


@when("its layers are compared with the base's files")
def layers_against_base_files(candidate, evidence):
    """Every file of the base that the image changes, and what explains it."""
    changes = base_files.changes(candidate.layers, candidate.base_layers)
    asked = f"docker save {candidate.reference}"
    evidence.add("changed files of the base", changes, asked=asked, provenance=candidate.base_provenance)


@then("each of them is as the base has it, or as its package manager recorded it")
def base_files_unchanged(candidate):
    """Byte for byte, except for the files that the system rewrites."""
    library_path = candidate.base.env.get("LD_LIBRARY_PATH", "")
    require(base_files.base_unchanged(candidate.layers, candidate.base_layers, library_path))


@when("the base and the Python are looked up in the dated list", target_fixture="parts")
def parts_looked_up(candidate, release, support_dates, accepted_ends, now, evidence):
    """The parts of the release with their last days of support; a warning for those that end within 180 days."""
    image, how = base_that_ships(candidate)
    parts = end_of_support.parts_of(image, release.python_version, support_dates)
    asked = f"cat gate/{support_dates.source}"
    evidence.add("support of base and runtime", {"base": image, "which base": how, "parts": parts}, asked=asked)
    warnings = end_of_support.warnings(parts, accepted_ends, now().date())
    evidence.add("warnings: support that ends or has ended", warnings, asked=asked)
    return parts


@then("each is supported today, or its end is accepted by the register")
def parts_are_supported(parts, accepted_ends, support_dates, now):
    """A part that is not listed is not supported."""
    found = end_of_support.supported(parts, accepted_ends, now().date(), f"gate/{support_dates.source}")
    require(by_register(accepted_ends, found))


@then("no acceptance of an end of support is unused")
def support_exceptions_are_used(parts, accepted_ends, now):
    """An acceptance that is no longer needed would hide the next end of support."""
    require(end_of_support.support_exceptions_used(parts, accepted_ends, now().date()))

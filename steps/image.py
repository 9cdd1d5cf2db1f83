"""The steps about the image: its build, size, handler, files, packages and secrets."""

import pytest
from pytest_bdd import given, parsers, then, when

from gate.check import require
from gate.errors import EvidenceDamaged
from gate.image import base, contract, file_checks, packages, permissions, python
from gate.image.end_of_support import python_of, stand_in_hides
from gate.image.secrets import secret_checks
from gate.publish.release_facts import build_of
from gate.run.inputs import base_that_ships


@pytest.fixture
def build(release_pipeline):
    """The build of this run, or of the run that published the image; the scenario is skipped if neither is recorded."""
    try:
        return build_of(release_pipeline)
    except EvidenceDamaged as missing:
        pytest.skip(str(missing))


@given("the Dockerfile of the release")
def dockerfile(candidate, build, evidence):
    """The Dockerfile, for which there must be a build."""
    evidence.add("Dockerfile", candidate.dockerfile.read_text(), asked=f"cat {candidate.dockerfile.name}")


@given("the candidate image")
def candidate_image(candidate, evidence):
    """The configuration of the image; every fact is about its image ID."""
    evidence.add("image", candidate.image, asked=f"docker image inspect {candidate.reference}")


@when("the image is built from it", target_fixture="built")
def built(build, evidence):
    """The image of the build, and its log."""
    evidence.add("build", build, asked=build.command)
    evidence.attach("build.log", build.log.read_bytes())
    return build


@then("the build ends with the image that is checked")
def build_ends_with_image(candidate, built):
    """The build and the checks are about one image ID."""
    require(base.same_image(built.image_id, candidate.image.image_id))


@when(parsers.parse('"{variable}" is followed through the image'), target_fixture="variable")
def variable_followed(candidate, evidence, variable):
    """Where the variable's path leads, links followed."""
    path = candidate.image.env.get(variable, "")
    entry, followed = candidate.tree.resolve(path)
    evidence.add(variable, {"path": path, "links": followed, "entry": entry}, asked=f"readlink -f {path}")
    return variable


@then("it is the agreed path")
def agreed_path(candidate, variable):
    """The path in pytest.ini."""
    require(contract.names_paths(candidate.image.env, {variable: candidate.browser_paths[variable]}))


@then("it leads to a real program that any user may run")
def real_program(candidate, variable):
    """An ELF program, or a script that starts one."""
    require(file_checks.is_program(candidate.tree, variable, candidate.image.env.get(variable, "")))


@when("its Python packages are read")
def packages_read(candidate, evidence):
    """The packages as the image's own Python finds them."""
    evidence.add("python packages", candidate.interpreter, asked="python3 -m pip list; python3 -m pip check")


@then("each pinned requirement is there, imports, and conflicts with none")
def pins_installed(candidate):
    """Installed at the pin, importable, no conflict."""
    require(packages.pins_installed(candidate.pins, candidate.interpreter.packages))


@then("none of them is a development package")
def no_development_package(candidate, release):
    """The names of these packages are in pytest.ini."""
    present = candidate.interpreter.packages.versions
    require(packages.no_development_packages(present, release.development_packages))


@when("its Python is asked what it runs when it starts")
def hooks_listed(candidate, evidence):
    """Every .pth file with code, sitecustomize and usercustomize."""
    evidence.add("start-up hooks of Python", candidate.interpreter.hooks, asked="python3 in the image, module site")


@then("each was recorded by its package, is the base's own, or is stated")
def hooks_known(candidate, release):
    """No other file runs before the handler."""
    hooks, layers = candidate.interpreter.hooks, candidate.layers
    require(python.starts_nothing_foreign(hooks, layers, candidate.base_layers, release.startup_hooks))


@when("its handler is imported in the image")
def handler_imported(candidate, evidence, release):
    """Imported as the runtime does it, from the task root; another runtime than Python's is seen to do it (init)."""
    if absent := release.absent_parts.get("python"):
        evidence.add("not part of this release", absent, asked="pytest.ini, python_version")
        return
    asked = f"cd {release.task_root}; python3 -c 'import {release.handler.rpartition('.')[0]}'"
    evidence.add("handler import", candidate.handler_import, asked=asked)


@then("its CMD is the agreed handler")
def cmd_is_handler(candidate, release):
    """Lambda passes CMD to the runtime unchanged."""
    require(contract.handler_is(candidate.image.cmd, release.handler))


@then("the handler is a function that can be called")
def handler_is_callable(candidate, release):
    """It is defined, and it is a function; where Python runs it."""
    if "python" not in release.absent_parts:
        require(python.handler_imports(candidate.handler_import))


@when("its layers are summed up")
def layers_summed(candidate, evidence):
    """The uncompressed size, to which Lambda's limit applies."""
    evidence.add("uncompressed size", candidate.image.size_bytes, asked=f"docker image inspect {candidate.reference}")


@then(parsers.parse("together they are below {limit:d} GB"))
def below_limit(candidate, limit):
    """Lambda's quota."""
    require(contract.below(candidate.image.size_bytes, limit, "uncompressed"))


@when("its configuration is read")
def configuration_read(candidate, evidence):
    """The platform in the image's configuration."""
    evidence.add("platform", candidate.image.platform, asked=f"docker image inspect {candidate.reference}")


@then("its platform is the agreed one")
def platform_is(candidate, release):
    """The platform of the function."""
    require(contract.platform_is(candidate.image.platform, release.platform))


@when("its Python is asked for its version")
def python_version(candidate, evidence):
    """The interpreter that runs the handler."""
    evidence.add("python version", candidate.interpreter.version, asked="python3 --version")


@then("it is the agreed version")
def python_is(candidate, release, support_dates, evidence):
    """Major and minor; on the stand-in it is asked only where the approved base has the stand-in's Python."""
    found, wanted = candidate.interpreter.version, release.python_version
    shipped, _ = base_that_ships(candidate)
    if candidate.base_provenance == "simulated" and stand_in_hides(found, wanted, python_of(shipped, support_dates)):
        evidence.leave_to_aws(f"the stand-in has Python {found}, and the agreed {wanted} is that of {shipped}")
    require(python.python_is(found, wanted))


@when("its files are listed with their permissions")
def files_listed(candidate, evidence):
    """Every file of the image, as its layers make it."""
    evidence.add("files", {"files": len(candidate.tree.entries)}, asked=f"docker save {candidate.reference}")


@then("each agreed path exists")
def paths_exist(candidate, release):
    """The paths in pytest.ini."""
    image, tree, absent = candidate.image, candidate.tree, release.absent_parts
    require(file_checks.all_exist(tree, release.required_paths))
    require(file_checks.absent_parts_are_absent(tree, image.env, absent, (*image.entrypoint, *image.cmd)))


@then("every file can be read by any user")
def readable_by_all(candidate):
    """Lambda ignores USER and runs as another user."""
    used, recorded = permissions.used_folders(candidate.image.env), candidate.records.digests
    require(permissions.readable_by_all(candidate.tree, used, recorded))


@when("its environment, history and files are searched")
def searched_for_secrets(candidate, evidence):
    """What was searched; the evidence never holds what was found."""
    looked = {
        "variables": sorted(candidate.image.env),
        "history": len(candidate.image.history),
        "layers": len(candidate.layers.layers),
        "files": candidate.layers.searched,
    }
    evidence.add(
        "searched for secrets",
        looked,
        asked=f"docker save {candidate.reference}; detect-secrets over environment, history and layers",
    )


@then("nothing that was found gives access to anything")
def no_secret(candidate, evidence):
    """No secret in the environment, the history or the files."""
    unsearched = secret_checks.unsearched_packages(candidate.layers, candidate.base_layers)
    evidence.add("warnings: packages that were not searched", unsearched, asked=f"docker save {candidate.reference}")
    image = candidate.image
    history = [entry.instruction for entry in image.history]
    # Labels of the command line, and those of a base, stand in no history.
    other = {f"the label {name}": value for name, value in image.labels.items()}
    other |= {"ENTRYPOINT": " ".join(image.entrypoint), "CMD": " ".join(image.cmd)}
    require(secret_checks.no_secret(image.env, history, candidate.layers, candidate.base_layers, other))

"""The wording of the claims about the image: its build, its base, its files and packages."""

import pytest
from pytest_bdd import given, parsers, then, when

from gate.check import require
from gate.errors import EvidenceDamaged
from gate.image import contract, divergence, files, lineage, packages, python, secrets, size, support
from gate.image.dockerfile import bases_approved
from gate.scan.register.exception_checks import by_register


@pytest.fixture
def build(fixtures, run, candidate, request):
    """The build of this run, or of the run that published the image; without a record of it nothing is proven."""
    try:
        return fixtures.build_of(run, candidate, request.getfixturevalue)
    except EvidenceDamaged as missing:
        pytest.skip(str(missing))


@given("the Dockerfile of the release")
def dockerfile(candidate, build, evidence):
    """Only a build shows what the Dockerfile makes."""
    evidence.add("Dockerfile", candidate.dockerfile.read_text(), asked=f"cat {candidate.dockerfile.name}")


@given("the candidate image")
def image_under_judgement(candidate, evidence):
    """Every fact is asked of this one image ID."""
    evidence.add("image", candidate.image, asked=f"docker image inspect {candidate.reference}")


@when("the image is built from it", target_fixture="built")
def built(build, evidence):
    """What the build left."""
    evidence.add("build", build, asked=build.command)
    evidence.attach("build.log", build.log.read_bytes())
    return build


@then("the build ends with the image that is checked")
def build_ends_with_image(candidate, built):
    """One image ID from the build to the judgement."""
    require(lineage.same_image(built.image_id, candidate.image.image_id))


@when("its layers are held against the approved base")
def layers_against_base(candidate, evidence):
    """Both lists of layers, and what each layer costs."""
    evidence.add(
        "layers",
        {"base": candidate.base.layers, "image": candidate.image.layers, "costs": candidate.layer_costs},
        asked=f"docker image inspect {candidate.base_reference}; docker history {candidate.reference}",
        provenance=candidate.base_provenance,
    )


@then("every layer of the base is in its place")
def base_layers_in_place(candidate):
    """Layer ancestry, not the FROM line."""
    require(lineage.descends_from(candidate.image.layers, candidate.base.layers, candidate.base_reference))


@when("the approved base is looked up")
def base_looked_up(candidate, evidence):
    """Where it came from, and whether it says that it is a stand-in."""
    base = candidate.base
    facts = {"labels": base.labels, "registry digests": base.repo_digests}
    asked = f"docker image inspect {candidate.base_reference}"
    evidence.add("approved base", facts, asked=asked, provenance=candidate.base_provenance)


@then("it is no stand-in, and the registry names its digest")
def base_is_genuine(candidate):
    """A local image of the same name proves nothing."""
    require(lineage.genuine(candidate.base.labels, candidate.base.repo_digests, candidate.base_reference,
                            candidate.base_provenance))  # fmt: skip


@when(parsers.parse('"{variable}" is followed through the image'), target_fixture="variable")
def variable_followed(candidate, evidence, variable):
    """Where the variable's path really leads."""
    path = candidate.image.env.get(variable, "")
    entry, followed = candidate.tree.resolve(path)
    evidence.add(variable, {"path": path, "links": followed, "entry": entry}, asked=f"readlink -f {path}")
    return variable


@then("it is the agreed path")
def agreed_path(candidate, variable):
    """The contract in pytest.ini."""
    require(contract.names_paths(candidate.image.env, {variable: candidate.browser_paths[variable]}))


@then("it leads to a real program that any user may run")
def real_program(candidate, variable):
    """An ELF program, or a script that starts one."""
    require(files.is_program(candidate.tree, variable, candidate.image.env.get(variable, "")))


@when("its Python packages are read")
def packages_read(candidate, evidence):
    """What the image's own Python says of its packages."""
    evidence.add("python packages", candidate.interpreter, asked="python3 -m pip list; python3 -m pip check")


@then("each pinned requirement is there, imports, and conflicts with none")
def pins_installed(candidate):
    """Installed at the pin, importable, no conflict."""
    require(packages.pins_installed(candidate.pins, candidate.interpreter.packages))


@then("none of them is a development package")
def no_development_package(candidate, release):
    """The forbidden names stand in pytest.ini."""
    present = candidate.interpreter.packages.versions
    require(packages.no_development_packages(present, release.development_packages))


@when("its Python is asked what it runs when it starts")
def hooks_listed(candidate, evidence):
    """Every .pth file with code, sitecustomize and usercustomize."""
    evidence.add("start-up hooks of Python", candidate.interpreter.hooks, asked="python3 in the image, module site")


@then("each was recorded by its package, is the base's own, or is stated")
def hooks_vouched(candidate, release):
    """What runs before the handler is known."""
    hooks, base = candidate.interpreter.hooks, candidate.base_digests
    require(python.starts_nothing_foreign(hooks, candidate.records, base, release.startup_hooks))


@when("its handler is imported in the image")
def handler_imported(candidate, evidence, release):
    """As the runtime does it, from the task root."""
    asked = f"cd {release.task_root}; python3 -c 'import {release.handler.rpartition('.')[0]}'"
    evidence.add("handler import", candidate.handler_import, asked=asked)


@then("its CMD is the agreed handler")
def cmd_is_handler(candidate, release):
    """Lambda passes CMD on as it is."""
    require(contract.handler_is(candidate.image.cmd, release.handler))


@then("the handler is a function that can be called")
def handler_is_callable(candidate):
    """Not only a name."""
    require(python.handler_imports(candidate.handler_import))


@when("its layers are summed up")
def layers_summed(candidate, evidence):
    """The size that Lambda's limit is about."""
    evidence.add("uncompressed size", candidate.image.size_bytes, asked=f"docker image inspect {candidate.reference}")


@then(parsers.parse("together they are below {limit:d} GB"))
def below_limit(candidate, limit):
    """Lambda's quota."""
    require(size.below(candidate.image.size_bytes, limit, "uncompressed"))


@when("its configuration is read")
def configuration_read(candidate, evidence):
    """The platform as the image states it."""
    evidence.add("platform", candidate.image.platform, asked=f"docker image inspect {candidate.reference}")


@then("its platform is the agreed one")
def platform_is(candidate, release):
    """One platform, the function's."""
    require(lineage.platform_is(candidate.image.platform, release.platform))


@when("its Python is asked for its version")
def python_version(candidate, evidence):
    """The interpreter that runs the handler."""
    evidence.add("python version", candidate.interpreter.version, asked="python3 --version")


@then("it is the agreed version")
def python_is(candidate, release):
    """Major and minor."""
    require(python.python_is(candidate.interpreter.version, release.python_version))


@when("the base and the Python are looked up in the dated list", target_fixture="parts")
def parts_looked_up(fixtures, candidate, release, support_dates, accepted_ends, now, evidence):
    """What the release stands on, each with its last day of support; what ends within 180 days is warned of."""
    base, how = fixtures.base_that_ships(candidate)
    parts = support.parts_of(base, release.python_version, support_dates)
    found = {"base": base, "which base": how, "parts": parts}
    evidence.add("support of base and runtime", found, asked=f"cat gate/{support_dates.source}")
    warnings = support.warnings(parts, accepted_ends, now().date())
    evidence.add("warnings: support that ends or has ended", warnings, asked=f"cat gate/{support_dates.source}")
    return parts


@then("each is supported today, or its end is accepted by the register")
def parts_are_supported(parts, accepted_ends, support_dates, now):
    """What nobody knows is not supported."""
    found = support.supported(parts, accepted_ends, now().date(), f"gate/{support_dates.source}")
    require(by_register(accepted_ends, found))


@then("no acceptance of an end of support is unused")
def support_exceptions_are_used(parts, accepted_ends, now):
    """An acceptance that is no longer needed would hide the next end."""
    require(support.support_exceptions_used(parts, accepted_ends, now().date()))


@when("the Dockerfile's FROM lines are resolved")
def from_lines(candidate, build, evidence):
    """Every FROM, with its arguments filled in; of a Dockerfile that no build ties to the image they say nothing."""
    evidence.add("FROM lines", candidate.from_lines, asked=f"grep FROM {candidate.dockerfile.name}")


@then("each names an approved base or a stage")
def bases_are_approved(candidate):
    """Stages other than the last pull images too."""
    require(bases_approved(candidate.from_lines, candidate.approved_bases))


@when("its environment, entrypoint and working directory are held against the base")
def startup_against_base(candidate, evidence):
    """A table of differences."""
    table = contract.differences(candidate.startup, candidate.base_startup)
    evidence.add("differences to the base", table, asked="docker image inspect", provenance=candidate.base_provenance)


@then("nothing differs that the Lambda service relies on")
def nothing_differs(candidate):
    """Additions are allowed, changes are not."""
    require(contract.starts_like(candidate.startup, candidate.base_startup))


@when("its layers are compared with the base's files")
def layers_against_base_files(candidate, evidence):
    """Every file of the base that the image holds otherwise, and what explains it."""
    changes = divergence.changes(candidate.layers, candidate.base_layers)
    asked = f"docker save {candidate.reference}"
    evidence.add("changed files of the base", changes, asked=asked, provenance=candidate.base_provenance)


@then("each of them is as the base has it, or as its package manager recorded it")
def base_files_unchanged(candidate):
    """Byte for byte, but for what the system's own managers keep."""
    library_path = candidate.base.env.get("LD_LIBRARY_PATH", "")
    require(divergence.base_unchanged(candidate.layers, candidate.base_layers, library_path))


@when("its files are listed with their permissions")
def files_listed(candidate, evidence):
    """Every file of the image, from the engine's export."""
    evidence.add("files", {"files": len(candidate.tree.entries)}, asked=f"docker export {candidate.reference}")


@then("each agreed path exists")
def paths_exist(candidate, release):
    """The paths in pytest.ini."""
    require(files.all_exist(candidate.tree, release.required_paths))


@then("every file can be read by any user")
def readable_by_all(candidate):
    """Lambda ignores USER."""
    require(files.readable_by_all(candidate.tree, files.used_folders(candidate.image.env)))


@when("its environment, history and files are searched")
def searched_for_secrets(candidate, evidence):
    """What was looked at; never what was found."""
    looked = {
        "variables": sorted(candidate.image.env),
        "history": len(candidate.history),
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
    """In the environment, the history and the files."""
    unsearched = secrets.unsearched_packages(candidate.layers, candidate.base_layers)
    evidence.add("warnings: packages that were not searched", unsearched, asked=f"docker save {candidate.reference}")
    require(secrets.no_secret(candidate.image.env, candidate.history, candidate.layers, candidate.base_layers))

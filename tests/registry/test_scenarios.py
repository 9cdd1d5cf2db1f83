"""The scenarios of AC2 and AC4 on a release in memory: all green, and each fault turns its own scenario red."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

pytest_plugins = ["pytester"]
ROOT = Path(__file__).resolve().parents[2]

MARKERS = "".join(f"    {name}: \n" for name in ("aws", "ac2", "ac4", "published", "after_promotion", "rescan"))
SCENARIOS = 15  # rows of the outline counted, those that only AWS can prove left out

# The fixtures that the acceptance suite's conftest gives the steps, over the registry in memory.
CONFTEST = """
import importlib.util, subprocess, sys
from dataclasses import replace
from types import SimpleNamespace
import pytest
from gate.legacy.snapshot import FunctionSnapshot
from gate.registry.permitted_calls import AwsCall

def load(name):
    spec = importlib.util.spec_from_file_location(name, f"{root}/tests/registry/{{name}}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

memory, scenarios = load("conftest"), load("test_scenarios")
pytest_plugins = ["steps.registry", "steps.legacy"]

@pytest.fixture(scope="session", params=list(scenarios.FAULTS), autouse=True)
def world(request, tmp_path_factory):
    before, after, _, _ = scenarios.FAULTS[request.param]
    rehearsal = memory.Rehearsal()
    old = rehearsal.registry.put('{{"older": "image"}}', "v0.9.0")
    rehearsal.registry.tags["latest"] = old
    world = SimpleNamespace(rehearsal=rehearsal, registry=rehearsal.registry, old=old, calls=(), zip_paths=())
    world.facts = {{"configuration": {{"CodeSha256": "a"}}, "rules": {{"default/r": {{"State": "ENABLED"}}}}}}
    world.repository = tmp_path_factory.mktemp("repository")
    exec(before, {{**globals(), "world": world}})
    world.published = rehearsal.publish()
    exec(after, {{**globals(), "world": world}})
    return world

@pytest.fixture
def now():
    return lambda: memory.NOW

@pytest.fixture
def published(world):
    return world.published

@pytest.fixture
def registry_image(world):
    return world.published

@pytest.fixture
def earlier_promotions():
    return ()

@pytest.fixture
def nightly():
    return False

@pytest.fixture
def run(release):
    return SimpleNamespace(release=release, facts=SimpleNamespace(promotion=None))

@pytest.fixture
def ecr(world):
    return world.rehearsal.ecr

@pytest.fixture
def call_log(world):
    return SimpleNamespace(calls=(*world.rehearsal.call_log.calls, *world.calls))

@pytest.fixture
def release(world):
    return SimpleNamespace(
        account=memory.ACCOUNT, region=memory.REGION, repository=memory.NAME, release_tag="v1.0.0",
        rolling_tag="latest", candidate_tag="candidate", platform="linux/amd64", zip_function="zip",
        repository_uri="uri", zip_paths=world.zip_paths,
    )

@pytest.fixture
def checked_repository(world):
    return world.repository

@pytest.fixture
def legacy_before():
    facts = {{"configuration": {{"CodeSha256": "a"}}, "rules": {{"default/r": {{"State": "ENABLED"}}}}}}
    return FunctionSnapshot("arn:aws:lambda:r:a:function:zip", "2025-10-18T12:00:00+00:00", facts)

@pytest.fixture
def legacy_now(world, legacy_before):
    return replace(legacy_before, facts=world.facts)

@pytest.fixture
def evidence():
    return SimpleNamespace(add=lambda title, answer, *, asked: answer)
"""

INDEX = """
body = '{"manifests": [{}, {"annotations": {"vnd.docker.reference.type": "attestation-manifest"}}]}'
digest = world.registry.put(body, "v1.0.0", "application/vnd.oci.image.index.v1+json")
world.registry.tags["latest"] = digest
world.published = replace(world.published, digest=digest, platform="unknown", before=None,
                          after=world.rehearsal.ecr.snapshot())
"""
KEEP_FIVE = """
world.registry.lifecycle = '{"rules": [{"rulePriority": 1, "description": "keep the newest five", "selection": ' \\
    '{"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 5}, "action": {"type": "expire"}}]}'
"""
ARCHIVED = """
real = world.registry.DescribeImages
def archived(**asked):
    status, answer = real(**asked)
    for detail in answer["imageDetails"]:
        if detail["imageDigest"] == world.published.digest:
            detail["imageStatus"] = "ARCHIVED"
    return status, answer
world.registry.DescribeImages = archived
"""
ELSEWHERE = """
real = world.registry.DescribeRepositories
def elsewhere(**asked):
    status, answer = real(**asked)
    answer["repositories"][0]["registryId"] = "111122223333"
    return status, answer
world.registry.DescribeRepositories = elsewhere
"""
GIT = """
def git(*words):
    subprocess.run(["git", "-C", str(world.repository), "-c", "user.name=t", "-c", "user.email=t@example.org", *words],
                   check=True, capture_output=True)
(world.repository / "zip.sh").write_text("one")
git("init"), git("add", "."), git("commit", "-m", "zip"), git("tag", "v0.9.0")
(world.repository / "zip.sh").write_text("two")
world.zip_paths = ("zip.sh",)
"""
CALL = 'world.calls = (AwsCall("2025", "{}", "{}", "{}", "ok", 0.1),)'

SAME = "Both tags name the digest that was built and checked"
ADMITS = "The registry holds the checked image, as one manifest that Lambda admits"
MOVES = "The release tag cannot be overwritten while the rolling tags can move"
LIFE = "No lifecycle rule ends the release in the foreseeable future"
ACTIVE = "A published tag names an image that can be pulled"
PLACE = "The repository is the one of the release's account and region"
OTHER = "Publishing changed nothing else in the repository"
CALLS = "The run made no change that a release may not make"
ZIP = "The zip function is what it was before the release"
ZIP_CALLS = "No call of this run could have changed the zip function"
ZIP_FILES = "The zip pipeline's files are unchanged since the last release"

# fault: (done before publishing, done after it, the scenarios that must go red, words of the message)
FAULTS = {
    "none": ("", "", set(), ""),
    "row 6: an index with attestations": ("", INDEX, {ADMITS}, "--provenance=false"),
    "row 9: latest moved back": ("", 'world.registry.tags["latest"] = world.old', {SAME}, "The tag 'latest' names"),
    "row 10: keep the newest five": (KEEP_FIVE, "", {LIFE}, "after 5 more pushes: rule 1"),
    "row 12: MUTABLE": (
        'world.registry.setting = {"imageTagMutability": "MUTABLE"}',
        "",
        {MOVES},
        "'v1.0.0' can be overwritten: the setting is MUTABLE",
    ),
    "row 12: a filter that takes in the release tag": (
        'world.registry.setting["imageTagMutabilityExclusionFilters"] += [{"filterType": "WILDCARD", "filter": "v*"}]',
        "",
        {MOVES},
        "excluded: 'latest', 'candidate', 'v*'",
    ),
    "archived": ("", ARCHIVED, {ACTIVE}, "has the status ARCHIVED"),
    "another account": ("", ELSEWHERE, {PLACE}, "account is '111122223333'"),
    "another image": (
        "",
        'world.published = replace(world.published, config_digest="sha256:" + "e" * 64)',
        {ADMITS},
        "another image than the one that was checked",
    ),
    "another tag deleted": ("", 'del world.registry.tags["v0.9.0"]', {OTHER}, "tag v0.9.0 changed"),
    "a lifecycle policy set meanwhile": (
        "",
        KEEP_FIVE.replace('"imageCountMoreThan", "countNumber": 5', '"imageCountMoreThan", "countNumber": 900'),
        {OTHER},
        "lifecycle policy changed",
    ),
    "an image deleted": ("", CALL.format("ecr", "BatchDeleteImage", "naver-sms-automation"), {CALLS}, "BatchDelete"),
    "zip code": ("", 'world.facts["configuration"] = {"CodeSha256": "b"}', {ZIP}, "CodeSha256 changed"),
    "zip rule": ("", 'world.facts["rules"]["default/r"]["State"] = "DISABLED"', {ZIP}, '"ENABLED", and is "DISABLED"'),
    "zip updated by us": (
        "",
        CALL.format("lambda", "UpdateFunctionCode", "zip"),
        {CALLS, ZIP_CALLS},
        "UpdateFunctionCode",
    ),
    "zip pipeline edited": (GIT, "", {ZIP_FILES}, "zip.sh changed since v0.9.0"),
}


def named_by_pytest(title):
    """The test function that pytest-bdd makes of a scenario's title."""
    return "test_" + re.sub(r"[^a-z0-9 ]", "", title.lower()).replace(" ", "_")


def test_each_fault_turns_its_own_scenario_red_and_no_other(pytester, monkeypatch):
    """Without a fault every scenario holds; with one, exactly the scenarios that it breaks fail, and say why."""
    monkeypatch.syspath_prepend(ROOT)
    pytester.makeini(f"[pytest]\nmarkers =\n{MARKERS}")
    pytester.makeconftest(CONFTEST.format(root=ROOT))
    named = [f"{ROOT}/features/{name}.feature" for name in ("ac2_published", "ac4_zip_untouched")]
    pytester.makepyfile(f"from pytest_bdd import scenarios\nscenarios(*{named!r})")
    # What ECR does by itself is not in the registry in memory; the catalogue has the faults of those two.
    here = "not ecr_signed and not destination_of_replication"
    run = pytester.inline_run("-p", "no:cacheprovider", "-m", "not aws", "-k", here, "--tb=short", "-q")

    reports = [each for each in run.getreports("pytest_runtest_logreport") if each.when == "call"]
    assert len(reports) == SCENARIOS * len(FAULTS)
    found = {fault: {} for fault in FAULTS}
    for report in filter(lambda each: each.failed, reports):
        scenario, _, parameters = report.nodeid.split("::")[-1].partition("[")
        found[next(fault for fault in FAULTS if fault in parameters)][scenario] = report.longreprtext
    assert {fault: set(texts) for fault, texts in found.items()} == {
        fault: set(map(named_by_pytest, red)) for fault, (_, _, red, _) in FAULTS.items()
    }
    for fault, texts in found.items():
        assert all(FAULTS[fault][3] in text for text in texts.values()), (fault, texts)

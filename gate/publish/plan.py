"""`--plan`: what a run with these options would do, in order, with its commands; it asks nothing and does nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gate.image.build import shown_folder
from gate.options import Options
from gate.publish.promotion_checks import ReleaseTags
from gate.publish.release_log import WHOAMI, Commands
from gate.release import Release
from gate.verdict import Kind

DIGEST = "sha256:…"


@dataclass(frozen=True)
class PlannedAction:
    """One thing that a run does.

    Attributes:
        command: as one would type it.
        why: what it is for.
        changes: what it changes, "" when it only reads.
    """

    command: str
    why: str
    changes: str = ""


def planned_actions(options: Options, release: Release, kind: Kind) -> tuple[PlannedAction, ...]:
    """Everything that a whole run of this kind does, in order."""
    commands = Commands(release.account, release.region, release.repository)
    promotes = kind == "promotion"
    publishes = kind != "rescan" and (options.target == "local" or options.publish or promotes)
    if promotes:
        work = _promoting(options, release, commands)
    elif publishes:
        work = _publishing(options, release, commands)
    else:
        work = _looking(release, commands, pulls=kind != "rescan" and not options.image)
    return (*_beginning(options, publishes), *work, *_end(options, release, kind))


def _beginning(options: Options, publishes: bool) -> Iterator[PlannedAction]:
    if options.target == "local":
        yield PlannedAction(
            "make local", "a registry, the ECR API and AWS's other services on 127.0.0.1", "this machine only"
        )
        return
    yield PlannedAction(WHOAMI, "account and region must be the release's, or nothing follows")
    policy = f"docs/policies/{'publish' if publishes else 'verify'}.json"
    yield PlannedAction("aws iam simulate-principal-policy …", f"each permission of {policy} must be there")


def _publishing(options: Options, release: Release, commands: Commands) -> Iterator[PlannedAction]:
    repository = release.repository
    if options.image:
        yield PlannedAction(f"docker image inspect {options.image}", "the image to be checked; nothing is built")
    else:
        base = release.approved_bases[0]
        if options.target == "aws":
            yield PlannedAction(f"docker pull {base}", "the approved base", "the local Docker engine")
        command = f"docker build --tag {repository}:latest … {shown_folder(options.image_context)}"
        yield PlannedAction(command, "the image to be checked", "the local Docker engine")
    if name := release.zip_function:
        yield PlannedAction(commands.baseline(name), "the zip function as it is before anything is pushed")
    yield PlannedAction("every scenario of AC1 and AC6", "nothing is pushed for an image that fails")
    yield PlannedAction(commands.login(), "in memory; the person's own Docker configuration stays as it is")
    yield PlannedAction(
        commands.push(release.candidate_tag), "the candidate", f"{repository}: an image, and {release.candidate_tag}"
    )
    yield PlannedAction(commands.request_scan(DIGEST), "only a clean digest goes on", f"{repository}: a scan begins")
    yield PlannedAction(
        "every other scenario but those about the published tags", "no tag is given while one of them fails"
    )
    yield PlannedAction(
        commands.put_image(DIGEST, release.release_tag), "the promotion", f"{repository}: {release.release_tag}"
    )
    yield from _rolling_tag(options, release, commands)


def _promoting(options: Options, release: Release, commands: Commands) -> Iterator[PlannedAction]:
    yield PlannedAction(
        f"reports/runs/: the run that accepted {release.release_tag}", "its evidence is intact, and says yes"
    )
    if name := release.zip_function:
        yield PlannedAction(commands.baseline(name), "the zip function as it is before a tag is moved")
    yield PlannedAction(commands.describe_images(), f"{release.release_tag} names the accepted digest")
    yield PlannedAction(
        commands.request_scan(DIGEST), "only a clean digest goes on", f"{release.repository}: a scan begins"
    )
    yield PlannedAction(
        "every scenario of AC2, AC5 and AC7 but those about the published tags", "no tag moves while one of them fails"
    )
    yield from _rolling_tag(options, release, commands)


def _rolling_tag(options: Options, release: Release, commands: Commands) -> Iterator[PlannedAction]:
    repository = release.repository
    if tag := release.rolling_tag:
        yield PlannedAction(commands.put_image(DIGEST, tag), "the promotion", f"{repository}: {tag}")
    yield PlannedAction(commands.describe_images(), f"{' and '.join(ReleaseTags.of(release).published)} are read back")
    if options.target == "local":
        trial = f"{commands.put_image(DIGEST, release.release_tag)}  # must be refused"
        yield PlannedAction(trial, "another manifest under the release tag, where that may be tried")


def _looking(release: Release, commands: Commands, *, pulls: bool) -> Iterator[PlannedAction]:
    yield PlannedAction(
        commands.describe_images(), f"which digest {' and '.join(ReleaseTags.of(release).published)} name"
    )
    if pulls:
        yield PlannedAction(f"docker pull {release.approved_bases[0]}", "the approved base", "the local Docker engine")
        yield PlannedAction(commands.login(), "in memory; the person's own Docker configuration stays as it is")
        yield PlannedAction(commands.pull(DIGEST), "the published image, to be checked", "the local Docker engine")
    yield PlannedAction(commands.request_scan(DIGEST), "a scan of today", f"{release.repository}: a scan begins")


def _end(options: Options, release: Release, kind: Kind) -> Iterator[PlannedAction]:
    if kind != "rescan":
        reads, why = "aws iam …; aws lambda …", "who may push and pull"
        if release.zip_function:
            reads += "; aws events …" + "; aws cloudtrail …; aws cloudwatch …" * (options.target == "aws")
            why += f"; {release.zip_function} as it is now"
        yield PlannedAction(reads, why)
    folder = "reports" if kind == "full" else f"reports/{kind}"
    written = f"{folder}/" if kind == "partial" else f"{folder}/ and VALIDATION.md"
    yield PlannedAction(f"{folder}/report.html", "every scenario is checked", written)


def plan_text(options: Options, release: Release, kind: Kind, environment: Mapping[str, str]) -> str:
    """The plan as text."""
    head = [
        f"plan: {release.repository} {release.release_tag}, a {kind} run on {_target(options, environment)}",
        f"image: {_image(options, release, kind)}",
    ]
    if kind == "partial":
        head.append("the run is restricted: of these, it does what the selected scenarios need")
    body = []
    for number, action in enumerate(planned_actions(options, release, kind), 1):
        body += [f"{number:3}. {action.command}", f"       {action.why}"]
        body += [f"       CHANGES {action.changes}"] if action.changes else []
    return "\n".join([*head, "", *body, "", "nothing was done"])


def _target(options: Options, environment: Mapping[str, str]) -> str:
    if options.target == "local":
        return "the local target: nothing outside this machine is changed; a build downloads what it lacks"
    asked = [f"{name}={value}" for name, value in sorted(environment.items()) if name.startswith("AWS_ENDPOINT_URL")]
    if asked:
        return f"what {', '.join(asked)} names: whatever comes of it is a rehearsal"
    return f"AWS, as {f'the profile {options.profile}' if options.profile else 'the ordinary AWS chain says'}"


def _image(options: Options, release: Release, kind: Kind) -> str:
    if kind == "rescan":
        return f"none is checked; the scan is of what {release.release_tag} names"
    if kind == "promotion":
        return f"none is built, pulled or pushed; {release.rolling_tag} is given to what {release.release_tag} names"
    if options.image:
        return f"{options.image}, as it is"
    if options.target == "aws" and not options.publish:
        return f"pulled by the digest that {release.release_tag} names"
    return f"built from {shown_folder(options.image_context)}/Dockerfile"

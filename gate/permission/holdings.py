"""Finding out which permissions the caller holds, without changing anything.

Reads are tried out. For writes IAM's simulator is asked about the caller's own policies, and where those are silent,
the repository's policy is read: an allow in either suffices (ECR User Guide, "Private repository policies"). A policy
of the session itself, or of a network endpoint, is seen by neither; what it denies shows when it is needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from gate.access.document import Kind, PolicyText, Statement, parse
from gate.access.pattern import action_matches
from gate.aws.refusals import LOGGED_OUT, NOT_ALLOWED, NotThere, ask, error_code, explained, garbled, pages
from gate.errors import GateError
from gate.permission.ci_role_checks import Holding, State
from gate.permission.needs import Need, resources
from gate.permission.probes import parameters
from gate.release import Release
from gate.text import plain

_ROLE_SESSION = re.compile(r"arn:[\w-]+:sts::\d{12}:assumed-role/([^/]+)/.+")
_USER = re.compile(r"arn:[\w-]+:iam::\d{12}:user/.+")
# Authorised, and then not found: every service has its own word for it.
_ABSENT = re.compile(r"NotFound|NoSuchEntity|DoesNotExist")
_WANTS_CONTEXT = "its context is missing"
_UNSIMULATED = "IAM's simulator knows roles and users only"


class Holdings:
    """Asks about the permissions of one caller.

    Args:
        client: makes a client of a service.
        release: what it is about.
        caller: the ARN that GetCallerIdentity answers.
    """

    def __init__(self, client: Callable[[str], Any], release: Release, caller: str) -> None:
        self._client, self._release, self._caller = cache(client), release, caller

    def of(self, needs: Iterable[Need]) -> tuple[Holding, ...]:
        """What is known of each.

        Raises:
            AwsRefused: the credentials are not accepted.
        """
        enhanced = self._enhanced()
        return tuple(self._holding(need) for need in needs if enhanced or not need.enhanced)

    def _holding(self, need: Need) -> Holding:
        if need.action == "iam:SimulatePrincipalPolicy":
            return self._simulator(need)
        sent = parameters(need, self._release)
        return self._by_simulation(need) if sent is None else self._tried(need, sent)

    def _tried(self, need: Need, sent: dict[str, Any]) -> Holding:
        try:
            self._method(need)(**sent)
        except ClientError as error:
            return _from_error(need, error)
        except (BotoCoreError, *garbled()) as error:
            return Holding(need, State.UNKNOWN, plain(f"{type(error).__name__}: {error}"))
        return Holding(need, State.HELD, "the call was answered")

    def _method(self, need: Need) -> Callable[..., Any]:
        client = self._client(need.service)
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", need.operation).lower()
        method: Callable[..., Any] = getattr(client, words)
        return method

    def _simulator(self, need: Need) -> Holding:
        principal = self._principal()
        if principal is None:
            return Holding(need, State.UNKNOWN, _UNSIMULATED)
        return self._tried(need, {"PolicySourceArn": principal, "ActionNames": ["ecr:PutImage"]})

    def _by_simulation(self, need: Need) -> Holding:
        principal = self._principal()
        if principal is None:
            return Holding(need, State.UNKNOWN, _UNSIMULATED)
        try:
            decision = self._decision(need, principal)
        except GateError as refusal:
            return Holding(need, State.UNKNOWN, f"the simulator cannot be asked: {refusal.cause}")
        if decision == "allowed":
            return Holding(need, State.HELD, "IAM's simulator: the caller's own policies allow it")
        if decision == "explicitDeny":
            return Holding(need, State.DENIED, "IAM's simulator: a policy denies it")
        if decision == _WANTS_CONTEXT:
            why = "IAM's simulator: a condition hangs on what only the request itself tells"
            return Holding(need, State.UNKNOWN, why)
        return self._by_repository(need, principal)

    def _decision(self, need: Need, principal: str) -> str:
        answer = ask(
            self._client("iam").simulate_principal_policy,
            "iam:SimulatePrincipalPolicy",
            principal,
            PolicySourceArn=principal,
            ActionNames=[need.action],
            ResourceArns=list(resources(need, self._release)),
        )
        result = answer["EvaluationResults"][0]
        if result.get("MissingContextValues"):
            return _WANTS_CONTEXT
        denied = not result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True)
        return "explicitDeny" if denied else str(result["EvalDecision"])

    def _by_repository(self, need: Need, principal: str) -> Holding:
        try:
            statements = self._repository_policy()
        except NotThere:
            statements = ()
        except GateError as refusal:
            return Holding(need, State.UNKNOWN, f"the repository policy cannot be read: {refusal.cause}")
        naming = [each for each in statements if _grants(each, principal, need.action)]
        if not naming:
            return Holding(need, State.MISSING, "neither the caller's policies nor the repository's allow it")
        if all(each.conditions for each in naming):
            return Holding(need, State.UNKNOWN, "the repository policy allows it on a condition")
        return Holding(need, State.HELD, "the repository policy allows it")

    def _repository_policy(self) -> tuple[Statement, ...]:
        answer = ask(
            self._client("ecr").get_repository_policy,
            "ecr:GetRepositoryPolicy",
            self._release.repository,
            ("RepositoryPolicyNotFoundException",),
            registryId=self._release.account,
            repositoryName=self._release.repository,
        )
        return parse(PolicyText("the repository policy", answer["policyText"]), Kind.RESOURCE).statements

    @cache  # noqa: B019 - one short-lived object a run
    def _principal(self) -> str | None:
        """The ARN of the caller's role or user, as the simulator wants it."""
        if _USER.fullmatch(self._caller):
            return self._caller
        session = _ROLE_SESSION.fullmatch(self._caller)
        if session is None:
            return None
        # A role's path, which single sign-on uses, is not part of its sessions' ARN.
        listing = ("get_account_authorization_details", "iam:GetAccountAuthorizationDetails", self._caller)
        try:
            for page in pages(self._client("iam"), *listing, Filter=["Role"]):
                for role in page["RoleDetailList"]:
                    if role["RoleName"] == session[1]:
                        return str(role["Arn"])
        except GateError:
            # The permission to list roles is itself on the list, and is named as missing there.
            return None
        return None

    def _enhanced(self) -> bool:
        try:
            answer = self._client("ecr").get_registry_scanning_configuration()
        except (ClientError, BotoCoreError, *garbled()):
            return False
        return bool(answer.get("scanningConfiguration", {}).get("scanType") == "ENHANCED")


def _from_error(need: Need, error: ClientError) -> Holding:
    code, said = error_code(error), str(error.response.get("Error", {}).get("Message", ""))
    if code in LOGGED_OUT:
        raise explained(error, need.action, "the permissions of the caller") from error
    if code in NOT_ALLOWED:
        return Holding(need, State.MISSING, said or code)
    if _ABSENT.search(code):
        return Holding(need, State.HELD, f"the call was let in, and found nothing ({code})")
    return Holding(need, State.UNKNOWN, f"{code}: {said}")


def _grants(statement: Statement, principal: str, action: str) -> bool:
    named = ("AWS", principal) in statement.principals and not statement.excepting_principals
    acts = not statement.excepting_actions and any(action_matches(each, action) for each in statement.actions)
    return statement.allows and named and acts

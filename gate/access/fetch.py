"""Reading from AWS all that decides who may do what in the repository."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from gate.access.details import Documents, group, managed_policies, named_of_aws, role, user
from gate.access.document import PolicyText
from gate.access.facts import AccessFacts, Function, Group, Identity, ManagedPolicy, Network, Simulation
from gate.access.powers import needed_to, powers
from gate.aws.partition import partition_of
from gate.aws.refusals import NotThere, ask, pages, readable
from gate.errors import AwsRefused
from gate.facts import MissingFact, fact_or_missing

_DETAILS = "iam:GetAccountAuthorizationDetails"


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Beside:
    """What decides access beside IAM and ECR; each may be missing, and what hangs on it is then undecided.

    Attributes:
        functions: boto3's Lambda client, for the roles that functions run as.
        organizations: boto3's Organizations client.
        organization_id: the account's organization as pytest.ini states it, "" where it does not.
        network: where the CI role's requests come from, as pytest.ini states it.
        now: the time of day, in UTC.
    """

    functions: Any = None
    organizations: Any = None
    organization_id: str = ""
    network: Network = field(default_factory=Network)
    now: Callable[[], datetime] = _utc_now


class Account:
    """The account of the release, as far as access to its repository goes.

    Args:
        iam: boto3's IAM client.
        ecr: boto3's ECR client.
        account: the twelve-digit account.
        region: the repository's region.
        repository: the repository's name.
        function: the name of the function that will run the image.
        beside: what else decides.
    """

    def __init__(
        self,
        iam: Any,
        ecr: Any,
        *,
        account: str,
        region: str,
        repository: str,
        function: str,
        beside: Beside = Beside(),
    ) -> None:
        self._iam, self._ecr, self._beside = iam, ecr, beside
        self.account, self.region, self.repository, self.function = account, region, repository, function
        self._facts: AccessFacts | None = None

    def access_facts(self) -> AccessFacts:
        """Every identity and policy, read from AWS once for this object; what AWS refuses is a missing fact."""
        if self._facts is None:
            self._facts = self._read()
        return self._facts

    def _read(self) -> AccessFacts:
        found, partition = fact_or_missing(self._identities), partition_of(self.region).name
        # One answer tells all three, and so they are missing together.
        identities, groups, managed = _together(found)
        arn = f"arn:{partition}:ecr:{self.region}:{self.account}:repository/{self.repository}"
        return AccessFacts(
            account=self.account,
            region=self.region,
            repository=self.repository,
            function=self.function,
            identities=identities,
            repository_policy=fact_or_missing(self._repository_policy),
            registry_policy=fact_or_missing(self._registry_policy),
            repository_tags=fact_or_missing(lambda: self._tags(arn)),
            simulations=fact_or_missing(lambda: self._all_simulations(identities, arn)),
            partition=partition,
            groups=groups,
            managed=managed,
            functions=running(self._beside.functions),
            organization=organization(self._beside.organizations, self._beside.organization_id),
            network=self._beside.network,
            read_at=self._beside.now(),
        )

    def _identities(self) -> tuple[tuple[Identity, ...], tuple[Group, ...], tuple[ManagedPolicy, ...]]:
        users, groups, roles, managed = _Listed(), _Listed(), _Listed(), _Listed()
        with readable("GetAccountAuthorizationDetails"):
            for page in pages(self._iam, "get_account_authorization_details", _DETAILS, f"account {self.account}"):
                users += page["UserDetailList"]
                groups += page["GroupDetailList"]
                roles += page["RoleDetailList"]
                managed += page["Policies"]
            documents = self._documents(managed)
            by_name = {each["GroupName"]: each for each in groups}
            identities = (
                *(role(each, documents) for each in roles),
                *(user(each, [by_name[name] for name in each.get("GroupList", ())], documents) for each in users),
            )
            known = managed_policies(managed, documents)
            named = self._named(set(named_of_aws(identities)) - {each.arn for each in known}, documents)
            return identities, tuple(group(each, documents) for each in groups), (*known, *named)

    def _named(self, arns: Iterable[str], documents: Documents) -> Iterator[ManagedPolicy]:
        for arn in sorted(arns):
            with suppress(NotThere):  # what AWS does not have, nobody can attach
                yield ManagedPolicy(arn, PolicyText(f"policy {arn}", documents(arn), managed=arn))

    def _documents(self, managed: list[dict[str, Any]]) -> Documents:
        given = {
            policy["Arn"]: version["Document"]
            for policy in managed
            for version in policy.get("PolicyVersionList", ())
            if version.get("IsDefaultVersion")
        }

        @cache
        def document(arn: str) -> Any:
            return given[arn] if arn in given else self._document(arn)

        return document

    def _document(self, arn: str) -> Any:
        policy = ask(self._iam.get_policy, "iam:GetPolicy", arn, ("NoSuchEntity",), PolicyArn=arn)
        version = policy["Policy"]["DefaultVersionId"]
        answer = ask(self._iam.get_policy_version, "iam:GetPolicyVersion", arn, PolicyArn=arn, VersionId=version)
        return answer["PolicyVersion"]["Document"]

    def _repository_policy(self) -> PolicyText | None:
        source, absent = f"repository policy of {self.repository}", ("RepositoryPolicyNotFoundException",)
        call, named = self._ecr.get_repository_policy, {"repositoryName": self.repository, "registryId": self.account}
        return _policy(call, "ecr:GetRepositoryPolicy", source, absent, named)

    def _registry_policy(self) -> PolicyText | None:
        source, absent = f"registry policy of account {self.account}", ("RegistryPolicyNotFoundException",)
        return _policy(self._ecr.get_registry_policy, "ecr:GetRegistryPolicy", source, absent, {})

    def _tags(self, arn: str) -> tuple[tuple[str, str], ...]:
        answer = ask(self._ecr.list_tags_for_resource, "ecr:ListTagsForResource", arn, resourceArn=arn)
        with readable("ListTagsForResource"):
            return tuple((each["Key"], each["Value"]) for each in answer["tags"])

    def _all_simulations(self, identities: tuple[Identity, ...] | MissingFact, arn: str) -> tuple[Simulation, ...]:
        if isinstance(identities, MissingFact):
            raise identities.error
        return tuple(one for each in identities for one in self._simulations(each.arn, arn))

    def _simulations(self, principal: str, arn: str) -> Iterator[Simulation]:
        on_repository = {action for each in powers() for action in each.actions}
        on_registry = {action for each in powers() for action in each.registry_actions}
        for wanted in ("push", "pull"):
            on_repository |= {action for action, here in needed_to(wanted) if here}
            on_registry |= {action for action, here in needed_to(wanted) if not here}
        # One resource a call: an answer is then about that resource and no other.
        for resource, actions in ((arn, on_repository), ("*", on_registry)):
            yield from self._simulated(principal, sorted(actions), resource)

    def _simulated(self, principal: str, actions: list[str], resource: str) -> Iterator[Simulation]:
        asked: dict[str, Any] = {"ActionNames": actions, "ResourceArns": [resource]}
        answers = pages(
            self._iam,
            "simulate_principal_policy",
            "iam:SimulatePrincipalPolicy",
            principal,
            PolicySourceArn=principal,
            **asked,
        )
        found = []
        with readable("SimulatePrincipalPolicy"):
            found = [_simulation(each, principal, resource) for page in answers for each in page["EvaluationResults"]]
        if unanswered := sorted(set(actions) - {each.action for each in found}):
            raise AwsRefused(
                f"SimulatePrincipalPolicy gave no answer for {unanswered[0]} by {principal}",
                where=f"iam:SimulatePrincipalPolicy on {principal}",
                remedy="run again; if it stays, look at the answer (`aws iam simulate-principal-policy … --debug`)",
            )
        yield from found


class _Listed(list[dict[str, Any]]):
    """Details of one kind, collected over the pages."""


def running(client: Any) -> tuple[Function, ...] | None:
    """Every Lambda function of the client's region with its role; None where they cannot be listed."""
    if client is None:
        return None
    try:
        listing = list(pages(client, "list_functions", "lambda:ListFunctions", "the account's functions"))
    except AwsRefused:
        # What they would decide is then undecided, and says so where something hangs on it.
        return None
    with readable("ListFunctions"):
        return tuple(Function(each["FunctionArn"], each["Role"]) for page in listing for each in page["Functions"])


def organization(client: Any, stated: str) -> str | None:
    """The identifier of the account's organization, "" where it is in none, None where nobody knows.

    Raises:
        AwsRefused: AWS names another than pytest.ini states.
    """
    if client is None:
        return stated or None
    try:
        call, permission = client.describe_organization, "organizations:DescribeOrganization"
        answer = ask(call, permission, "the organization", ("AWSOrganizationsNotInUseException",))
    except NotThere:
        found = ""
    except AwsRefused:
        # What hangs on it is then undecided, unless it is stated; the way out says so.
        return stated or None
    else:
        with readable("DescribeOrganization"):
            found = str(answer["Organization"]["Id"])
    if stated and stated != found:
        raise AwsRefused(
            f"pytest.ini states the organization {stated}, and AWS answers {found or 'that the account is in none'}",
            where="pytest.ini, organization_id",
            remedy="correct organization_id, or leave it empty: it is then read",
        )
    return found


def _policy(
    call: Callable[..., Any], permission: str, source: str, absent: tuple[str, ...], named: dict[str, str]
) -> PolicyText | None:
    try:
        answer = ask(call, permission, source, absent, **named)
    except NotThere:
        return None
    with readable(permission):
        return PolicyText(source, answer["policyText"])


def _simulation(raw: dict[str, Any], principal: str, resource: str) -> Simulation:
    organization = raw.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True)
    return Simulation(
        principal,
        raw["EvalActionName"],
        resource,
        raw["EvalDecision"] == "allowed",
        tuple(raw.get("MissingContextValues", ())),
        not organization,
    )


def _together(found: Any) -> tuple[Any, Any, Any]:
    return (found, found, found) if isinstance(found, MissingFact) else found

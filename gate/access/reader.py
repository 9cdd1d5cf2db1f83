"""Reads from AWS everything that decides who may do what in the repository."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from operator import itemgetter
from typing import Any

from gate.access.access_facts import AccessFacts, Function, Identity, Network, Simulation
from gate.access.document import PolicyText
from gate.access.iam_details import read_iam
from gate.access.permission_groups import permission_groups, required_for
from gate.aws.calls import ask, pages, readable
from gate.aws.errors import AwsNotFound
from gate.aws.partition import arn, partition_of
from gate.errors import AwsRefused
from gate.missing_facts import MissingFact, fact_or_missing


@dataclass(frozen=True)
class AccountReader:
    """Reads the account of the release, as far as it decides access to the repository.

    Attributes:
        iam: boto3's IAM client.
        ecr: boto3's ECR client.
        account: the twelve-digit account.
        region: the repository's region.
        repository: the repository's name.
        function: the name of the function that will run the image.
        functions: boto3's Lambda client, for the roles of functions; without it what depends on them is undecided.
        organizations: boto3's Organizations client; without it the organization is as stated.
        organization_id: the account's organization as stated in pytest.ini, or "".
        network: where the CI role's requests come from, as stated in pytest.ini.
        now: the current time in UTC.
    """

    iam: Any
    ecr: Any
    account: str
    region: str
    repository: str
    function: str
    functions: Any = None
    organizations: Any = None
    organization_id: str = ""
    network: Network = field(default_factory=Network)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def access_facts(self) -> AccessFacts:
        """Every identity and policy, read from AWS once; what AWS refuses is a gap in these facts.

        Raises:
            AwsRefused: AWS names another organization than pytest.ini.
        """
        return self._facts

    @cached_property
    def _facts(self) -> AccessFacts:
        found = fact_or_missing(lambda: read_iam(self.iam, self.account))
        # All three come from one call, so they are missing together.
        read: Any = (found, found, found) if isinstance(found, MissingFact) else found
        identities, groups, managed = read
        repository = arn("ecr", self.region, self.account, f"repository/{self.repository}")
        return AccessFacts(
            account=self.account,
            region=self.region,
            repository=self.repository,
            function=self.function,
            identities=identities,
            repository_policy=fact_or_missing(
                lambda: self._policy(
                    "Repository", self.repository, repositoryName=self.repository, registryId=self.account
                )
            ),
            registry_policy=fact_or_missing(lambda: self._policy("Registry", f"account {self.account}")),
            repository_tags=fact_or_missing(lambda: self._tags(repository)),
            simulations=fact_or_missing(lambda: self._all_simulations(identities, repository)),
            partition=partition_of(self.region).name,
            groups=groups,
            managed=managed,
            functions=lambda_functions(self.functions),
            organization=organization(self.organizations, self.organization_id),
            network=self.network,
            read_at=self.now(),
        )

    def _policy(self, kind: str, of: str, **named: str) -> PolicyText | None:
        """The repository's or the registry's policy; `kind` is the one or the other as ECR's API writes it."""
        source, absent = f"{kind.lower()} policy of {of}", (f"{kind}PolicyNotFoundException",)
        try:
            text = ask(self.ecr, f"get_{kind.lower()}_policy", source, itemgetter("policyText"), absent, **named)
        except AwsNotFound:
            return None
        return PolicyText(source, text)

    def _tags(self, repository: str) -> tuple[tuple[str, str], ...]:
        def tags(answer: dict[str, Any]) -> tuple[tuple[str, str], ...]:
            return tuple((each["Key"], each["Value"]) for each in answer["tags"])

        return ask(self.ecr, "list_tags_for_resource", repository, tags, resourceArn=repository)

    def _all_simulations(
        self, identities: tuple[Identity, ...] | MissingFact, repository: str
    ) -> tuple[Simulation, ...]:
        if isinstance(identities, MissingFact):
            raise identities.error
        on_repository = {action for each in permission_groups() for action in each.actions}
        on_registry = {action for each in permission_groups() for action in each.registry_actions}
        for action, here in (*required_for("push"), *required_for("pull")):
            (on_repository if here else on_registry).add(action)
        # One resource for each call, so that an answer is about that resource only.
        asked = [(each.arn, *of) for each in identities for of in ((on_repository, repository), (on_registry, "*"))]
        return tuple(one for who, actions, on in asked for one in self._simulated(who, sorted(actions), on))

    def _simulated(self, principal: str, actions: list[str], resource: str) -> list[Simulation]:
        sent: dict[str, Any] = {"PolicySourceArn": principal, "ActionNames": actions, "ResourceArns": [resource]}

        def read(page: dict[str, Any]) -> list[Simulation]:
            return [
                Simulation(
                    principal,
                    each["EvalActionName"],
                    resource,
                    each["EvalDecision"] == "allowed",
                    tuple(each.get("MissingContextValues", ())),
                    not each.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True),
                )
                for each in page["EvaluationResults"]
            ]

        found = pages(self.iam, "simulate_principal_policy", principal, read, **sent)
        if unanswered := sorted(set(actions) - {each.action for each in found}):
            raise AwsRefused(
                f"SimulatePrincipalPolicy gave no answer for {unanswered[0]} by {principal}",
                where=f"iam:SimulatePrincipalPolicy on {principal}",
                remedy="run again; if it stays, look at the answer (`aws iam simulate-principal-policy … --debug`)",
            )
        return found


def lambda_functions(client: Any) -> tuple[Function, ...] | None:
    """Every Lambda function of the client's region with its role; None if they cannot be listed."""
    if client is None:
        return None
    try:
        listing = pages(client, "list_functions", "the account's functions", lambda page: [page])
    except AwsRefused:
        return None  # what depends on them is undecided, and the rejection says so
    with readable("ListFunctions"):
        return tuple(Function(each["FunctionArn"], each["Role"]) for page in listing for each in page["Functions"])


def organization(client: Any, stated: str) -> str | None:
    """The account's organization, as its identifier or path; "" if it is in none, None if it is not known.

    Raises:
        AwsRefused: AWS names another than pytest.ini.
    """
    if client is None:
        return stated or None
    try:
        answer = ask(client, "describe_organization", "the organization", dict, ("AWSOrganizationsNotInUseException",))
    except AwsNotFound:
        found = ""
    except AwsRefused:
        # Without a stated organization what depends on it is undecided, and the remedy says so.
        return stated or None
    else:
        with readable("DescribeOrganization"):
            found = str(answer["Organization"]["Id"])
    if stated and stated.partition("/")[0] != found:
        raise AwsRefused(
            f"pytest.ini states the organization {stated}, and AWS answers {found or 'that the account is in none'}",
            where="pytest.ini, organization_id",
            remedy="correct organization_id, or leave it empty: it is then read",
        )
    return stated or found  # what is stated may be the whole path of the account's unit

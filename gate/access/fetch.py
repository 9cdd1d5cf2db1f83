"""Reading from AWS all that decides who may do what in the repository."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from gate.access.document import PolicyText
from gate.access.facts import AccessFacts, Identity, Simulation
from gate.access.powers import needed_to, powers
from gate.aws.partition import partition_of
from gate.aws.refusals import NotThere, ask, pages, readable
from gate.errors import AwsRefused
from gate.gaps import Gap, had

_DETAILS = "iam:GetAccountAuthorizationDetails"

_Documents = Callable[[str], Any]


class Account:
    """The account of the release, as far as access to its repository goes.

    Args:
        iam: boto3's IAM client.
        ecr: boto3's ECR client.
        account: the twelve-digit account.
        region: the repository's region.
        repository: the repository's name.
        function: the name of the function that will run the image.
    """

    def __init__(self, iam: Any, ecr: Any, *, account: str, region: str, repository: str, function: str) -> None:
        self._iam, self._ecr = iam, ecr
        self.account, self.region, self.repository, self.function = account, region, repository, function
        self._facts: AccessFacts | None = None

    def access_facts(self) -> AccessFacts:
        """Every identity and policy, read from AWS once for this object; what AWS refuses is a gap in them."""
        if self._facts is None:
            self._facts = self._read()
        return self._facts

    def _read(self) -> AccessFacts:
        identities, partition = had(self._identities), partition_of(self.region).name
        arn = f"arn:{partition}:ecr:{self.region}:{self.account}:repository/{self.repository}"
        return AccessFacts(
            account=self.account,
            region=self.region,
            repository=self.repository,
            function=self.function,
            identities=identities,
            repository_policy=had(self._repository_policy),
            registry_policy=had(self._registry_policy),
            repository_tags=had(lambda: self._tags(arn)),
            simulations=had(lambda: self._all_simulations(identities, arn)),
            partition=partition,
        )

    def _identities(self) -> tuple[Identity, ...]:
        users, groups, roles, managed = _Listed(), _Listed(), _Listed(), _Listed()
        with readable("GetAccountAuthorizationDetails"):
            for page in pages(self._iam, "get_account_authorization_details", _DETAILS, f"account {self.account}"):
                users += page["UserDetailList"]
                groups += page["GroupDetailList"]
                roles += page["RoleDetailList"]
                managed += page["Policies"]
            documents = self._documents(managed)
            by_name = {each["GroupName"]: each for each in groups}
            return (
                *(_role(each, documents) for each in roles),
                *(_user(each, [by_name[name] for name in each.get("GroupList", ())], documents) for each in users),
            )

    def _documents(self, managed: list[dict[str, Any]]) -> _Documents:
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
        policy = ask(self._iam.get_policy, "iam:GetPolicy", arn, PolicyArn=arn)
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

    def _all_simulations(self, identities: tuple[Identity, ...] | Gap, arn: str) -> tuple[Simulation, ...]:
        if isinstance(identities, Gap):
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


def _role(raw: dict[str, Any], documents: _Documents) -> Identity:
    who = f"role {raw['RoleName']}"
    trust = PolicyText(f"trust policy of {who}", raw["AssumeRolePolicyDocument"])
    policies = _attached(raw, "RolePolicyList", who, documents)
    return Identity(raw["Arn"], raw["RoleId"], policies, _boundary(raw, who, documents), trust, _tags(raw))


def _user(raw: dict[str, Any], groups: list[dict[str, Any]], documents: _Documents) -> Identity:
    who = f"user {raw['UserName']}"
    policies = _attached(raw, "UserPolicyList", who, documents)
    for group in groups:
        policies += _attached(group, "GroupPolicyList", f"{who} by group {group['GroupName']}", documents)
    return Identity(raw["Arn"], raw["UserId"], policies, _boundary(raw, who, documents), None, _tags(raw))


def _attached(raw: dict[str, Any], inline: str, who: str, documents: _Documents) -> tuple[PolicyText, ...]:
    own = (
        PolicyText(f"inline policy {each['PolicyName']} of {who}", each["PolicyDocument"])
        for each in raw.get(inline, ())
    )
    managed = (
        PolicyText(f"policy {each['PolicyName']} of {who}", documents(each["PolicyArn"]))
        for each in raw.get("AttachedManagedPolicies", ())
    )
    return (*own, *managed)


def _boundary(raw: dict[str, Any], who: str, documents: _Documents) -> PolicyText | None:
    attached = raw.get("PermissionsBoundary")
    if not attached:
        return None
    return PolicyText(f"permissions boundary of {who}", documents(attached["PermissionsBoundaryArn"]))


def _tags(raw: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((each["Key"], each["Value"]) for each in raw.get("Tags", ()))


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

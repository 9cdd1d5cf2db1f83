"""The parsed policies of an account: its principals, groups, managed policies and trust policies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from gate.access.access_facts import AccessFacts, Identity
from gate.access.decision import Decision, Ternary, all_of, any_of
from gate.access.document import Kind, Policy, PolicyText, Statement, parse
from gate.access.evaluation import AccessRequest, may
from gate.access.matching import NOTHING, expanded
from gate.access.principal import Principal, account_principal
from gate.access.request_context import KnownValues, of_iam_request
from gate.errors import GateError
from gate.missing_facts import fact_or_missing

_ANY = Statement("a policy of its own making", "", True, ("*",), False, ("*",), False, (), False, (), True)
# What a principal writes that may write a policy: everything is allowed.
ALLOW_EVERYTHING = Policy("a policy of its own making", "2012-10-17", (_ANY,))
# AWS managed policies with actions of ECR or IAM, and these actions (AWS Managed Policy Reference).
_PULLS = ("ecr:Get*", "ecr:BatchGet*", "ecr:BatchCheckLayerAvailability")
AWS_MANAGED: dict[str, tuple[str, ...]] = {
    "PowerUserAccess": ("ecr:*", "lambda:*", "sts:*"),
    "IAMFullAccess": ("iam:*",),
    "AmazonEC2ContainerRegistryFullAccess": ("ecr:*",),
    "AmazonEC2ContainerRegistryPowerUser": (*_PULLS, "ecr:InitiateLayerUpload", "ecr:UploadLayerPart",
                                            "ecr:CompleteLayerUpload", "ecr:PutImage"),
    "AmazonEC2ContainerRegistryReadOnly": _PULLS,
    "AmazonEC2ContainerRegistryPullOnly": _PULLS,
    "AmazonECSTaskExecutionRolePolicy": _PULLS,
    "ReadOnlyAccess": _PULLS,
}  # fmt: skip
_NEW = {"iam:CreateUser": "user/new", "iam:CreateRole": "role/new", "iam:CreateGroup": "group/new"}


@dataclass(frozen=True)
class AccountPolicies:
    """The policies of one account, parsed when they are first used.

    Raises:
        GateError: from its properties, if a policy was not read or cannot be parsed.
    """

    facts: AccessFacts
    _trusts: dict[str, Policy] = field(default_factory=dict, repr=False)

    @cached_property
    def principals(self) -> dict[str, Principal]:
        """Every role and user, by ARN."""
        return {each.arn: account_principal(each, self.facts) for each in self.facts.identities}

    @cached_property
    def identities(self) -> dict[str, Identity]:
        """The same as read from AWS."""
        return {each.arn: each for each in self.facts.identities}

    @cached_property
    def groups(self) -> dict[str, tuple[Policy, ...]]:
        """The policies of every group, by its ARN."""
        return {each.arn: tuple(parse(one, Kind.IDENTITY) for one in each.policies) for each in self.facts.groups}

    @cached_property
    def attachable(self) -> dict[str, Policy]:
        """The managed policies that can be attached, by ARN; those that allow most come first."""
        prefix = f"arn:{self.facts.partition}:iam::aws:policy/"
        everything = f"{prefix}AdministratorAccess"
        named = {
            f"{prefix}{name}": Policy(
                f"AWS's policy {name}", "2012-10-17", (replace(_ANY, label=f"AWS's policy {name}", actions=actions),)
            )
            for name, actions in AWS_MANAGED.items()
        }
        read = {each.arn: parse(each.document, Kind.IDENTITY) for each in self.facts.managed}
        return {everything: ALLOW_EVERYTHING, **named, **read} | {everything: ALLOW_EVERYTHING}

    @cached_property
    def older(self) -> dict[str, tuple[Policy, ...]]:
        """The versions of managed policies that are not the default version, by the policy's ARN."""
        return {each.arn: tuple(parse(one, Kind.IDENTITY) for one in each.older) for each in self.facts.managed}

    @cached_property
    def tag_keys(self) -> tuple[str, ...]:
        """The keys of principal tags that conditions in the account use."""
        # A resource policy that was not read is reported where it decides something.
        texts = (
            fact_or_missing(lambda: self.facts.repository_policy),
            fact_or_missing(lambda: self.facts.registry_policy),
        )
        policies = [parse(each, Kind.RESOURCE) for each in texts if isinstance(each, PolicyText)]
        policies += [policy for principal in self.principals.values() for policy in principal.policies_and_boundary]
        keys = {each.key for policy in policies for one in policy.statements for each in one.conditions}
        return tuple(sorted(key.partition("/")[2] for key in keys if key.lower().startswith("aws:principaltag/")))

    def protected(self, arn: str) -> bool:
        """Whether it is a role that only AWS can change (see `Identity.protected`)."""
        return arn in self.identities and self.identities[arn].protected

    def trust(self, role: Identity) -> Policy:
        """A role's trust policy.

        Raises:
            GateError: it was not read, or cannot be parsed.
        """
        if role.trust is None:
            raise GateError(
                f"The role {role.arn} was read without its trust policy, so it is not known who can become it",
                where=role.arn,
                remedy="grant iam:GetAccountAuthorizationDetails to the role that runs the gate",
            )
        if role.arn not in self._trusts:
            self._trusts[role.arn] = parse(role.trust, Kind.RESOURCE)
        return self._trusts[role.arn]

    def services(self, role: Identity) -> tuple[str, ...]:
        """The AWS services that may assume a role."""
        pairs = (pair for each in self.trust(role).allowing for pair in each.principals)
        return tuple(dict.fromkeys(value for kind, value in pairs if kind == "Service"))

    def trusts_principals(self, target: Identity) -> bool:
        """Whether a trust policy gives access to principals that then need no identity policy for it."""
        if not target.is_role:
            return False
        root = (self.facts.account, f"arn:{self.facts.partition}:iam::{self.facts.account}:root")
        return any(
            each.excepting_principals or any(kind == "AWS" and value not in root for kind, value in each.principals)
            for each in self.trust(target).allowing
        )

    def may(self, principal: Principal, action: str, resource: str, more: KnownValues | None = None) -> Decision:
        """Whether a principal may do something on a user, role, group or policy of the account."""
        if not principal.statements(action, allowing=True):
            return Decision(Ternary.NO)
        context = of_iam_request(self.facts, self.identities.get(resource)).with_more(more or {})
        return may(principal, AccessRequest(action, resource, (), context))

    def anywhere(self, principal: Principal, actions: tuple[str, ...], *, beyond: bool = False) -> Decision:
        """Whether a principal may do each of these actions on some resource.

        Args:
            principal: the principal.
            actions: the actions.
            beyond: whether the resources are in another region than the repository.
        """
        context = of_iam_request(self.facts).with_more({"aws:requestedregion": None})
        found = []
        for action in actions:
            places = dict.fromkeys(self.places(principal, action, beyond=beyond))
            found.append(any_of(may(principal, AccessRequest(action, place, (), context)) for place in places))
        return all_of(found)

    def places(self, principal: Principal, action: str, *, beyond: bool = False) -> Iterator[str]:
        """One ARN for each Resource of the statements that allow the action, with variables and wildcards filled in."""
        service, facts = action.partition(":")[0], self.facts
        region = "" if service == "iam" else ("elsewhere" if beyond else facts.region)
        anything = ["arn", facts.partition, service, region, facts.account, _NEW.get(action, "new")]
        for statement in principal.statements(action, allowing=True):
            known = principal.context if statement.variables else NOTHING
            for pattern in ("*",) if statement.excepting_resources else statement.resources:
                fields = expanded(pattern, known).split(":", 5)
                if len(fields) != len(anything):
                    yield ":".join(anything)
                elif fields[2] in (service, "*") and not (beyond and fields[3] == facts.region):
                    head = [
                        own if set("*?") & set(wanted) else wanted for wanted, own in zip(fields, anything, strict=True)
                    ]
                    last = anything[5] if fields[5] == "*" else fields[5].replace("*", "new").replace("?", "x")
                    yield ":".join((*head[:5], last))

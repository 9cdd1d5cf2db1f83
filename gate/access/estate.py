"""The principals of an account as askers, and what else of it decides which powers they could give themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from gate.access.asker import Asker, insider
from gate.access.document import Kind, Policy, PolicyText, Statement, parse
from gate.access.evaluate import Request, may
from gate.access.facts import AccessFacts, Identity
from gate.access.known import Known, of_iam_request
from gate.access.logic import Answer, Finding, all_of, any_of
from gate.access.pattern import NOTHING, expanded
from gate.errors import GateError
from gate.facts import fact_or_missing

_ANY = Statement("a policy of its own making", "", True, ("*",), False, ("*",), False, (), False, (), True)
# What somebody who may write a policy writes: everything is allowed.
ANY_POLICY = Policy("a policy of its own making", "2012-10-17", (_ANY,))
# AWS's own policies that give ECR or IAM away, and what they allow of either (AWS Managed Policy Reference).
_PULLS = ("ecr:Get*", "ecr:BatchGet*", "ecr:BatchCheckLayerAvailability")
OF_AWS: dict[str, tuple[str, ...]] = {
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
class Estate:
    """What a whole account holds: see `AccessFacts`.

    Raises:
        GateError: from its properties, where a policy cannot be read.
    """

    facts: AccessFacts
    _trusts: dict[str, Policy] = field(default_factory=dict, repr=False)

    @cached_property
    def askers(self) -> dict[str, Asker]:
        """Every role and user, by ARN."""
        return {each.arn: insider(each, self.facts) for each in self.facts.identities}

    @cached_property
    def identities(self) -> dict[str, Identity]:
        """The same as they were read."""
        return {each.arn: each for each in self.facts.identities}

    @cached_property
    def groups(self) -> dict[str, tuple[Policy, ...]]:
        """The policies of every group, by its ARN."""
        return {each.arn: tuple(parse(one, Kind.IDENTITY) for one in each.policies) for each in self.facts.groups}

    @cached_property
    def attachable(self) -> dict[str, Policy]:
        """Managed policies that may be attached, by ARN: those that give most first."""
        prefix = f"arn:{self.facts.partition}:iam::aws:policy/"
        everything = f"{prefix}AdministratorAccess"
        named = {f"{prefix}{name}": _allowing(name, actions) for name, actions in OF_AWS.items()}
        read = {each.arn: parse(each.document, Kind.IDENTITY) for each in self.facts.managed}
        return {everything: ANY_POLICY, **named, **read} | {everything: ANY_POLICY}

    @cached_property
    def older(self) -> dict[str, tuple[Policy, ...]]:
        """The versions of managed policies that are not in force, by the policy's ARN."""
        return {each.arn: tuple(parse(one, Kind.IDENTITY) for one in each.older) for each in self.facts.managed}

    @cached_property
    def tag_keys(self) -> tuple[str, ...]:
        """The keys of principals' tags on which a condition in the account hangs."""
        # What the resource's policies ask is about the resource: who needs them there is told that they were not read.
        texts = (
            fact_or_missing(lambda: self.facts.repository_policy),
            fact_or_missing(lambda: self.facts.registry_policy),
        )
        policies = [parse(each, Kind.RESOURCE) for each in texts if isinstance(each, PolicyText)]
        policies += [policy for asker in self.askers.values() for policy in _every(asker)]
        keys = {each.key for policy in policies for one in policy.statements for each in one.conditions}
        return tuple(sorted(key.partition("/")[2] for key in keys if key.lower().startswith("aws:principaltag/")))

    def protected(self, arn: str) -> bool:
        """Whether it is a role that AWS keeps (see `Identity.protected`)."""
        return arn in self.identities and self.identities[arn].protected

    def trust(self, role: Identity) -> Policy:
        """A role's trust policy.

        Raises:
            GateError: it was not read, or cannot be.
        """
        if role.trust is None:
            raise GateError(
                f"The role {role.arn} was read without its trust policy, so nobody knows who can become it",
                where=role.arn,
                remedy="grant iam:GetAccountAuthorizationDetails to the role that runs the gate",
            )
        if role.arn not in self._trusts:
            self._trusts[role.arn] = parse(role.trust, Kind.RESOURCE)
        return self._trusts[role.arn]

    def services(self, role: Identity) -> tuple[str, ...]:
        """The AWS services that may act as a role."""
        pairs = (pair for each in self.trust(role).statements if each.allows for pair in each.principals)
        return tuple(dict.fromkeys(value for kind, value in pairs if kind == "Service"))

    def trusts_principals(self, target: Identity) -> bool:
        """Whether a role's trust lets in principals that need no permission of their own for it."""
        if not target.is_role:
            return False
        allowing = [each for each in self.trust(target).statements if each.allows]
        root = (self.facts.account, f"arn:{self.facts.partition}:iam::{self.facts.account}:root")
        return any(
            each.excepting_principals or any(kind == "AWS" and value not in root for kind, value in each.principals)
            for each in allowing
        )

    def running_as(self, role: str) -> tuple[str, ...]:
        """The functions that are known to run as a role, by ARN."""
        return tuple(each.arn for each in self.facts.functions or () if each.role == role)

    def may(self, asker: Asker, action: str, resource: str, more: Known | None = None) -> Finding:
        """Whether a principal may do something to a user, role, group or policy of the account."""
        if not asker.statements(action, allowing=True):
            return Finding(Answer.NO)
        context = of_iam_request(self.facts, self.identities.get(resource)).with_more(more or {})
        return may(asker, Request(action, resource, (), context))

    def anywhere(self, asker: Asker, actions: tuple[str, ...], *, beyond: bool = False) -> Finding:
        """Whether a principal may do all of this, each to anything at all, whatever that is called.

        Args:
            asker: the principal.
            actions: what it has to be allowed.
            beyond: to something in another region than the repository's.
        """
        context = of_iam_request(self.facts).with_more({"aws:requestedregion": None})
        found = []
        for action in actions:
            places = dict.fromkeys(self.places(asker, action, beyond=beyond))
            found.append(any_of(may(asker, Request(action, place, (), context)) for place in places))
        return all_of(found)

    def places(self, asker: Asker, action: str, *, beyond: bool = False) -> Iterator[str]:
        """One ARN for each Resource of the statements that allow it, its variables and wildcards filled in."""
        service, facts = action.partition(":")[0], self.facts
        region = "" if service == "iam" else ("elsewhere" if beyond else facts.region)
        anything = ["arn", facts.partition, service, region, facts.account, _NEW.get(action, "new")]
        for statement in asker.statements(action, allowing=True):
            known = asker.context if statement.variables else NOTHING
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


def _allowing(name: str, actions: tuple[str, ...]) -> Policy:
    label = f"AWS's policy {name}"
    return Policy(label, "2012-10-17", (replace(_ANY, label=label, actions=actions),))


def _every(asker: Asker) -> tuple[Policy, ...]:
    return (*asker.policies, asker.boundary) if asker.boundary else asker.policies

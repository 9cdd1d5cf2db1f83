"""What was read from the account: identities with their policies, resource policies, the simulator's answers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

from gate.access.document import PolicyText
from gate.missing_facts import PartialFacts

# The commands with which a person reads the same.
ASKED = (
    "aws iam get-account-authorization-details; aws ecr get-repository-policy; aws ecr get-registry-policy; "
    "aws ecr list-tags-for-resource; aws iam simulate-principal-policy; aws organizations describe-organization; "
    "aws lambda list-functions"
)
_SERVICE_LINKED = re.compile(r"arn:[^:]+:iam::\d{12}:role/aws-service-role/([^/]+)/.+")
_RESERVED = re.compile(r"arn:[^:]+:iam::\d{12}:role/aws-reserved/.+")


@dataclass(frozen=True)
class Identity:
    """A role or user with all its policies.

    Attributes:
        arn: its ARN.
        unique_id: the identifier beginning with AROA or AIDA.
        policies: inline, managed, and (for a user) those of its groups.
        boundary: the permissions boundary, or None.
        trust: who may assume the role; None for a user.
        tags: pairs of key and value.
        groups: the ARNs of the groups that a user is in.
    """

    arn: str
    unique_id: str
    policies: tuple[PolicyText, ...]
    boundary: PolicyText | None = None
    trust: PolicyText | None = None
    tags: tuple[tuple[str, str], ...] = ()
    groups: tuple[str, ...] = ()

    @property
    def is_role(self) -> bool:
        """True for a role, false for a user."""
        return ":role/" in self.arn

    @property
    def name(self) -> str:
        """The name without path."""
        return self.arn.rpartition("/")[2]

    @property
    def service_linked(self) -> bool:
        """True for a service-linked role, which only its AWS service can assume.

        The path is reserved (IAM User Guide, "Create a service-linked role").
        """
        return bool(_SERVICE_LINKED.fullmatch(self.arn))

    @property
    def protected(self) -> bool:
        """True for a role that cannot be changed through IAM.

        Service-linked roles, and those of IAM Identity Center (its User Guide, "Referencing permission sets").
        """
        return self.service_linked or bool(_RESERVED.fullmatch(self.arn))


@dataclass(frozen=True)
class Group:
    """A group of users and its policies."""

    arn: str
    policies: tuple[PolicyText, ...]


@dataclass(frozen=True)
class ManagedPolicy:
    """A managed policy: the default version, and the others, which can become the default."""

    arn: str
    document: PolicyText
    older: tuple[PolicyText, ...] = ()


@dataclass(frozen=True)
class Function:
    """A Lambda function and its execution role, both by ARN."""

    arn: str
    role: str


@dataclass(frozen=True)
class Network:
    """Where the CI role's requests come from, as stated in pytest.ini; empty if not known.

    Attributes:
        source_ips: addresses or ranges (CIDR).
        vpce: the VPC endpoint that they use.
        vpc: the VPC that they come from.
    """

    source_ips: tuple[str, ...] = ()
    vpce: str = ""
    vpc: str = ""


@dataclass(frozen=True)
class Simulation:
    """One answer of SimulatePrincipalPolicy about identity policies and boundary.

    Attributes:
        principal: the ARN asked about.
        action: the action asked about, such as `ecr:PutImage`.
        resource: the resource asked about.
        allowed: the simulator's decision.
        missing_context: context keys that it lacked; with any, its answer is not reliable.
        organization_denies: whether a policy of the organization denies.
    """

    principal: str
    action: str
    resource: str
    allowed: bool
    missing_context: tuple[str, ...] = ()
    organization_denies: bool = False


@dataclass(frozen=True, eq=False)  # compared by identity, as a key of caches
class AccessFacts(PartialFacts):
    """Everything that decides who may do what in one repository; an attribute that could not be read raises.

    Attributes:
        account: the twelve-digit account.
        region: the repository's region.
        repository: the repository's name.
        function: the name of the Lambda function that will run the image.
        identities: every role and user of the account.
        repository_policy: the repository policy, or None.
        registry_policy: the registry's policy (replication and, in its second version, any ECR action), or None.
        repository_tags: pairs of key and value.
        simulations: what SimulatePrincipalPolicy answered.
        partition: `aws`, `aws-cn` or `aws-us-gov`.
        groups: every group of the account.
        managed: the managed policies of the account, and those of AWS that are attached or named in a condition.
        functions: the region's Lambda functions; None if they could not be listed.
        organization: the identifier of the account's organization, or the whole path of the account's organizational
            unit; "" if it is in none, None if not known.
        network: where the CI role's requests come from.
        read_at: when this was read, in UTC.
    """

    account: str
    region: str
    repository: str
    function: str
    identities: tuple[Identity, ...]
    repository_policy: PolicyText | None
    registry_policy: PolicyText | None = None
    repository_tags: tuple[tuple[str, str], ...] = ()
    simulations: tuple[Simulation, ...] = ()
    partition: str = "aws"
    groups: tuple[Group, ...] = ()
    managed: tuple[ManagedPolicy, ...] = ()
    functions: tuple[Function, ...] | None = None
    organization: str | None = None
    network: Network = field(default_factory=Network)
    read_at: datetime | None = None

    @property
    def repository_arn(self) -> str:
        """The repository's ARN."""
        return f"arn:{self.partition}:ecr:{self.region}:{self.account}:repository/{self.repository}"

    @property
    def function_arn(self) -> str:
        """The ARN of the function on whose behalf Lambda pulls."""
        return f"arn:{self.partition}:lambda:{self.region}:{self.account}:function:{self.function}"

    def role(self, name: str) -> Identity | None:
        """The role of this name (or ARN), or None."""
        return next((each for each in self.identities if each.is_role and name in (each.name, each.arn)), None)


def display_name(arn: str) -> str:
    """What an IAM ARN names, for a sentence: "role ci"."""
    kind, _, name = arn.split(":", 5)[-1].partition("/")
    return f"{kind} {name.rpartition('/')[2]}"

"""The part of the request context that is known before a request: by principal, and by resource.

Source: IAM User Guide, "AWS global condition context keys".
"""

from __future__ import annotations

from gate.access.access_facts import AccessFacts, Identity
from gate.access.document import Kind, Policy, parse
from gate.access.matching import NOTHING, Context, NotBefore, OneOf, OutsideAccount, Prefix, Value, covers
from gate.errors import GateError

LAMBDA = "lambda.amazonaws.com"
# The setting in pytest.ini that gives the value of a condition key: about the CI role's network, or the organization.
NETWORK_SETTINGS = {
    "aws:sourceip": "ci_source_ips",
    "aws:vpcsourceip": "ci_source_ips",
    "aws:sourcevpce": "ci_source_vpce",
    "aws:sourcevpc": "ci_source_vpc",
    "aws:sourcevpcarn": "ci_source_vpc (its ARN)",
    **dict.fromkeys(("aws:vpceaccount", "aws:vpceorgid", "aws:vpceorgpaths"), "ci_source_vpce (its ARN)"),
}
ORGANIZATION_SETTINGS = {
    f"aws:{whose}org{what}": stated
    for whose in ("principal", "resource", "source")
    for what, stated in (("id", "organization_id"), ("paths", "organization_id (the whole path of the unit)"))
}

# Only in requests through a VPC endpoint.
_OF_ENDPOINTS = tuple(key for key in NETWORK_SETTINGS if key != "aws:sourceip")

KnownValues = dict[str, tuple[Value, ...] | None]
_OF_SERVICES = ("aws:sourcearn", "aws:sourceaccount", "aws:sourceorg", "aws:principalservicename")
# Only in requests with the credentials of an EC2 instance or a Lambda function.
_OF_COMPUTING = ("ec2:sourceinstancearn", "ec2:roledelivery", "lambda:sourcefunctionarn", "aws:ec2instancesource")
# Only in requests of the root user by AssumeRoot, and of a channel of Amazon Q or Chatbot.
_NEVER = ("aws:assumedroot", "aws:chatbotsourcearn")
_WEB = ("sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML")


def of_request(facts: AccessFacts) -> Context:
    """The context of every request to the repository: region, the resource's account and tags, and TLS."""
    return _on_resource(facts, (facts.region,), "ecr", facts.repository_tags)


def of_iam_request(facts: AccessFacts, about: Identity | None = None) -> Context:
    """The context of a request to IAM on this role or user, or on something else."""
    region = ("us-east-1",) if facts.partition == "aws" else None  # IAM has one endpoint
    if about is None:
        return _on_resource(facts, region)
    boundary: KnownValues = {"iam:permissionsboundary": (about.boundary.managed,) if about.boundary else ()}
    return _on_resource(facts, region, "iam", about.tags).with_more(boundary)


def _on_resource(
    facts: AccessFacts, region: tuple[str, ...] | None, service: str = "", tags: tuple[tuple[str, str], ...] = ()
) -> Context:
    """On a resource of the account; with a service, on one whose tags are known."""
    names = [f"{each}:resourcetag/" for each in ("aws", service)] if service else []
    return Context(
        {
            "aws:securetransport": ("true",),
            "aws:requestedregion": region,
            "aws:resourceaccount": (facts.account,),
            **_organization("resource", facts),
            **{f"{name}{key.lower()}": (value,) for key, value in tags for name in names},
        },
        tuple(names),
    )


def of_own_calls(facts: AccessFacts, *, from_ci: bool) -> Context:
    """The context of the requests that a role of the release makes itself, not through another AWS service.

    Args:
        facts: what was read and stated.
        from_ci: whether they come from the network of the CI role, which pytest.ini may state.
    """
    direct: KnownValues = {"aws:viaawsservice": ("false",)}
    stated = _network(facts) if from_ci else {}
    return Context({**direct, **stated}, ("aws:calledvia",))


def of_identity(identity: Identity, facts: AccessFacts) -> Context:
    """The context of the requests of a role or user."""
    tags: KnownValues = {f"aws:principaltag/{key.lower()}": (value,) for key, value in identity.tags}
    known: KnownValues = {
        "aws:principalarn": (identity.arn,),
        "aws:principalaccount": (facts.account,),
        "aws:principaltype": ("AssumedRole" if identity.is_role else "User",),
        **_organization("principal", facts),
    }
    if identity.is_role:  # the name of a session can be chosen
        absent = _absent_of_sessions(identity)
        # Unique identifier of the role and session name (IAM User Guide, "Information available in all requests").
        known["aws:userid"] = (Prefix(f"{identity.unique_id}:"),) if identity.unique_id else None
        known |= tags if "aws:principaltag/" in absent else {}
    else:
        absent = ("aws:principaltag/", "aws:tokenissuetime", "aws:sourceidentity", *_NEVER, *_OF_COMPUTING)
        known |= {"aws:username": (identity.name,), "aws:userid": (identity.unique_id,), **tags}
    return _of_principal(facts, known, (*_OF_SERVICES, *absent), session=identity.is_role)


def of_foreign(account: str, facts: AccessFacts) -> Context:
    """The context of the requests of another account's principals; empty for a principal without an account."""
    return _of_principal(facts, {"aws:principalaccount": (account,)}) if account else NOTHING


def of_anybody(facts: AccessFacts) -> Context:
    """The context of the requests of anybody outside the account."""
    elsewhere = (OutsideAccount(facts.account),)
    return _of_principal(facts, {"aws:principalaccount": elsewhere, "aws:principalarn": elsewhere})


def of_service(service: str, facts: AccessFacts) -> tuple[Context, Context]:
    """The contexts of the requests of an AWS service for this account, and for other accounts."""
    named, elsewhere = {"aws:principalservicename": (service,)}, (OutsideAccount(facts.account),)
    # Lambda names the function that it pulls for; the source of another service is not known.
    source: KnownValues = {"aws:sourcearn": (facts.function_arn,)} if service == LAMBDA else {}
    here: KnownValues = {"aws:sourceaccount": (facts.account,), **source, **_organization("source", facts)}
    other: KnownValues = {"aws:sourceaccount": elsewhere, "aws:sourcearn": elsewhere}
    return _as_service({**named, **here}, facts), _as_service({**named, **other}, facts)


def of_any_service(facts: AccessFacts) -> Context:
    """The context of the requests of any AWS service for another account."""
    return _as_service({"aws:sourceaccount": (OutsideAccount(facts.account),)}, facts)


def _as_service(known: KnownValues, facts: AccessFacts) -> Context:
    # A service principal has no account, and so no organization.
    absent = ("aws:principalorg", "aws:principaltag/", "aws:principalaccount", "aws:username", "aws:calledvia",
              "aws:tokenissuetime", "aws:multifactorauth", "aws:userid", "aws:principaltype", *_NEVER,
              *_OF_COMPUTING)  # fmt: skip
    # It is the service itself that calls, and none of the account's roles or users.
    own: KnownValues = {"aws:principalisawsservice": ("true",), "aws:viaawsservice": ("false",),
                        "aws:principalarn": (OutsideAccount(facts.account),)}  # fmt: skip
    return _of_principal(facts, {**known, **own}, absent)


def _of_principal(
    facts: AccessFacts, known: KnownValues, absent: tuple[str, ...] = (), *, session: bool = False
) -> Context:
    """With what is known of every principal: no AWS service unless stated, and a time after the reading."""
    # A principal can begin a new session, whose token is issued after the time of reading.
    times = ("aws:currenttime", "aws:epochtime", *(("aws:tokenissuetime",) if session else ()))
    later: KnownValues = dict.fromkeys(times, (NotBefore(facts.read_at),)) if facts.read_at else {}
    return Context({"aws:principalisawsservice": ("false",), **later, **known}, absent)


def _organization(whose: str, facts: AccessFacts) -> KnownValues:
    if facts.organization is None:
        return {}
    if not facts.organization:
        return {f"aws:{whose}orgid": (), f"aws:{whose}orgpaths": ()}
    identifier, has_path, _ = facts.organization.partition("/")
    path: Value = facts.organization if has_path else Prefix(f"{identifier}/")
    return {f"aws:{whose}orgid": (identifier,), f"aws:{whose}orgpaths": (path,)}


def _network(facts: AccessFacts) -> KnownValues:
    network = facts.network
    private = bool(network.vpce or network.vpc)
    # Behind an endpoint there is no public address.
    known: KnownValues = {"aws:sourceip": ()} if private else {}
    for key, stated in (("aws:sourcevpce", network.vpce), ("aws:sourcevpc", network.vpc)):
        known |= {key: (stated.rpartition("/")[2],)} if stated else {}
    known |= {"aws:sourcevpcarn": (network.vpc,)} if "/" in network.vpc else {}
    if "/" in network.vpce:  # an ARN names the account that owns the endpoint
        owner = network.vpce.split(":")[4]
        known["aws:vpceaccount"] = (owner,)
        known |= _organization("vpce", facts) if owner == facts.account else {}
    if network.source_ips:
        known["aws:vpcsourceip" if private else "aws:sourceip"] = (OneOf(network.source_ips),)
        known |= {} if private else dict.fromkeys(_OF_ENDPOINTS, ())
    return known


def _absent_of_sessions(identity: Identity) -> tuple[str, ...]:
    """The keys that the role's sessions never have, by its trust policy: session tags, MFA, EC2 and Lambda."""
    try:
        trust = parse(identity.trust, Kind.RESOURCE) if identity.trust else None
    except GateError:  # reported by the check of who can become the role
        trust = None
    if trust is None:
        return ("aws:username",)
    absent = ["aws:username"]
    if not _trusts(trust, "sts:TagSession"):
        absent.append("aws:principaltag/")
    if not _trusts(trust, "sts:SetSourceIdentity"):
        absent.append("aws:sourceidentity")
    if not any(kind == "Service" for each in trust.allowing for kind, _ in each.principals):
        absent += (*_OF_COMPUTING, *_NEVER)
    if _trusts(trust, *_WEB) and not _trusts(trust, "sts:AssumeRole"):
        absent.append("aws:multifactorauth")  # AWS does not get it from identity providers
    return tuple(absent)


def _trusts(trust: Policy, *actions: str) -> bool:
    return any(covers(each, action) for each in trust.allowing for action in actions)

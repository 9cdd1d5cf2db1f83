"""What is known of a request before it is made: by whoever asks, and of every request to the repository.

The keys, and who carries them, are the IAM User Guide's, "AWS global condition context keys".
"""

from __future__ import annotations

from gate.access.document import Kind, Policy, parse
from gate.access.facts import AccessFacts, Identity, Network
from gate.access.matching import Context, NotBefore, OneOf, OutsideAccount, Prefix, Value, action_matches
from gate.errors import GateError

LAMBDA = "lambda.amazonaws.com"
# Which key of pytest.ini, or which permission, tells what a condition key needs.
STATED_IN_PYTEST_INI = {
    "aws:sourceip": "ci_source_ips",
    "aws:vpcsourceip": "ci_source_ips",
    "aws:sourcevpce": "ci_source_vpce",
    "aws:sourcevpc": "ci_source_vpc",
    **{
        f"aws:{whose}org{what}": "organization_id"
        for whose in ("principal", "resource", "source")
        for what in ("id", "paths")
    },
}

KnownValues = dict[str, tuple[Value, ...] | None]
_OF_SERVICES = ("aws:sourcearn", "aws:sourceaccount", "aws:sourceorg", "aws:principalservicename")
# Carried by the credentials that an EC2 instance or a Lambda function is given, and by no others.
_OF_COMPUTING = ("ec2:sourceinstancearn", "ec2:roledelivery", "lambda:sourcefunctionarn", "aws:ec2instancesource")
_WEB = ("sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML")


def of_request(facts: AccessFacts) -> Context:
    """What is known of every request: region, the resource's account and tags, and that ECR speaks TLS only."""
    tags: KnownValues = {
        f"{service}:resourcetag/{key.lower()}": (value,)
        for key, value in facts.repository_tags
        for service in ("aws", "ecr")
    }
    known: KnownValues = {
        "aws:securetransport": ("true",),
        "aws:requestedregion": (facts.region,),
        "aws:resourceaccount": (facts.account,),
        **_organization("resource", facts),
    }
    return Context({**known, **tags}, ("aws:resourcetag/", "ecr:resourcetag/"))


def of_iam_request(facts: AccessFacts, about: Identity | None = None) -> Context:
    """What is known of a request to IAM, about this role or user, or about something else."""
    known: KnownValues = {
        "aws:securetransport": ("true",),
        "aws:requestedregion": ("us-east-1",) if facts.partition == "aws" else None,  # where IAM has its one endpoint
        "aws:resourceaccount": (facts.account,),
        **_organization("resource", facts),
    }
    if about is None:
        return Context(known)
    boundary: KnownValues = {"iam:permissionsboundary": (about.boundary.managed,) if about.boundary else ()}
    tags: KnownValues = {
        f"{each}:resourcetag/{key.lower()}": (value,) for key, value in about.tags for each in ("aws", "iam")
    }
    return Context({**known, **boundary, **tags}, ("aws:resourcetag/", "iam:resourcetag/"))


def of_own_calls(facts: AccessFacts, *, from_ci: bool) -> Context:
    """What is known of the requests that a role of the release makes itself, through no other AWS service.

    Args:
        facts: what was read and stated.
        from_ci: whether they come from where the CI role is used, which pytest.ini may state.
    """
    direct: KnownValues = {"aws:viaawsservice": ("false",)}
    stated = _network(facts.network) if from_ci else {}
    return Context({**direct, **stated}, ("aws:calledvia",))


def of_identity(identity: Identity, facts: AccessFacts) -> Context:
    """What the requests of a role or user carry."""
    tags: KnownValues = {f"aws:principaltag/{key.lower()}": (value,) for key, value in identity.tags}
    known: KnownValues = {
        "aws:principalarn": (identity.arn,),
        "aws:principalaccount": (facts.account,),
        "aws:principaltype": ("AssumedRole" if identity.is_role else "User",),
        "aws:principalisawsservice": ("false",),
        **_organization("principal", facts),
        **_times(facts, of_session=identity.is_role),
    }
    if identity.is_role:  # its sessions choose their name
        absent = _absent_of_sessions(identity)
        # The role's identifier and the session's name (IAM User Guide, "Information available in all requests").
        known["aws:userid"] = (Prefix(f"{identity.unique_id}:"),) if identity.unique_id else None
        return Context({**known, **(tags if "aws:principaltag/" in absent else {})}, (*_OF_SERVICES, *absent))
    named: KnownValues = {"aws:username": (identity.name,), "aws:userid": (identity.unique_id,)}
    absent = ("aws:principaltag/", "aws:tokenissuetime", *_OF_COMPUTING)
    return Context({**known, **named, **tags}, (*_OF_SERVICES, *absent))


def of_foreign(account: str, facts: AccessFacts) -> Context:
    """What the requests of another account's principals carry; of a principal without an account, nothing is known."""
    known: KnownValues = {
        "aws:principalaccount": (account,),
        "aws:principalisawsservice": ("false",),
        **_times(facts, of_session=False),
    }
    return Context(known if account else {})


def of_anybody(facts: AccessFacts) -> Context:
    """What is known of somebody who belongs to some account but this one, or to none."""
    elsewhere = (OutsideAccount(facts.account),)
    known: KnownValues = {"aws:principalaccount": elsewhere, "aws:principalarn": elsewhere}
    return Context({**known, "aws:principalisawsservice": ("false",), **_times(facts, of_session=False)})


def of_service(service: str, facts: AccessFacts) -> tuple[Context, Context]:
    """What the requests of an AWS service carry that acts for this account, and of one that acts for others."""
    as_service = _as_service({"aws:principalservicename": (service,)}, facts)
    # Lambda names the function on whose behalf it pulls; what another service would name is not known.
    source: KnownValues = {"aws:sourcearn": (facts.function_arn,)} if service == LAMBDA else {}
    here: KnownValues = {"aws:sourceaccount": (facts.account,), **source, **_organization("source", facts)}
    return as_service.with_more(here), as_service.with_more(_from_elsewhere(facts))


def of_any_service(facts: AccessFacts) -> Context:
    """What is known of some AWS service that acts for some account."""
    return _as_service({"aws:sourceaccount": (OutsideAccount(facts.account),)}, facts)


def _as_service(known: KnownValues, facts: AccessFacts) -> Context:
    # A service principal belongs to no account and so to no organization.
    absent = ("aws:principalorg", "aws:principaltag/", "aws:principalaccount", "aws:username", "aws:calledvia",
              "aws:tokenissuetime", "aws:multifactorauth", *_OF_COMPUTING)  # fmt: skip
    own: KnownValues = {
        "aws:principalisawsservice": ("true",),
        "aws:viaawsservice": ("false",),  # it calls itself, and not for a principal's call
        **_times(facts, of_session=False),
    }
    return Context({**known, **own}, absent)


def _from_elsewhere(facts: AccessFacts) -> KnownValues:
    elsewhere = (OutsideAccount(facts.account),)
    return {"aws:sourceaccount": elsewhere, "aws:sourcearn": elsewhere}


def _organization(whose: str, facts: AccessFacts) -> KnownValues:
    if facts.organization is None:
        return {}
    if not facts.organization:
        return {f"aws:{whose}orgid": (), f"aws:{whose}orgpaths": ()}
    path = Prefix(f"{facts.organization}/")
    return {f"aws:{whose}orgid": (facts.organization,), f"aws:{whose}orgpaths": (path,)}


def _times(facts: AccessFacts, *, of_session: bool) -> KnownValues:
    if facts.read_at is None:
        return {}
    # Whoever is asked about can begin a session anew: then its token was issued after this was read.
    names = ("aws:currenttime", "aws:epochtime", *(("aws:tokenissuetime",) if of_session else ()))
    return {name: (NotBefore(facts.read_at),) for name in names}


def _network(network: Network) -> KnownValues:
    known: KnownValues = {}
    if network.vpce:
        known |= {"aws:sourcevpce": (network.vpce,), "aws:sourceip": ()}  # an endpoint hides the public address
    if network.vpc:
        known |= {"aws:sourcevpc": (network.vpc,), "aws:sourceip": ()}
    if network.source_ips:
        private = bool(network.vpce or network.vpc)
        known["aws:vpcsourceip" if private else "aws:sourceip"] = (OneOf(network.source_ips),)
        known |= {} if private else {"aws:sourcevpce": (), "aws:sourcevpc": (), "aws:vpcsourceip": ()}
    return known


def _absent_of_sessions(identity: Identity) -> tuple[str, ...]:
    """The keys that the role's sessions never carry, as its trust policy tells: tags of their own, MFA, a computer."""
    try:
        trust = parse(identity.trust, Kind.RESOURCE) if identity.trust else None
    except GateError:  # whoever asks who can become the role is told
        trust = None
    if trust is None:
        return ("aws:username",)
    absent = ["aws:username"]
    if not _trusts(trust, ("sts:TagSession",)):
        absent.append("aws:principaltag/")
    if not any(kind == "Service" for each in trust.statements if each.allows for kind, _ in each.principals):
        absent += _OF_COMPUTING
    if _trusts(trust, _WEB) and not _trusts(trust, ("sts:AssumeRole",)):
        absent.append("aws:multifactorauth")  # no identity provider tells AWS of a second factor
    return tuple(absent)


def _trusts(trust: Policy, actions: tuple[str, ...]) -> bool:
    return any(
        any(action_matches(pattern, action) for pattern in each.actions) is not each.excepting_actions
        for each in trust.statements
        if each.allows
        for action in actions
    )

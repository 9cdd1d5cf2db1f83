"""`python -m gate.admit REPOSITORY@DIGEST --key pub.pem` (`make admit`): may this digest be deployed?

Asks the registry alone, with the permissions of a pull, and believes nothing but the signature of the given key. Exit
codes: 0 (there is a valid GO of that key for that digest), 1 (there is none; the sentence says why), 2 (nobody can know
now: no credentials, no answer, an unreadable key).
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from gate.attestation.admission import Admission, decide, stated
from gate.attestation.referrers import Referrers
from gate.attestation.summary import PREDICATE
from gate.aws.calls import ask
from gate.aws.retry import client_config
from gate.errors import GateError, WrongUse
from gate.evidence.signature import Whose, add_options, believed, public_key
from gate.registry.pull import read_login

_REFERENCE = re.compile(
    r"(?P<repository>(?P<account>[0-9]{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.[a-z0-9.-]+/(?P<name>[a-z0-9._/-]+))"
    r"@(?P<digest>sha256:[0-9a-f]{64})"
)


def admission(image: str, whose: Whose, now: datetime) -> Admission:
    """Ask the registry for the statements beside ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME@sha256:…, and decide.

    Raises:
        WrongUse: it is of another form. A tag is refused: it may name another image when the deployment happens.
        GateError: nobody can know: the registry does not answer.
    """
    asked = _REFERENCE.fullmatch(image)
    if not asked:
        raise WrongUse(
            f"{image!r} names no image of an ECR repository by its digest",
            remedy="ask about ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME@sha256:…; the report and VALIDATION.md name it",
        )
    import botocore.session

    repository, account, region, name, digest = asked.groups()
    ecr = botocore.session.get_session().create_client("ecr", region_name=region, config=client_config())
    found = Referrers(ask(ecr, "get_authorization_token", repository, read_login, registryIds=[account]), name)
    with ThreadPoolExecutor(8) as pool:
        bundles = pool.map(found.bundle, found.listed(digest, PREDICATE))
        return decide([stated(each, whose, digest, repository) for each in bundles], now)


def main(arguments: Sequence[str] | None = None) -> int:
    """Say whether the digest may be deployed; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m gate.admit", description="May this digest be deployed?")
    parser.add_argument("image", metavar="REPOSITORY@DIGEST", help="ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME@sha256:…")
    parser.add_argument("--key", type=Path, help="the public key (PEM) of whoever signs for the gate")
    add_options(parser)
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    asked = parser.parse_args(arguments)
    try:
        whose = believed(asked)
        if whose is None:
            raise WrongUse("say whose signature counts: --key, or --certificate-identity with "
                           "--certificate-oidc-issuer")  # fmt: skip
        owner = public_key(whose) if isinstance(whose, Path) else whose
        answer = admission(asked.image, owner, datetime.now(UTC))
    except GateError as error:
        return _say(asked, 2, "unknown", str(error), None)
    return _say(asked, 0 if answer.admitted else 1, answer.answer, answer.sentence, answer)


def _say(asked: argparse.Namespace, code: int, word: str, sentence: str, answer: Admission | None) -> int:
    if asked.json:
        summary = answer.summary if answer else None
        told = {"image": asked.image, "admitted": code == 0, "answer": word, "reason": sentence,
                "verdict": summary.verdict if summary else None,
                "valid_until": summary.valid_until.isoformat() if summary and summary.valid_until else None,
                "tags": list(summary.tags) if summary else []}  # fmt: skip
        print(json.dumps(told, ensure_ascii=False))
    else:
        print(f"{('ADMITTED', 'NOT ADMITTED', 'UNKNOWN')[code]}  {sentence}")
    return code


if __name__ == "__main__":
    sys.exit(main())

"""Tags of the repository as a way round a condition: who may set them passes what hangs on them. Pure.

Source: Amazon ECR user guide, "Using tag-based access control"; the Service Authorization Reference calls TagResource
and UntagResource actions on a repository.
"""

from __future__ import annotations

from dataclasses import replace

from gate.access.decision import Decision, all_of
from gate.access.evaluation import AccessRequest, may
from gate.access.matching import SelfChosen, Value
from gate.access.principal import Principal

# What becomes of a tag: it has the value that a statement asks for, or it is not there.
_TAGGING: dict[str, tuple[Value, ...]] = {"ecr:TagResource": (SelfChosen(),), "ecr:UntagResource": ()}
_KEYS = ("aws:resourcetag/", "ecr:resourcetag/")


def may_after_tagging(principal: Principal, request: AccessRequest) -> Decision:
    """Whether the asker may do it, as the repository is tagged or once the asker has tagged it otherwise."""
    found = may(principal, request)
    keys = _asked(principal, request)
    for action, value in _TAGGING.items() if keys else ():
        tagging = may(principal, replace(request, action=action))
        if not tagging.answer:
            continue
        context = principal.context.with_more(dict.fromkeys(keys, value))
        tagged = all_of((may(replace(principal, context=context), request), tagging))
        # The reader has to see the tagging, whichever of the two decides.
        because = dict.fromkeys((*tagged.because, *(f"{why} ({action})" for why in tagging.because)))
        found = max(found, replace(tagged, because=tuple(because)), key=lambda each: each.answer)
    return found


def _asked(principal: Principal, request: AccessRequest) -> tuple[str, ...]:
    """The tags of the repository on which a statement about this request hangs, as condition keys."""
    own = (*principal.statements(request.action, allowing=True), *principal.statements(request.action, allowing=False))
    on_repository = (each for policy in request.resource_policies for each in policy.statements)
    keys = (condition.key.lower() for each in (*own, *on_repository) for condition in each.conditions)
    return tuple(dict.fromkeys(key for key in keys if key.startswith(_KEYS)))

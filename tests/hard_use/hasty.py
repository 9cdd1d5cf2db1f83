"""A plugin (`-p tests.hard_use.hasty`) under which no claim is a condition, so that a run soon comes to its push."""

from gate.run import plugin, stages

plugin.arranged = lambda _every, selected, _claim_of: selected
stages.refuse_push = lambda _run: None
stages.refuse_promotion = lambda _run, _digest: None

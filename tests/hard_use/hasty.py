"""A plugin (`-p tests.hard_use.hasty`) under which no scenario is a condition, so that a run soon comes to its push."""

from gate.publish import preconditions
from gate.run import plugin

plugin.arranged = lambda _every, selected, _scenario_of: selected
preconditions.refuse_push = lambda _run: None
preconditions.refuse_promotion = lambda _run, _digest: None

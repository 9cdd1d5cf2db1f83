"""A plugin (`-p tests.hard_use.hasty`) under which AC1 and AC6 hold unseen, so that a run soon comes to its push."""

from gate.judgement import ACCEPTED
from gate.run.ladder import release

release.holds = lambda _image: ACCEPTED

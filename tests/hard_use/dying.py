"""A plugin (`-p tests.hard_use.dying`) under which the run is killed between the release tag and the rolling tag."""

import os
import signal

from gate.publish.push_and_promote import Publisher

_put = Publisher._put


def _put_and_die(self, manifest, tag):
    _put(self, manifest, tag)
    os.kill(os.getpid(), signal.SIGKILL)


Publisher._put = _put_and_die

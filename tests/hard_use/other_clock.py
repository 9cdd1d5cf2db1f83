"""A plugin (`-p tests.hard_use.other_clock`) that sets the clock by $CLOCK_AHEAD seconds, before or within the run.

$CLOCK_IS_SET is "before" or "within". Time that never jumps is left alone, as by whoever sets a machine's clock.
"""

import datetime
import os
import time

import pytest

AHEAD, IS_SET = float(os.environ["CLOCK_AHEAD"]), os.environ["CLOCK_IS_SET"]
_real_time, _real = time.time, datetime.datetime
_set = {"by": AHEAD if IS_SET == "before" else 0.0}


class _AlsoReal(type):
    def __instancecheck__(cls, value):
        """What the standard library makes is one too."""
        return isinstance(value, _real)


class _Datetime(_real, metaclass=_AlsoReal):
    @classmethod
    def now(cls, tz=None):
        """The time that this clock shows."""
        return cls.fromtimestamp(time.time(), tz)


time.time = lambda: _real_time() + _set["by"]
# The gate is imported after this plugin, and takes the class from here.
datetime.datetime = _Datetime


@pytest.hookimpl(trylast=True)
def pytest_collection_finish():
    """The run has begun, and no scenario has been looked at."""
    _set["by"] = AHEAD

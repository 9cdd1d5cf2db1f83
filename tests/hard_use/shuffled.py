"""A plugin (`-p tests.hard_use.shuffled`) that runs the scenarios in an order drawn from $SHUFFLE_SEED."""

import os
import random

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Shuffle, after the gate has given each its scenario."""
    random.Random(os.environ["SHUFFLE_SEED"]).shuffle(items)  # noqa: S311 - an order, no secret

"""A module that takes eleven seconds to import."""

import time

time.sleep(11)


def handler(event, context):
    """Answers at once, once it is there."""
    return {"ok": True}

"""A module that imports what is not installed."""

import no_such_package


def handler(event, context):
    """Never reached."""
    return no_such_package.answer(event)

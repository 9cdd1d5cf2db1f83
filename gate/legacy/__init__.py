"""The zip function beside the release, and the proof that the release left it alone (AC4).

Pure: `snapshot`, `pipeline` (its check), `trail`, `traffic` (theirs). Fetching: `reader`, `history`, `baseline`.
"""

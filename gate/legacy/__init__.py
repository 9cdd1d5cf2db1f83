"""The zip function that production runs on, and whether the release left it unchanged (AC4).

The checks are in `snapshot`, `pipeline`, `trail` and `traffic`; `reader`, `schedules` and `history` read from AWS,
`baseline` keeps the snapshot on disk.
"""

"""The zip function that production runs on, and whether the release left it unchanged (AC4).

`reader` reads the function from AWS; `snapshot`, `zip_pipeline`, `cloudtrail` and `traffic` have the checks.
"""

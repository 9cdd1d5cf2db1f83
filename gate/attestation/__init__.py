"""The verdict beside the image: signed statements in the registry, and the question whether a digest may be deployed.

`summary` states a verdict, `referrers` stores and finds statements in the registry, `admission` decides from what was
found, `attach` puts a run's statements beside its image. `python -m gate.admit` asks.
"""

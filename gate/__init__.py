"""The release gate: the facts about a Lambda container image, and the judgement of them.

Modules that fetch (engine, sandbox, ECR) are thin and return frozen dataclasses. Modules that
decide are pure: values in, a `CheckResult` out, no SDK imported, the clock passed in.
"""

"""The local target: a simulation of the parts of AWS that a release touches, and what ECR's rules are there."""


class LocalTargetError(RuntimeError):
    """The local target cannot be started or used; the text names the cause and what to do."""

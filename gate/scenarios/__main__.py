"""`python -m gate.scenarios` (`make scenarios`): list the scenarios of features/ as they are, in scenarios.lock."""

from gate.evidence.store import write_whole
from gate.scenarios.features import HOME, LOCK, lock_text, lockable


def main() -> None:
    """List the features as they are."""
    found = lockable(HOME)
    write_whole(HOME / LOCK, lock_text(found.values()))
    print(f"features/{LOCK}: {len(found)} scenarios, {sum(len(each.names) for each in found.values())} with their rows")


if __name__ == "__main__":
    main()

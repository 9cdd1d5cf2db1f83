"""`python -m gate.scenarios` (`make scenarios`): list the scenarios of features/ as they are, in scenarios.lock."""

from gate.evidence.store import write_whole
from gate.scenarios.features import HOME, LOCK, lock_text, scenarios_of


def main() -> None:
    """List the features as they are."""
    found = scenarios_of(HOME).values()
    write_whole(HOME / LOCK, lock_text(found))
    print(f"features/{LOCK}: {len(found)} scenarios, {sum(len(each.names) for each in found)} with their rows")


if __name__ == "__main__":
    main()

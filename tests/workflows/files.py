"""Where the workflows are, and what is in them."""

from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
GATE, NIGHTLY = (
    yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8"))
    for name in ("release-gate.yml", "nightly.yml")
)


def steps_of(workflow):
    """Every step of a workflow's jobs."""
    return [step for job in workflow["jobs"].values() for step in job["steps"]]

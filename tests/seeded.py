"""What the local target holds for the release in pytest.ini."""

from pathlib import Path

from localaws.__main__ import seeded_release

SEEDED = seeded_release(Path(__file__).resolve().parents[1] / "pytest.ini")

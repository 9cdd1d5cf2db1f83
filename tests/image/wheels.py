"""`make wheels`: install published packages as a Lambda image does, and see that none is taken for a secret.

Needs PyPI, and so is no part of `make test`. Each package of wheels.txt is installed beside the handler, as AWS
documents it (`pip install --target`), and searched as the layer of an image: compiled as pip does by default, and not.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from gate.image.layers import Layers
from gate.image.package_records import PackageRecords, is_record, read_records
from gate.image.secrets.secret_checks import no_secret
from tests.image.archive import read_layers

NAMES = Path(__file__).with_name("wheels.txt")


def layer_of(folder: Path) -> bytes:
    """A layer that holds the folder's files below /var/task."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        archive.add(folder, "var/task")
    return made.getvalue()


def searched(folder: Path, *, recorded: bool = True) -> Layers:
    """The folder as the only layer of an image, with or without pip's records."""
    texts = {
        f"/var/task/{path.relative_to(folder)}": path.read_text()
        for path in folder.rglob("*.dist-info/*")
        if is_record(f"/{path}")
    }
    known = read_records(texts) if recorded else PackageRecords()
    return read_layers([layer_of(folder)], known)


def told(what: str, layers: Layers, seconds: float) -> int:
    """Print the findings and return their number."""
    found = no_secret({}, (), layers, 0).rejections
    print(f"{what}: {sum(layers.searched.values())} files, {len(found)} alarms, {seconds:.1f} s", dict(layers.searched))
    for each in found:
        print(f"  {each.cause}")
    return len(found)


def main(*names: str) -> int:
    """Install and search twice; the exit code is 1 if anything was taken for a secret."""
    wanted = names or [line for line in NAMES.read_text().split("\n") if line and not line.startswith("#")]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "task")
        options = [
            "--target",
            str(folder),
            "--only-binary",
            ":all:",
            "--no-deps",
            "--quiet",
            "--disable-pip-version-check",
        ]
        subprocess.run([sys.executable, "-m", "pip", "install", *options, *wanted], check=True)
        alarms = 0
        for what in ("compiled", "not compiled"):
            began = time.process_time()
            alarms += told(f"{len(wanted)} packages, {what}", searched(folder), time.process_time() - began)
            for compiled in list(folder.rglob("__pycache__")):
                shutil.rmtree(compiled)
    return min(alarms, 1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

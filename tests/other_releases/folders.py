"""The folders of four releases of other teams, each made as a team would make it: `make adopt`, then its own files."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from gate.adopt.__main__ import main as adopt

ROOT = Path(__file__).resolve().parents[2]
OWN_IMAGE, ANOTHER_IMAGE = ROOT / "image", ROOT / "tests" / "another_image" / "image"
# What boto3 needs, as the gate's own environment pins it.
BOTO3 = ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six")


def adopted(folder: Path, repository: str, account: str, region: str, *more: str) -> Path:
    """As `make adopt` leaves it; its layers and SBOM are kept from run to run, as the release's own are."""
    made = adopt([str(folder), "--repository", repository, "--account", account, "--region", region, *more])
    (folder / ".cache").symlink_to(ROOT / ".cache")
    return made


def plain(folder: Path) -> Path:
    """(b) As `make adopt` leaves it: no browser, no zip function."""
    return adopted(folder, "plain-app", "444455556666", "eu-central-1")


def own_runtime(folder: Path) -> Path:
    """(d) A runtime of its own, in bash, and no Python; one published tag."""
    adopted(folder, "own-runtime", "222233334444", "eu-central-1", "--python", "none")
    state(folder, rolling_tag="")
    return folder


def leaking_runtime(folder: Path) -> Path:
    """(d) with a runtime that leaves a process and a file behind, and with the Python that its pytest.ini denies."""
    own_runtime(folder)
    bootstrap = folder / "image" / "bootstrap"
    leak = 'sleep 1000 &\n        head --bytes 20000000 /dev/zero > "$(mktemp)"\n        send POST'
    bootstrap.write_text(bootstrap.read_text().replace("send POST", leak, 1))
    with (folder / "image" / "Dockerfile").open("a") as dockerfile:
        dockerfile.write("RUN mkdir --parents /var/lang/bin && cp /bin/true /var/lang/bin/python3.13\n")
    return folder


def scraper(folder: Path) -> Path:
    """(a) A browser, a zip function, other names, Python 3.12 and Japanese text."""
    adopted(folder, "my-team/scraper", "111122223333", "us-east-1",
            "--function", "scraper", "--ci-role", "scraper-pusher", "--lambda-role", "scraper-runner",
            "--zip-function", "scraper-zip", "--memory", "768")  # fmt: skip
    kept = ("repository-policy.json", "principals.yaml")
    shutil.copytree(
        OWN_IMAGE, folder / "image", ignore=shutil.ignore_patterns(*kept, "__pycache__"), dirs_exist_ok=True
    )
    dockerfile = folder / "image" / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace("lambda/python:3.11", "lambda/python:3.12"))
    register = folder / "image" / "exceptions.yaml"
    # Python 3.12 stands on Amazon Linux 2023, which is supported.
    register.write_text(register.read_text().partition("\nsupport:")[0] + "\nsupport: []\n")
    state(folder, handler="src.main.lambda_handler", required_paths="\n    /var/task/src\n    /var/task/config",
          chrome_bin="/opt/chrome/chrome",
          chromedriver_bin="/opt/chromedriver", drawn_language="de", drawn_text="ÄÖÜß",
          chrome_max_age_days="60", chrome_max_majors_behind="4")  # fmt: skip
    return folder


def one_stage(folder: Path) -> Path:
    """(c) One stage, Debian's own Chromium, the packages and boto3 beside the handler, no safe event."""
    adopted(folder, "another-team/renderer", "777788889999", "eu-west-1", "--function", "renderer", "--memory", "4096")
    shutil.copytree(ANOTHER_IMAGE, folder / "image", dirs_exist_ok=True)
    (folder / "image" / ".dockerignore").unlink()
    locked = (ROOT / "requirements.txt").read_text()
    pins = [re.search(rf"^{name}==(?:.*\\\n)*.*", locked, re.MULTILINE)[0] for name in BOTO3]
    with (folder / "image" / "requirements.txt").open("a") as requirements:
        requirements.write("\n".join(pins) + "\n")
    state(folder, chrome_bin="/usr/bin/chromium", chromedriver_bin="/usr/bin/chromedriver", safe_event="",
          safe_answer="", chrome_max_age_days="60", chrome_max_majors_behind="4")  # fmt: skip
    return folder


def state(folder: Path, **keys: str) -> None:
    """Give keys of the release's pytest.ini other values."""
    ini = folder / "pytest.ini"
    text = ini.read_text()
    for key, value in keys.items():
        text = re.sub(rf"^{key} =.*\n(?:[ \t]+\S.*\n)*", "", text, flags=re.MULTILINE) + f"{key} = {value}\n"
    ini.write_text(text)

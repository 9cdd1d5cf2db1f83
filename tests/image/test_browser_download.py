"""Chrome for Testing in the build stage: nothing that the lock does not name gets into the image."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "image" / "build" / "browser.py"
VERSION = "143.0.7499.192"


@pytest.fixture
def browser() -> ModuleType:
    """The script of the build stage."""
    spec = importlib.util.spec_from_file_location("build_stage_browser", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lock of two zips shaped like the real ones."""
    monkeypatch.chdir(tmp_path)
    files = {
        "chrome": {"chrome": 0o755, "locales/ko.pak": 0o644},
        "chromedriver": {"chromedriver": 0o755, "LICENSE.chromedriver": 0o644},
    }
    downloads = {}
    for program, members in files.items():
        path = tmp_path / f"{program}-linux64.zip"
        with zipfile.ZipFile(path, "w") as zipped:
            for name, mode in members.items():
                info = zipfile.ZipInfo(f"{program}-linux64/{name}")
                info.external_attr = mode << 16
                zipped.writestr(info, f"content of {name}")
        downloads[program] = {"url": path.as_uri(), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    found = tmp_path / "chrome.lock"
    found.write_text(json.dumps({"version": VERSION, "downloads": downloads}))
    return found


def test_locked_zips_are_laid_out_as_the_contract_says(browser: ModuleType, lock: Path, tmp_path: Path) -> None:
    """Chrome with its folders, the driver alone, both executable by all, and the driver on the PATH too."""
    root = tmp_path / "root"
    browser.main(root, lock, VERSION, debian=False)
    assert (root / "opt/chrome/chrome").stat().st_mode & 0o777 == 0o755
    assert (root / "opt/chrome/locales/ko.pak").stat().st_mode & 0o777 == 0o644
    assert (root / "opt/chromedriver").read_text() == "content of chromedriver"
    assert (root / "usr/local/bin/chromedriver").readlink() == Path("/opt/chromedriver")
    assert not (root / "opt/LICENSE.chromedriver").exists()


def test_debian_base_only_gets_links_to_its_packages(browser: ModuleType, tmp_path: Path) -> None:
    """On Debian nothing is downloaded, and no lock is asked for."""
    browser.main(tmp_path, tmp_path / "no.lock", VERSION, debian=True)
    assert (tmp_path / "opt/chrome/chrome").readlink() == Path("/usr/lib/chromium/chromium")
    assert (tmp_path / "opt/chromedriver").readlink() == Path("/usr/bin/chromedriver")


def test_missing_lock_stops_with_the_way_out(browser: ModuleType, tmp_path: Path) -> None:
    """Without chrome.lock the build says what to run, and where."""
    with pytest.raises(browser.Refused, match="make lock-chrome"):
        browser.main(tmp_path / "root", tmp_path / "no.lock", VERSION, debian=False)


def test_lock_of_another_version_is_refused(browser: ModuleType, lock: Path, tmp_path: Path) -> None:
    """A pin that was raised without a new lock is named with both versions."""
    with pytest.raises(browser.Refused, match=rf"{VERSION}.*144\.0\.0\.0"):
        browser.main(tmp_path / "root", lock, "144.0.0.0", debian=False)


def test_other_bytes_than_the_locked_ones_are_refused(browser: ModuleType, lock: Path, tmp_path: Path) -> None:
    """A download with another checksum never gets unpacked, and both checksums are named."""
    locked = hashlib.sha256((tmp_path / "chromedriver-linux64.zip").read_bytes()).hexdigest()
    (tmp_path / "chromedriver-linux64.zip").write_bytes(b"something else")
    with pytest.raises(browser.Refused) as refused:
        browser.main(tmp_path / "root", lock, VERSION, debian=False)
    assert locked in str(refused.value)
    assert hashlib.sha256(b"something else").hexdigest() in str(refused.value)
    assert not (tmp_path / "root/opt/chromedriver").exists()

"""The zip pipeline's files in git."""

import subprocess

import pytest

from gate.errors import EvidenceDamaged
from gate.legacy import zip_pipeline
from gate.legacy.zip_pipeline import PipelineFiles, check_pipeline, read_pipeline

PATHS = ("deploy/zip.sh", "layers")


@pytest.fixture
def repository(tmp_path):
    """A repository with a zip pipeline, released as v0.9.0, and one commit after it."""
    (tmp_path / "deploy").mkdir()
    (tmp_path / "layers").mkdir()
    (tmp_path / "deploy" / "zip.sh").write_text("zip\n")
    (tmp_path / "layers" / "requirements.txt").write_text("selenium\n")
    (tmp_path / "other.py").write_text("1\n")
    git(tmp_path, "init", "--quiet")
    commit(tmp_path, "zip release")
    git(tmp_path, "tag", "v0.9.0")
    (tmp_path / "other.py").write_text("2\n")
    commit(tmp_path, "something else")
    return tmp_path


def git(folder, *arguments):
    """Run git there."""
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def commit(folder, message):
    """Commit everything."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)


def said(folder, paths=PATHS):
    """What the check says ("" for accepted)."""
    return "\n".join(map(str, check_pipeline(read_pipeline(folder, paths, "v1.0.0")).rejections))


def test_untouched_files_are_accepted_from_anywhere_in_the_repository(repository):
    """Other files may change; the folder of the image is as good a place as the root."""
    assert said(repository) == ""
    assert said(repository / "layers") == ""


def test_the_tag_of_the_release_itself_is_not_the_last_release(repository):
    """With v1.0.0 on HEAD, v0.9.0 is still what counts."""
    (repository / "deploy" / "zip.sh").write_text("changed\n")
    commit(repository, "change")
    git(repository, "tag", "v1.0.0")
    assert "deploy/zip.sh changed since v0.9.0" in said(repository)


@pytest.mark.parametrize("committed", [True, False])
def test_every_change_is_named(repository, committed):
    """Edited, deleted and added files, committed or not."""
    (repository / "deploy" / "zip.sh").write_text("changed\n")
    (repository / "layers" / "requirements.txt").unlink()
    (repository / "layers" / "new.txt").write_text("new\n")
    if committed:
        commit(repository, "change")
    words = said(repository)
    for each in ("(M deploy/zip.sh)", "(D layers/requirements.txt)", "(A layers/new.txt)"):
        assert each in words


def test_no_earlier_tag_is_a_no_go(repository):
    """It is unknown since when they are unchanged."""
    git(repository, "tag", "--delete", "v0.9.0")
    assert "no earlier release tag" in said(repository)


def test_a_tag_that_is_no_ancestor_is_no_earlier_release(repository):
    """It stands on another branch: what changed since it was never released before this."""
    git(repository, "checkout", "--quiet", "--orphan", "another")
    commit(repository, "another beginning")
    assert "no earlier release tag" in said(repository)


def test_a_branch_without_a_commit_is_a_no_go(repository):
    """Git fails at it for another reason than that no tag is there."""
    git(repository, "checkout", "--quiet", "--orphan", "another")
    with pytest.raises(EvidenceDamaged, match="git cannot say what changed"):
        read_pipeline(repository, PATHS, "v1.0.0")


def test_git_is_given_a_minute(tmp_path, monkeypatch):
    """The rejection says so."""

    def hangs(command, *, timeout, **_more):
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(zip_pipeline.subprocess, "run", hangs)
    with pytest.raises(EvidenceDamaged, match="timed out after 60 seconds"):
        read_pipeline(tmp_path, PATHS, "v1.0.0")


def test_a_path_that_does_not_exist_is_a_no_go(repository):
    """A misspelt path in pytest.ini would otherwise never differ."""
    assert "deploy/zpi.sh" in said(repository, ("deploy/zpi.sh",))


def test_a_misspelt_path_is_named_beside_whatever_else_is_wrong(repository):
    """A change, or no earlier tag, does not hide it; and only it is called missing."""
    (repository / "deploy" / "zip.sh").write_text("changed\n")
    words = said(repository, (*PATHS, "deploy/zpi.sh"))
    assert "names deploy/zpi.sh as a file" in words
    assert "deploy/zip.sh changed since v0.9.0" in words
    assert "names layers" not in words
    git(repository, "tag", "--delete", "v0.9.0")
    words = said(repository, (*PATHS, "deploy/zpi.sh"))
    assert "names deploy/zpi.sh as a file" in words
    assert "no earlier release tag" in words


def test_a_file_that_only_the_last_release_holds_is_known(repository):
    """It was removed since: a change, not a misspelt path."""
    (repository / "deploy" / "zip.sh").unlink()
    words = said(repository, ("deploy/zip.sh",))
    assert "(D deploy/zip.sh)" in words
    assert "names deploy/zip.sh" not in words


def test_a_git_that_is_not_there_or_hangs_is_a_no_go(tmp_path, monkeypatch):
    """An error of git does not count as "nothing changed"."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EvidenceDamaged, match="git does not answer"):
        read_pipeline(tmp_path, PATHS, "v1.0.0")
    monkeypatch.setattr(zip_pipeline, "_SECONDS", 0.1)
    (tmp_path / "git").write_text("#!/bin/sh\nexec /bin/sleep 30\n")
    (tmp_path / "git").chmod(0o755)
    with pytest.raises(EvidenceDamaged, match="git does not answer"):
        read_pipeline(tmp_path, PATHS, "v1.0.0")


def test_no_zip_pipeline_in_the_repository_is_no_scenario_to_fail(repository):
    """pytest.ini names none."""
    assert check_pipeline(read_pipeline(repository, (), "v1.0.0")) == check_pipeline(PipelineFiles((), None, (), ()))


def test_a_folder_without_git_is_a_no_go(tmp_path):
    """The message holds git's own."""
    with pytest.raises(EvidenceDamaged, match="not a git repository"):
        read_pipeline(tmp_path, PATHS, "v1.0.0")

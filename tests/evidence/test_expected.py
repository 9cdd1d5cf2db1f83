"""What somebody expects of a folder: this verdict, this digest, this target; and never VERIFIED without a signature."""

from datetime import UTC, datetime

import pytest

from gate.evidence.__main__ import main
from tests.evidence.conftest import DIGEST

IN_TIME, LATE = datetime(2026, 1, 2, 12, tzinfo=UTC), datetime(2026, 1, 4, tzinfo=UTC)
EARLY = datetime(2026, 1, 2, 2, 54, tzinfo=UTC)
OTHER = "sha256:" + "a" * 64


@pytest.fixture
def go(leave, pair, tmp_path):
    """A signed GO, and the key that signed it."""
    return [str(leave(tmp_path / "go", key=pair[0], target="aws")), "--key", str(pair[1])]


@pytest.mark.parametrize(
    "options",
    [(), ("--expect", "GO"), ("--digest", DIGEST), ("--expect", "GO", "--digest", DIGEST, "--target", "aws")],
)
def test_a_signed_go_is_what_is_expected(go, capsys, options):
    """Verdict, digest and target are met."""
    assert main([*go, *options], IN_TIME) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("VERIFIED; the verdict is GO for ")


@pytest.mark.parametrize(
    ("options", "now", "sentence"),
    [
        (("--expect", "CLEAN"), IN_TIME, "CLEAN was expected, and the verdict is GO"),
        (("--digest", OTHER), IN_TIME, f"the digest {OTHER} was expected, and the run is about {DIGEST}"),
        (("--target", "local"), IN_TIME, "a run on local was expected, and this one was on aws"),
        (("--expect", "GO"), LATE, "a GO was expected that is valid now, and this one was valid until 2026-01-03T01"),
        (
            ("--expect", "GO"),
            EARLY,
            "a GO was expected that is valid now, and this run ended at 2026-01-02T03:00:00+00:00",
        ),
    ],
)
def test_anything_else_is_refused_with_a_sentence(go, capsys, options, now, sentence):
    """And says so last."""
    assert main([*go, *options], now) == 1
    out = capsys.readouterr().out
    assert sentence in out
    assert out.splitlines()[-1].startswith("REFUSED: ")


@pytest.mark.parametrize(
    ("changed", "options"),
    [
        ({"trouble": ("crash",)}, ("--expect", "GO")),
        ({"trouble": ("crash",)}, ("--expect", "REHEARSAL PASSED")),
        ({}, ("--expect", "GO")),
        ({"target": "aws", "endpoint_is_aws": False}, ("--target", "aws")),
        ({"target": "aws", "overridden": ("handler is x",)}, ("--expect", "GO")),
        ({"kind": "partial", "release": {"digest": None, "image_id": None}}, ("--digest", DIGEST)),
    ],
)
def test_a_run_that_was_something_else_is_refused(leave, pair, tmp_path, capsys, changed, options):
    """A failed run, a rehearsal, another endpoint, an overridden release, a run without an image."""
    signed = changed.get("release") is None
    folder = leave(tmp_path, key=pair[0], **changed)
    assert main([str(folder), *(["--key", str(pair[1])] if signed else []), *options], IN_TIME) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("REFUSED: ")


@pytest.mark.parametrize("options", [(), ("--expect", "GO"), ("--digest", DIGEST, "--target", "aws")])
def test_a_go_that_nobody_signed_is_never_verified(leave, tmp_path, capsys, options):
    """Its hashes fit, as a forger's would: it is intact, unsigned, and that ends with a code of its own."""
    assert main([str(leave(tmp_path, target="aws")), *options], IN_TIME) == 3
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("INTACT, UNSIGNED (anybody can make such a folder); it says GO for ")


@pytest.mark.parametrize("wrong", ["sha256:abc", "latest", "sha256:" + "G" * 64, ""])
def test_a_digest_that_is_none_is_wrong_use(go, capsys, wrong):
    """A tag or half a digest would be met by anything or nothing."""
    assert main([*go, "--digest", wrong]) == 2
    assert "--digest takes a whole image digest" in capsys.readouterr().out


@pytest.mark.parametrize("options", [["--expect", "go"], ["--target", "moon"], ["--unknown"], []])
def test_wrong_use_ends_with_2(options):
    """An unknown word is no expectation."""
    with pytest.raises(SystemExit, match="2"):
        main(options)


@pytest.mark.parametrize("content", [None, b"", b"no key"])
def test_a_key_that_cannot_be_read_verifies_nothing(go, tmp_path, capsys, content):
    """It is said at once; it is no wrong use, for the folder was not verified."""
    key = tmp_path / "broken.pem"
    if content is not None:
        key.write_bytes(content)
    assert main([go[0], "--key", str(key)]) == 1
    assert capsys.readouterr().out.startswith("NOT VERIFIED: no signature can be checked with this key")

"""The signature: only the given key's, only over this statement, and never a traceback."""

import json
import shutil

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gate.evidence.__main__ import main
from gate.evidence.signature import PAYLOAD_TYPE, public_key, sign, signed, signer
from gate.evidence.store import ENVELOPE, STATEMENT


def test_a_signed_folder_is_checked_against_the_key(leave, pair, tmp_path, capsys):
    """With the right key it is verified; without a key it is said that nobody checked."""
    folder = leave(tmp_path, key=pair[0])
    assert main([str(folder), "--key", str(pair[1])]) == 0
    assert "✓ signature: signed by the given key" in capsys.readouterr().out
    assert main([str(folder)]) == 3
    out = capsys.readouterr().out
    assert "– signature: signed in the name of" in out
    assert "INTACT, SIGNATURE NOT CHECKED (give the public key: KEY=pub.pem); it says REHEARSAL PASSED" in out


def test_the_wrong_key_is_refused(leave, pair, tmp_path, keys, capsys):
    """A signature by somebody else is none."""
    other = keys(tmp_path, Ed25519PrivateKey.generate())
    folder = leave(tmp_path / "run", key=pair[0])
    assert main([str(folder), "--key", str(other[1])]) == 1
    assert "the signature is not by the given key" in capsys.readouterr().out
    statement, envelope = ((folder / name).read_bytes() for name in (STATEMENT, ENVELOPE))
    (rejection,) = signed(envelope, statement, public_key(other[1])).rejections
    assert rejection.remedy.startswith(
        "take the public key from its owner, not from this folder; do not rely on this statement: restore it"
    )


def test_an_unsigned_folder_is_refused_when_a_key_is_given(run_folder, pair, capsys):
    """Whoever demands a signature is not content with hashes."""
    assert main([str(run_folder), "--key", str(pair[1])]) == 1
    assert f"nobody signed this run: {ENVELOPE} is missing" in capsys.readouterr().out


@pytest.mark.parametrize("given", [True, False], ids=["with the key", "without a key"])
def test_a_signature_over_another_payload_is_noticed(leave, pair, tmp_path, capsys, given):
    """The envelope of another run, truly signed, does not sign this one."""
    one = leave(tmp_path / "one", key=pair[0])
    two = leave(tmp_path / "two", key=pair[0], trouble=("crash",))
    shutil.copy(one / ENVELOPE, two / ENVELOPE)
    assert main([str(two), *(["--key", str(pair[1])] if given else [])]) == 1
    assert f"what is signed is not {STATEMENT}: the signature is over another payload" in capsys.readouterr().out


def test_a_forgery_of_a_signed_folder_is_noticed(leave, pair, tmp_path, seal_again, capsys):
    """Fitting hashes and a fitting statement: the signature is all that tells."""
    folder = leave(tmp_path, key=pair[0])
    seal_again(folder)
    assert main([str(folder), "--key", str(pair[1])]) == 1
    assert "the signature is over another payload" in capsys.readouterr().out


def test_a_payload_put_under_an_old_signature_is_noticed(pair):
    """The key's id stays the same; the signature no longer fits."""
    key = signer(pair[0])
    one, two = (json.loads(sign(payload, key)) for payload in (b"one", b"two"))
    forged = json.dumps({**one, "payload": two["payload"]}).encode()
    result = signed(forged, b"two", public_key(pair[1]))
    assert "does not fit: payload or signature was altered" in result.rejections[0].cause


@pytest.mark.parametrize(
    "envelope",
    [
        b"",
        b"[]",
        b"{}",
        json.dumps({"payload": "", "payloadType": "text/plain", "signatures": [{"keyid": "a", "sig": ""}]}).encode(),
        json.dumps({"payload": "", "payloadType": PAYLOAD_TYPE, "signatures": []}).encode(),
        json.dumps({"payload": "?", "payloadType": PAYLOAD_TYPE, "signatures": [{"sig": 1}]}).encode(),
        json.dumps({"payload": 1, "payloadType": PAYLOAD_TYPE, "signatures": None}).encode(),
    ],
)
def test_what_is_no_envelope_signs_nothing(envelope, pair):
    """Every broken envelope is refused with a sentence, never with a traceback."""
    result = signed(envelope, b"", public_key(pair[1]))
    assert "the signed envelope cannot be read" in result.rejections[0].cause


@pytest.mark.parametrize("given", ["private", "missing", "garbage"])
def test_a_key_that_is_none_is_told(leave, pair, tmp_path, capsys, given):
    """A wrong file in place of the public key ends with 1 and the way to make one."""
    (tmp_path / "garbage").write_text("no key")
    path = pair[0] if given == "private" else tmp_path / given
    assert main([str(leave(tmp_path / "run", key=pair[0])), "--key", str(path)]) == 1
    assert "no signature can be checked with this key" in capsys.readouterr().out

"""Signing with a key in AWS KMS: a local server speaks KMS's wire for GetPublicKey and Sign (botocore's model)."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gate.errors import WrongUse
from gate.evidence import signature

KEY = "arn:aws:kms:ap-northeast-2:654654307503:key/1234abcd-12ab-34cd-56ef-1234567890ab"
PRIVATE = ec.generate_private_key(ec.SECP256R1())


class Kms(BaseHTTPRequestHandler):
    """Answers as KMS does; the private key stays here."""

    refuses = False

    def do_POST(self) -> None:
        """One operation, named by X-Amz-Target."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operation = self.headers["X-Amz-Target"].partition(".")[2]
        if self.refuses:
            return self._answer(400, {"__type": "AccessDeniedException", "message": f"not authorized: {operation}"})
        assert asked["KeyId"] == KEY
        if operation == "GetPublicKey":
            der = PRIVATE.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            return self._answer(200, {"KeyId": KEY, "PublicKey": _text(der), "KeySpec": "ECC_NIST_P256",
                                      "KeyUsage": "SIGN_VERIFY", "SigningAlgorithms": ["ECDSA_SHA_256"]})  # fmt: skip
        assert (operation, asked["MessageType"], asked["SigningAlgorithm"]) == ("Sign", "DIGEST", "ECDSA_SHA_256")
        signed = PRIVATE.sign(base64.b64decode(asked["Message"]), ec.ECDSA(Prehashed(SHA256())))
        return self._answer(200, {"KeyId": KEY, "Signature": _text(signed), "SigningAlgorithm": "ECDSA_SHA_256"})

    def _answer(self, status: int, body: dict[str, object]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Kms]]:
    """The server, to which the ordinary AWS chain leads."""
    handler = type("Handler", (Kms,), {})
    server = HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name, value in {"AWS_ENDPOINT_URL_KMS": f"http://127.0.0.1:{server.server_port}", "NO_PROXY": "127.0.0.1",
                        "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
                        "AWS_DEFAULT_REGION": "ap-northeast-2"}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    yield handler
    server.shutdown()
    server.server_close()


def test_a_key_in_kms_signs_and_its_public_part_checks(kms: type[Kms], tmp_path: Path) -> None:
    """KMS is given a digest and answers a signature; whoever checks it has the public key as a PEM file."""
    signed = signature.sign(b'{"a": 1}', signature.signer(f"awskms:{KEY}"))
    public = tmp_path / "pub.pem"
    public.write_bytes(PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert signature.signed_by(signed, signature.public_key(public))
    altered = {**json.loads(signed), "payload": _text(b'{"a": 2}')}
    assert not signature.signed_by(json.dumps(altered).encode(), signature.public_key(public))


def test_a_key_that_kms_does_not_hand_out_is_refused(kms: type[Kms]) -> None:
    """Before the run begins, with what KMS said."""
    kms.refuses = True
    with pytest.raises(WrongUse, match="not authorized: GetPublicKey"):
        signature.signer(f"awskms:{KEY}")

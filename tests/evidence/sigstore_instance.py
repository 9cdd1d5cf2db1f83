"""A sigstore instance on 127.0.0.1, which speaks Fulcio's and Rekor's wire (version 1), with roots of its own.

Specifications: Fulcio's API (`/api/v2/signingCert`) and its certificate extensions (OIDs 1.3.6.1.4.1.57264.1.1 and .8);
RFC 6962 for the certificate's timestamp; Rekor's API (`/api/v1/log/entries`), its entry type dsse 0.0.1, its signed
entry timestamp and checkpoint. The log has one leaf at a time.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

IDENTITY = "https://github.com/team/app/.github/workflows/release-gate.yml@refs/heads/main"
ISSUER = "https://token.actions.githubusercontent.com"
_FULCIO, _SCTS = "1.3.6.1.4.1.57264.1.", x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_HOUR = timedelta(hours=1)


def token(subject: str = IDENTITY, lasts: int = 300) -> str:
    """An identity token; Fulcio is who checks its signature, and this one does not."""
    now = int(time.time())
    return jwt.encode({"aud": "sigstore", "sub": subject, "iss": ISSUER, "iat": now, "exp": now + lasts}, "k" * 32)


def _der(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _sign(key: ec.EllipticCurvePrivateKey, content: bytes) -> bytes:
    return key.sign(content, ec.ECDSA(hashes.SHA256()))


class Instance:
    """Fulcio and Rekor, while it is entered as a context."""

    def __init__(self) -> None:
        self.ca, self.ct, self.log = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
        self.root = self._root()
        self.entries = 0
        self.refuses: set[str] = set()
        instance = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                """One request of a client."""
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                refused = self.path in instance.refuses
                answer = {"message": "no"} if refused else instance.answer(self.path, asked, self.headers)
                content = json.dumps(answer).encode()
                self.send_response(503 if refused else 201)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Nothing is logged."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        import threading

        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def trust_config(self, folder: Path) -> Path:
        """The trust configuration of this instance, in a file."""
        since = {"start": "2020-01-01T00:00:00Z"}

        def key(of: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
            public = {"rawBytes": _text(_der(of)), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": since}
            log_id = {"keyId": _text(hashlib.sha256(_der(of)).digest())}
            return {"baseUrl": self.url, "hashAlgorithm": "SHA2_256", "logId": log_id, "publicKey": public}

        chain = {"certificates": [{"rawBytes": _text(self.root.public_bytes(Encoding.DER))}]}
        subject = {"organization": "local", "commonName": "local"}
        authority = {"subject": subject, "uri": self.url, "certChain": chain, "validFor": since}
        root = {"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1", "tlogs": [key(self.log)],
                "ctlogs": [key(self.ct)], "certificateAuthorities": [authority]}  # fmt: skip
        service = [{"url": self.url, "majorApiVersion": 1, "validFor": since, "operator": "local"}]
        one = {"selector": "ANY"}
        signing = {"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json", "caUrls": service,
                   "rekorTlogUrls": service, "rekorTlogConfig": one, "tsaConfig": one}  # fmt: skip
        file = folder / "trust.json"
        file.write_text(json.dumps({"mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
                                    "trustedRoot": root, "signingConfig": signing}))  # fmt: skip
        return file

    def answer(self, path: str, asked: dict[str, Any], headers: Any) -> dict[str, Any]:
        """What Fulcio or Rekor answers."""
        if path == "/api/v2/signingCert":
            request = x509.load_pem_x509_csr(base64.b64decode(asked["certificateSigningRequest"]))
            bearer = headers["Authorization"].removeprefix("Bearer ")
            claims = jwt.decode(bearer, options={"verify_signature": False})
            found = [self._certificate(request.public_key(), claims["sub"], claims["iss"]), self.root]
            pems = [each.public_bytes(Encoding.PEM).decode() for each in found]
            return {"signedCertificateEmbeddedSct": {"chain": {"certificates": pems}}}
        assert path == "/api/v1/log/entries"
        return self._entry(asked["spec"]["proposedContent"])

    def _root(self) -> x509.Certificate:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "local sigstore")])
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self.ca.public_key())
            .serial_number(1).not_valid_before(now - _HOUR).not_valid_after(now + 24 * _HOUR)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.ca.public_key()), critical=False)
            .sign(self.ca, hashes.SHA256())
        )  # fmt: skip

    def _certificate(self, public: Any, identity: str, issuer: str) -> x509.Certificate:
        """For ten minutes; with the timestamp of its precertificate, as RFC 6962 has it."""
        now = datetime.now(UTC)
        utf8 = b"\x0c" + bytes([len(issuer)]) + issuer.encode()
        ours = [x509.ObjectIdentifier(_FULCIO + each) for each in ("1", "8")]
        until = now + timedelta(minutes=10)
        builder = (
            x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(self.root.subject).public_key(public)
            .serial_number(x509.random_serial_number()).not_valid_before(now).not_valid_after(until)
            .add_extension(x509.KeyUsage(True, False, False, False, False, False, False, False, False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.ca.public_key()), critical=False)
            .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(identity)]), critical=True)
            .add_extension(x509.UnrecognizedExtension(ours[0], issuer.encode()), critical=False)
            .add_extension(x509.UnrecognizedExtension(ours[1], utf8), critical=False)
        )  # fmt: skip
        before = builder.sign(self.ca, hashes.SHA256()).tbs_certificate_bytes
        stamp = self._timestamp(before)
        listed = struct.pack("!HH", len(stamp) + 2, len(stamp)) + stamp
        octets = b"\x04" + (bytes([0x81, len(listed)]) if len(listed) > 127 else bytes([len(listed)])) + listed
        return builder.add_extension(x509.UnrecognizedExtension(_SCTS, octets), critical=False).sign(
            self.ca, hashes.SHA256()
        )

    def _timestamp(self, tbs: bytes) -> bytes:
        at = int(time.time() * 1000)
        entry = hashlib.sha256(_der(self.ca)).digest() + len(tbs).to_bytes(3, "big") + tbs
        signature = _sign(self.ct, struct.pack("!BBQH", 0, 0, at, 1) + entry + b"\x00\x00")
        head = b"\x00" + hashlib.sha256(_der(self.ct)).digest() + struct.pack("!QH", at, 0)
        return head + b"\x04\x03" + struct.pack("!H", len(signature)) + signature

    def _entry(self, proposed: dict[str, Any]) -> dict[str, Any]:
        envelope = json.loads(proposed["envelope"])
        (certificate,) = proposed["verifiers"]
        payload = base64.b64decode(envelope["payload"])
        hashed = {"envelopeHash": proposed["envelope"].encode(), "payloadHash": payload}
        shas = {name: {"algorithm": "sha256", "value": hashlib.sha256(content).hexdigest()}
                for name, content in hashed.items()}  # fmt: skip
        signatures = [{"signature": each["sig"], "verifier": certificate} for each in envelope["signatures"]]
        body = _canonical({"apiVersion": "0.0.1", "kind": "dsse", "spec": {**shas, "signatures": signatures}})
        self.entries += 1
        log_id = hashlib.sha256(_der(self.log)).hexdigest()
        signed = {"body": _text(body), "integratedTime": int(time.time()), "logID": log_id, "logIndex": self.entries}
        leaf = hashlib.sha256(b"\x00" + body).digest()
        note = f"local - 1\n1\n{_text(leaf)}\n"
        mark = _text(hashlib.sha256(_der(self.log)).digest()[:4] + _sign(self.log, note.encode()))
        proof = {
            "logIndex": 0,
            "rootHash": leaf.hex(),
            "treeSize": 1,
            "hashes": [],
            "checkpoint": f"{note}\n— local {mark}\n",
        }
        promise = _text(_sign(self.log, _canonical(signed)))
        return {"1": {**signed, "verification": {"signedEntryTimestamp": promise, "inclusionProof": proof}}}


def _canonical(content: Any) -> bytes:
    # RFC 8785 for what stands here: ASCII texts and small whole numbers.
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()

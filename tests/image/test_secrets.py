"""Secrets in the layers: planted in every format and place found, and what only speaks of one, or is public, is not."""

from __future__ import annotations

import base64
import bz2
import gzip
import hashlib
import io
import json
import lzma
import py_compile
import tarfile
import zipfile
import zlib

import pytest
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.errors import ImageUnavailable
from gate.image.package_records import read_records
from gate.image.secrets import archives, file_search
from gate.image.secrets.detector import secrets_in
from gate.image.secrets.secret_checks import no_secret, unsearched_packages
from tests.image.archive import layer, packed_as_tar, read_layers, saved
from tests.image.results import said

GITHUB = "ghp_" + "a1B2" * 9
AWS_ID, AWS_SECRET = "AKIA" + "QK3XTR7MZLP2WVN4", "kR7+fXq9ZpLm2Vn4Wc8Ty1Bd6Hs3Jg5Aa0Ee/UoI"
TELEGRAM = "8123456789:AAG7x-Kd92mQpLr4TzVb8Nc1Ws5Ej3Fh6Yu"
EC = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - never used as a key
BARE = form.NoEncryption()
PKCS8 = EC.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, BARE)
PEM = RSA.private_bytes(form.Encoding.PEM, form.PrivateFormat.TraditionalOpenSSL, BARE)
OPENSSH = ed25519.Ed25519PrivateKey.generate().private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, BARE)
DER = RSA.private_bytes(form.Encoding.DER, form.PrivateFormat.PKCS8, BARE)
SEC1 = EC.private_bytes(form.Encoding.DER, form.PrivateFormat.TraditionalOpenSSL, BARE)
PUBLIC = EC.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
JWT = ".".join(
    base64.urlsafe_b64encode(part).decode().rstrip("=")
    for part in (b'{"alg":"HS256","typ":"JWT"}', b'{"sub":"ci-bot-77"}', b"x" * 32)
)


def checked(*layers, known=None, base=0, **form_of_archive):
    """The rejections for an image of these layers, each given as files or as a tar archive."""
    made = [each if isinstance(each, bytes) else layer(each) for each in layers]
    return said(no_secret({}, (), read_layers(made, known, base=base, **form_of_archive), base))


def zipped(files, *, password=False):
    """A zip of these files; with the mark of an encrypted one."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    data = bytearray(made.getvalue())
    if password:
        for mark in (data.find(b"PK\3\4") + 6, data.find(b"PK\1\2") + 8):
            data[mark] |= 1
    return bytes(data)


def in_base64(data, width=76):
    """As `base64` prints it, in lines of this width or in one line."""
    text = base64.b64encode(data)
    width = width or len(text)
    return b"\n".join(text[at : at + width] for at in range(0, len(text), width))


PLANTED = {
    # Private keys
    "/var/task/key.pem": PKCS8,
    "/etc/ssl/private/service.key": PEM,
    "/usr/src/app/id": OPENSSH,
    "/var/task/windows.pem": PKCS8.decode().encode("utf-16"),
    "/var/task/little.pem": PKCS8.decode().encode("utf-16-le"),
    "/var/task/big.txt": PKCS8.decode().encode("utf-16-be"),
    "/var/task/wide.txt": PKCS8.decode().encode("utf-32"),
    "/opt/app/key.der": DER,
    "/opt/app/ec.bin": SEC1,
    "/var/task/values.yaml": b"tls:\n  key: " + in_base64(PEM, 0) + b"\n",
    "/var/task/wrapped.txt": in_base64(b"x" + PEM),
    "/var/task/account.json": json.dumps({"type": "service_account", "private_key": PKCS8.decode()}).encode(),
    "/var/task/literal.py": b'KEY = """' + PKCS8 + b'"""\n',
    "/var/task/joined.js": b"const key = '-----BEGIN PRIVATE KEY-----\\n' +\n  '"
    + PKCS8.splitlines()[1]
    + b"\\n' +\n  'x'",
    "/var/task/putty.ppk": b"PuTTY-User-Key-File-3: ssh-ed25519\r\nEncryption: none\r\nPrivate-Lines: 1\r\nAAAAIG0\r\n",
    # Packed
    "/var/task/lib.zip": zipped({"conf/key.pem": PEM}),
    "/var/task/app.whl": zipped({"app/settings.json": b'{"password": "S3cr3t-pass!"}'}),
    "/var/task/app.jar": zipped(
        {"META-INF/x": b"", "BOOT-INF/application.properties": b"spring.datasource.password=Tr0ub4dor\n"}
    ),
    "/var/task/bundle.tar": packed_as_tar([("a/.env.production", b"DB_PASSWORD=hunter2-x\n")]),
    "/var/task/bundle.tar.gz": gzip.compress(packed_as_tar([("key", PEM)])),
    "/var/task/bundle.tbz": bz2.compress(packed_as_tar([("key", PEM)])),
    "/var/task/bundle.txz": lzma.compress(packed_as_tar([("key", PEM)])),
    "/var/task/deep.zip": zipped({"a.zip": zipped({"b.tgz": gzip.compress(packed_as_tar([("c", GITHUB.encode())]))})}),
    "/var/task/run.pyz": b"#!/usr/bin/env python3\n" + zipped({"__main__.py": f"token = '{GITHUB}'".encode()}),
    "/var/task/two.gz": gzip.compress(b"a\n") + gzip.compress(GITHUB.encode()),
    # Places
    "/etc/app.conf": f"token = {GITHUB}\n".encode(),
    "/usr/src/notes.txt": GITHUB.encode(),
    "/var/task/site-packages/x.py": f"T = '{GITHUB}'\n".encode(),
    "/opt/chrome/preferences": f'{{"t": "{GITHUB}"}}'.encode(),
    "/usr/share/doc/readme.md": GITHUB.encode(),
    "/var/task/large.log": b"." * 1_100_000 + b"\n" + GITHUB.encode(),
    "/var/task/program": b"\x7fELF" + b"\0" * 9000 + GITHUB.encode() + b"\0" * 99,
    # Settings
    "/var/task/config/settings.json": b'{"smtp": {"user": "a", "password": "S3cr3t-pass!"}}',
    "/var/task/words.json": b'{"password": "swordfish"}',
    "/var/task/.env.production": b"LOG=1\nexport NAVER_API_KEY=0f9d8c7b6a\n",
    "/var/task/.env.local": b'SECRET_KEY_BASE="a8f5f167f44f4964e6c998dee827110c"\n',
    "/var/task/app.yaml": b"database:\n  password: hunter2\n",
    "/var/task/app.toml": b"[db]\npassword = 'hunter2-x'\n",
    "/var/task/app.ini": b"[db]\npasswd=pa55 # yes\nsecret=Zx9-Qw\n",
    "/var/task/web.xml": b"<db><password>Tr0ub4dor</password></db>",
    "/var/task/task.json": b'{"environment": [{"name": "DB_PASSWORD",\n "value": "hunter2"}]}',
    "/var/task/db.py": b"connect(host='db', password='Tr0ub4dor')\n",
    "/var/task/app/settings.py": b"DATABASES = {'default': {'USER': 'app', 'PASSWORD': 'swordfish'}}\n",
    "/var/task/pod.yaml": b"env:\n  - name: DB_PASSWORD\n    value: hunter2\n",
    "/var/task/compose.yml": b"services:\n  db:\n    environment:\n      - POSTGRES_PASSWORD=hunter2\n",
    "/var/task/main.tfvars": b'db_password = "Zx9-Qw7"\n',
    "/var/task/block.yaml": b"key: |\n" + b"".join(b"    " + line + b"\r\n" for line in PEM.splitlines()),
    "/var/task/default.py": b'key = os.environ.get("NAVER_API_KEY", "0f9d8c7b6a")\n',
    "/run/secrets/db_password": b"Tr0ub4dor\n",
    "/root/.aws/credentials": f"[default]\naws_access_key_id = {AWS_ID}\naws_secret_access_key = {AWS_SECRET}\n".encode(),  # noqa: E501
    "/home/u/.docker/config.json": b'{"auths": {"r": {"auth": "' + base64.b64encode(b"ci:Tr0ub4dor") + b'"}}}',
    "/root/.npmrc": b"//registry.npmjs.org/:_authToken=npm_" + b"a1B2c3" * 6 + b"\n",
    "/opt/npmrc": b"_auth=" + base64.b64encode(b"ci:Tr0ub4dor") + b"\n",
    "/etc/pip.conf": b"[global]\nindex-url = https://ci:Tr0ub4dor@pypi.corp.io/simple\n",
    "/root/.netrc": b"machine a login b password c\n",
    "/opt/netrc.txt": b"machine git.corp.io login ci password Tr0ub4dor\n",
    "/root/.ssh/id_ed25519": b"",
    "/var/task/deploy.sh": b"curl -H 'Authorization: Bearer 0f9d8c7b6a5e4d3c' https://a\nmysql --password=Tr0ub4dor\n",
    # Tokens
    "/var/task/a1.txt": AWS_ID.encode(),
    "/var/task/a2.txt": f'aws_secret_key = "{AWS_SECRET}"'.encode(),
    "/var/task/a3.txt": TELEGRAM.encode(),
    "/var/task/a4.txt": b"xoxb-123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx",
    "/var/task/a5.txt": b"https://hooks.slack.com/services/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",
    "/var/task/a6.txt": JWT.encode(),
    "/var/task/a7.txt": b"sk_live_" + b"4eC39HqLyjWDarjtT1zdp7dc",
    "/var/task/a8.txt": b"glpat-" + b"Zx9Qw7Er5Ty3Ui1Op2As",
    "/var/task/a9.txt": b"AIza" + b"SyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY",
    "/var/task/b1.txt": b"github_pat_11ABCDEFG0" + b"hIjKlMnOpQ_rStUvWxYz1234567890",
    "/var/task/b2.txt": b"SG." + b"aB3dE5fG7hI9jK1lM3nO5p" + b"." + b"Q7rS9tU1vW3xY5zA7bC9dE1fG3hI5jK7lM9nO1pQ3rS",
    "/var/task/b3.txt": b"redis://:Tr0ub4dor@cache.corp.io:6379/0",
    "/var/task/c1.txt": b"xapp-1-A0B1C2D3E4-1234567890123-" + b"0a1b2c3d" * 8,
    "/var/task/c2.txt": b"https://hooks.slack.com/" + b"workflows/T0AB12CD3/A0EF45GH6/123456789012345678/aB3dE5fG7hI9",
    "/var/task/c3.txt": b"https://x.blob.core.windows.net/c?sp=r&sig="
    + b"aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7bC9d%3D",
    "/var/task/c4.txt": b"SharedAccessKeyName=a;SharedAccessKey=" + b"aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7bC9d=",
    "/var/task/c5.py": b"client.token = 'hvs." + b"CAESIJ1a2B3c4D5e6F7g8H9i0J" + b"'\n",
    "/var/task/c6.py": b"T = 'dapi" + b"0f9d8c7b6a5e4d3c" * 2 + b"'\n",
    "/var/task/c7.txt": b"AGE-SECRET-KEY-1" + b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L" + b"QPZRY9X8GF2TVDW0S3JN54KHCE",
    "/var/task/c8.txt": b"ATATT3xFfGF0" + b"aB3dE5fG7hI9jK1l" * 6,
    "/var/task/c9.txt": b"docker login -p dckr_pat_" + b"aB3dE5fG7hI9jK1lM3nO5pQ7rS9",
    # The same in other forms
    "/var/task/d1.json": b'{"kty": "EC", "crv": "P-256", "d": "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7bC9d"}',
    "/var/task/d2.xml": b"<RSAKeyValue><Modulus>x</Modulus><D>" + b"aB3dE5fG" * 9 + b"</D></RSAKeyValue>",
    "/var/task/d3.yaml": b"k: " + in_base64(DER, 0),
    "/var/task/d4.txt": in_base64(EC.private_bytes(form.Encoding.DER, form.PrivateFormat.PKCS8, BARE)),
    "/var/task/d5.properties": b"url=jdbc:mysql://db.corp.io/x?user=app&ssl=true&password=Tr0ub4dor\n",
    "/var/task/d6.py": b"connect('DRIVER={ODBC};SERVER=db.corp.io;UID=app;PWD=Tr0ub4dor')\n",
    "/var/task/d7.sh": b"curl -s -u ci:Tr0ub4dor https://x.corp.io\n",
    "/var/task/d8.sh": b"sshpass -p Tr0ub4dor scp a@h:/x .\n",
    "/root/.bash_history": b"ls\nexport DB_PASSWORD=hunter2-x\n",
    "/var/task/prod.env.gz": gzip.compress(b"DB_PASSWORD=hunter2-x\n"),
    "/var/task/.env": b"DB_PASSWORD=hunter2-x\n",
    "/var/task/.git/objects/0f/9d8c": zlib.compress(b"blob 40\0" + GITHUB.encode()),
    "/var/task/b4.txt": b"sk-ant-api03-" + b"aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW",
}


@pytest.mark.parametrize("path", PLANTED)
def test_a_planted_secret_is_found_and_never_repeated(path):
    """In any format, folder, mode and size; alone in its layer, and in the layout of the containerd store."""
    told = checked({path: PLANTED[path]})
    assert f"{path} " in told or f"{path}(" in told
    assert "holds a secret" in told
    for value in (GITHUB, AWS_SECRET, TELEGRAM, JWT, "Tr0ub4dor", "hunter2", "S3cr3t"):
        assert value not in told


def test_at_least_forty_are_planted():
    """Many formats in many places."""
    assert len(PLANTED) >= 40


@pytest.mark.parametrize("form_of_archive", [{}, {"packed": True}, {"oci": True}, {"oci": True, "packed": True}])
def test_a_secret_that_a_later_layer_deletes_is_found_in_its_own(form_of_archive):
    """In the engine's own folders and in an OCI layout, plain and compressed."""
    told = checked({"/a": b""}, {"/build/key": PEM}, {"/build/.wh.key": b""}, **form_of_archive)
    assert "/build/key holds a secret (Private Key)" in told
    assert "where: layer 2 of 3: /build/key" in told


def test_a_secret_that_is_overwritten_or_hard_linked_is_found():
    """The content is in the layer under its first name."""
    assert "layer 1 of 2" in checked({"/app/t": GITHUB.encode()}, {"/app/t": b"gone"})
    linked = layer({"/opt/data": PEM}, hard={"/var/task/data": "/opt/data"})
    assert "/opt/data holds" in checked(linked, {"/opt/.wh.data": b"", "/var/task/.wh.data": b""})
    assert "/root/.netrc holds" in checked(layer({"/opt/data": b"x"}, hard={"/root/.netrc": "/opt/data"}))


def test_the_bases_own_layers_are_not_searched_and_all_others_are():
    """What the base holds was approved with it."""
    assert checked({"/etc/key": PEM}, {"/x": b""}, base=1) == ""
    assert "layer 1 of 2" in checked({"/etc/key": PEM}, {"/x": b""}, base=0)


def test_a_file_larger_than_what_is_read_at_once_is_searched_piece_by_piece(monkeypatch):
    """Also a secret across two pieces; an archive of that size is refused."""
    monkeypatch.setattr(file_search, "WHOLE_BYTES", 1000)
    monkeypatch.setattr(file_search, "_PIECE", 500)
    text = b"\n" + b"." * 985 + b"\n" + GITHUB.encode() + b"\n" + b"." * 2000
    assert "/x/large holds a secret (GitHub Token)" in checked({"/x/large": text})
    packed = zipped(
        {"a": bytes(range(256)) * 50 + bytes(reversed(range(256))) * 9, "b": hashlib.sha512(b"").digest() * 40}
    )
    assert "is an archive of more than" in checked({"/x/a.zip": packed + b"\0" * 1001})


HARMLESS = {
    "/var/task/README.md": b"Use `https://user:pass@host/` or postgres://username:password@localhost/db, and TOKEN=<your-token>.\n",  # noqa: E501
    "/var/task/uris.md": b"https://alice:s3cret9@example.com postgres://username:p4ssw0rd@localhost/db redis://:pw@test:1\n",
    "/var/task/paginators.json": b'{"input_token": "marker", "output_token": "position", "NextToken": "abc123"}',
    "/var/task/call.py": b"Field(name=password, value=unquote)\nadd(name='token', value=kwargs['a1'])\n",
    "/var/task/auth.py": b"self._auth = AuthenticationTypes(config)\n_auth = Typesabcd\n",
    "/var/task/docs.txt": b"proxy = http://user:secret@proxy.example.com:3128\n",
    "/var/task/public.pem": PUBLIC,
    "/var/task/known.py": b"if '-----BEGIN RSA PRIVATE KEY-----' in text:\n    raise ValueError('a private key')\n",
    "/var/task/docstring.py": b'"""Begins with\n-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----\n"""\n',
    "/var/task/aws.md": b"AKIAIOSFODNN7EXAMPLE and wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n",
    "/var/task/settings.json": b'{"password": "", "token": null, "apiKey": "${API_KEY}", "secretName": "prod/db", "secret": "arn:aws:ssm:x"}',  # noqa: E501
    "/var/task/schema.json": b'{"properties": {"password": {"type": "string", "title": "Password"}, "token": "string"}}',  # noqa: E501
    "/var/task/locale/de.json": b'{"password": "Kennwort", "token": "Zeichen"}',
    "/var/task/i18n.json": b'{"password": "Passwort", "forgot_password": "Forgot your password?"}',
    "/var/task/.env.example": b"DB_PASSWORD=changeme\nAPI_KEY=your-api-key\nTOKEN=\n",
    "/var/task/.env.production": b"SECRET_NAME=prod/db\nAPI_KEY_PARAMETER=/naver/key\nDB_SECRET_ARN=arn:aws:secretsmanager:a:1:secret:x\n",  # noqa: E501
    "/var/task/code.py": b"password = os.environ['DB_PASSWORD']\ntoken: str = get_token()\nTOKEN_URL = 'https://a.io/oauth2/token'\n",
    "/var/task/names.py": b"SECRET_ID = 'prod/naver/api-key-2'\nPASSWORD_FIELD = 'password2'\nkey = 'abc123'\ncsrf_token = 'csrftoken'\n",  # noqa: E501
    "/var/task/hash.txt": hashlib.sha256(b"").hexdigest().encode() + b"  12345678:" + b"ab" * 40,
    "/var/task/data.bin": bytes(range(256)) * 99,
    "/etc/nsswitch.conf": b"passwd:         files\ngroup:          files\nshadow:         files\n",
    "/var/task/pod.yaml": b"password:\n  valueFrom:\n    secretKeyRef:\n      name: db\n      key: password\ntokenTTL: 3600\n",  # noqa: E501
    "/var/task/min.js": b"var a={password:b,token:c};" * 99,
    "/var/task/empty.zip": zipped({}),
    "/var/task/clean.zip": zipped({"a/b.txt": b"hello"}),
    "/var/task/words.py": b"GRAMMAR = {'token': 'tok1 tok2', 'secret': 'x'}\ntokenizer = 'cl100k_base'\nmax_tokens = 4096\n",  # noqa: E501
    "/var/task/.env": b"LOG_LEVEL=INFO\nSECRET_NAME=prod/app\nDB_SECRET_ARN=arn:aws:secretsmanager:a:1:secret:x\n",
    "/var/task/sops.yaml": b"password: ENC[AES256_GCM,data:aB3d,type:str]\npass: ENC(G6N718UuyPE5bHyWKyuLQSm0)\n",
    "/var/task/sums.yaml": b"token_sha256: " + b"0f9d8c7b" * 8 + b"\nsecret_fingerprint: " + b"0f9d8c7b" * 5 + b"\n",
    "/var/task/jwks.json": b'{"keys": [{"kty": "RSA", "n": "' + b"aB3dE5fG" * 40 + b'", "e": "AQAB"}]}',
    "/var/task/der.txt": in_base64(
        EC.public_key().public_bytes(form.Encoding.DER, form.PublicFormat.SubjectPublicKeyInfo), 0
    ),
    "/var/task/form.js": b"n.user=t.u;password=e.target.value;u('?user='+u+'&password='+p);\n",
    "/var/task/jdbc.md": b"jdbc:mysql://h/x?user=root&password=<password> UID=sa;PWD=${PWD}\n",
    "/var/task/curl.sh": b'curl -u "$USER:$PASS" https://x\ncurl -u user:password https://h\ncurl -o a:b1 -s x\n',
    "/var/task/.git/objects/0f/9d8d": zlib.compress(b"blob 6\0x = 1\n"),
    "/usr/bin/tool": b"\x7fELF" + b"\0" * 99 + in_base64(DER, 0) + b"\0" * 99,
    "/var/task/names.js": b"hvs.getElementsByTagNameAndClassName1(); glc_draw_elements_instanced_base_vertex_4(x)\n",
    "/var/task/x.txt": b"x\x9cis no object\n" * 9,
    "/root/.bashrc": b"export PATH=$PATH:/opt\nexport TOKEN=$(cat /run/secrets/t)\n",
    "/var/task/pass.py": b"class Pass:\n    passes = 'pass1'\n    bypass = 'a1b2'\n",
}


@pytest.mark.parametrize("path", HARMLESS)
def test_what_only_speaks_of_a_secret_is_none(path):
    """Placeholders, names, places, public keys, code that handles secrets."""
    assert checked({path: HARMLESS[path]}) == ""


# What package records explain


def recorded(files, root="/var/task", name="lib-1.0", **beside):
    """The files of a package as pip installs them, and what it records."""
    lines = [
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}"
        for path, data in files.items()
    ]
    made = {f"{root}/{path}": data for path, data in files.items()}
    return (
        made
        | {f"{root}/{name}.dist-info/RECORD": "\n".join(lines).encode()}
        | {f"{root}/{name}.dist-info/{each}": data for each, data in beside.items()}
    )


EXAMPLE = b'"""Such as https://deploy:Tr0ub4dor@git.corp.io/."""\nT = "ghp_" "' + b"a1B2" * 9 + b'"\n'


def compiled(source, folder):
    """The source as Python compiles it."""
    path = folder / "url.py"
    path.write_bytes(source)
    return (folder / py_compile.compile(str(path), str(folder / "out.pyc"), doraise=True)).read_bytes()


@pytest.mark.parametrize("known", [True, False], ids=["recorded before", "recorded in its layer"])
def test_a_published_packages_examples_are_public_compiled_too(tmp_path, known):
    """`pip install --target` compiles by default, and the compiled file repeats its source."""
    files = recorded({"lib/url.py": EXAMPLE, "lib/key.pem": PEM})
    files["/var/task/lib/__pycache__/url.cpython-311.pyc"] = compiled(EXAMPLE, tmp_path)
    records = read_records({path: data.decode() for path, data in files.items() if path.endswith("RECORD")})
    assert checked(files, known=records if known else None) == ""
    assert checked(dict(reversed(files.items())), known=records if known else None) == ""


@pytest.mark.parametrize("optimize", [0, 1, 2])
def test_a_token_that_seems_longer_in_the_compiled_file_is_explained(tmp_path, optimize):
    """GitLab's have no fixed length, and what Python writes behind a literal may be letters."""
    source = (
        b"def f(x):\n    'a'\n    match x:\n        case 'glpat-" + b"Zx9Qw7Er5Ty3Ui1Op2As" + b"': return ('b', 1)\n"
    )
    files = recorded({"lib/url.py": source})
    (tmp_path / "url.py").write_bytes(source)
    made = py_compile.compile(str(tmp_path / "url.py"), str(tmp_path / "x.pyc"), doraise=True, optimize=optimize)
    files["/var/task/lib/__pycache__/url.cpython-311.pyc"] = (tmp_path / made).read_bytes()
    assert checked(files) == ""


def test_a_compiled_file_that_says_more_than_its_source_is_searched(tmp_path):
    """A compiled file is explained only by what its source holds."""
    files = recorded({"lib/url.py": EXAMPLE})
    files["/var/task/lib/__pycache__/url.cpython-311.pyc"] = compiled(EXAMPLE + f"U = '{TELEGRAM}'".encode(), tmp_path)
    assert "url.cpython-311.pyc holds a secret (Telegram Bot Token)" in checked(files)
    del files["/var/task/lib/url.py"]
    assert "Basic Auth Credentials" in checked(files)


def test_a_record_explains_only_what_it_published():
    """Not for an edited file, one that it does not record, nor one that was built here (PEP 610)."""
    files = recorded({"lib/url.py": EXAMPLE})
    assert "/var/task/lib/url.py" in checked(files | {"/var/task/lib/url.py": EXAMPLE + b"\n"})
    assert "/var/task/lib/other.py" in checked(files | {"/var/task/lib/other.py": EXAMPLE})
    private = recorded({"lib/url.py": EXAMPLE}, **{"direct_url.json": b'{"url": "file:///build", "dir_info": {}}'})
    assert "/var/task/lib/url.py" in checked(private)


@pytest.mark.parametrize(
    ("url", "content", "explained"),
    [
        ("https://conda.anaconda.org/conda-forge/noarch/lib-1.0-0.conda", EXAMPLE, True),
        ("https://conda.anaconda.org/conda-forge/noarch/lib-1.0-0.conda", EXAMPLE + b"\n", False),
        ("file:///build/lib-1.0-0.conda", EXAMPLE, False),
        (None, EXAMPLE, False),
    ],
)
def test_condas_records_explain_what_comes_from_a_channel(url, content, explained):
    """Also what it adapted to its folder; nothing that was built here, edited, or recorded in another form."""
    digest = hashlib.sha256(EXAMPLE).hexdigest()
    path = {"_path": "lib/python3.11/site-packages/lib/url.py", "sha256": "0" * 64, "sha256_in_prefix": digest}
    files = {
        "/opt/conda/conda-meta/lib-1.0-0.json": json.dumps({"url": url, "paths_data": {"paths": [path]}}).encode(),
        "/opt/conda/lib/python3.11/site-packages/lib/url.py": content,
    }
    assert (checked(files) == "") is explained


def test_debians_records_explain_its_files():
    """By md5sums and by the list of conffiles, under the old names of merged folders too."""
    key = hashlib.md5(PEM, usedforsecurity=False).hexdigest()
    files = {"/usr/share/a/key.pem": PEM, "/etc/a/key.pem": PEM, "/usr/lib/b.pem": PEM}
    records = {
        "/var/lib/dpkg/info/a.md5sums": f"{key}  usr/share/a/key.pem\n{key}  lib/b.pem\n".encode(),
        "/var/lib/dpkg/status": f"Package: a\nConffiles:\n /etc/a/key.pem {key}\n".encode(),
    }
    assert checked(files | records) == ""
    assert checked(files).count("holds a secret") == 3


# What cannot be searched


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x28\xb5\x2f\xfd" + b"x" * 99, "packed with Zstandard"),
        (b"7z\xbc\xaf\x27\x1c" + b"x" * 99, "packed with 7-Zip"),
        (b"Rar!\x1a\x07\1\0" + b"x" * 99, "packed with RAR"),
        (b"PACK\0\0\0\2" + b"x" * 99, "packed with git"),
        (zipped({"key": b"x"}, password=True), "is encrypted"),
        (gzip.compress(PEM)[:60], "is a damaged or unknown archive (EOFError)"),
        (zipped({"a": PEM * 9})[:90], "is a damaged or unknown archive (BadZipFile)"),
    ],
    ids=["zstd", "7z", "rar", "git", "encrypted zip", "half a gzip", "half a zip"],
)
def test_what_cannot_be_opened_is_refused(content, words):
    """Its content is unknown."""
    told = checked({"/var/task/a.bin": content})
    assert "/var/task/a.bin" in told
    assert words in told


def test_a_limit_that_is_reached_is_named(monkeypatch):
    """The depth, the size of a member, the total size, and the number of members."""
    nested = b"x"
    for _ in range(archives.DEPTH + 1):
        nested = zipped({"a.zip": nested, "b": b"x"})
    assert f"is an archive in {archives.DEPTH} others" in checked({"/a.zip": nested})
    monkeypatch.setattr(archives, "MEMBER_BYTES", 50)
    for packed in (
        zipped({"a": b"x" * 99}),
        gzip.compress(b"x" * 99),
        bz2.compress(b"x" * 99),
        packed_as_tar([("a", b"x" * 99)]),
    ):
        assert "unpacks to more than" in checked({"/a": packed})
    monkeypatch.setattr(archives, "MEMBER_BYTES", 10_000)
    monkeypatch.setattr(archives, "MEMBERS", 2)
    monkeypatch.setattr(
        archives.UnpackBudget, "__init__", lambda self: self.__dict__.update(left_bytes=100, left_members=2)
    )
    assert "holds more than 2 members" in checked({"/a": zipped(dict.fromkeys("abc", b""))})
    assert "unpacks to more than" in checked({"/a": zipped({"a": b"x" * 99, "b": b"x" * 99})})


@pytest.mark.parametrize(
    "pieces",
    [
        b"eyJ" * 50_000,
        b"password=" * 50_000,
        b"-----BEGIN PRIVATE KEY-----" + b"+" * 99_000,
        b"LS0tLS1CRUdJTi" * 9_000,
        b"machine x password" * 9_000,
        b"://" * 50_000,
    ],
    ids=["tokens", "settings", "a key without an end", "base64", "netrc", "addresses"],
)
def test_a_text_made_to_hold_the_search_up_does_not(pieces):
    """No pattern backtracks over the same text."""
    assert secrets_in(pieces, "/x/.env") is not None


PIECES = st.sampled_from(
    [
        b"_auth=",
        b'"auth": "',
        b"-----BEGIN PRIVATE KEY-----",
        b"LS0tLS1CRUdJTi",
        b"ghp_",
        b"eyJ",
        b".eyJ",
        b"://",
        b"@",
        b"password",
        b"=",
        b"'",
        b'"',
        b"\\",
        b"\n",
        b"\0",
        b"PK\3\4",
        b"\x1f\x8b\x08",
        b"\x30\x82",
        b"\xfe\xed\xfe\xed",
        b"abc1" * 9,
    ]
)


@settings(max_examples=300)
@given(st.lists(PIECES | st.binary(max_size=9), max_size=20).map(b"".join))
def test_whatever_a_file_holds_the_search_comes_to_an_end(data):
    """Bytes of any kind, including cut archives."""
    for name in ("/x/.env", "/x/y.py", "/x/db_password"):
        checked({name: data})


# The archive


def test_an_archive_without_its_layers_is_refused():
    """Missing, foreign or cut layers are an error, because they were not searched."""
    first, second = layer({"/a": b""}), layer({"/b": b""})
    whole = saved([first])
    for archive, words in (
        (packed_as_tar([("x", b"y")]), "layer 1 of 2: the archive does not hold it"),
        (whole, "layer 2 of 2: the archive does not hold it"),
        (packed_as_tar([("a", b"\x28\xb5\x2f\xfd" + b"x" * 600)]), "layer 1 of 2: it is compressed with Zstandard"),
        (packed_as_tar([("a", gzip.compress(first)[:-9])]), "layer 1 of 2: Compressed file ended before"),
        (saved([first, layer({"/b": b"x"})]), "layer 2 of 2: the archive does not hold it"),
    ):
        with pytest.raises(ImageUnavailable) as refused:
            read_layers([first, second], archive=archive)
        assert words in str(refused.value)
    with pytest.raises(tarfile.TarError):
        read_layers([first], archive=whole[:700])
    with pytest.raises(ImageUnavailable, match="layer 1 of 1"):
        read_layers([b"x" * 1024], archive=saved([b"x" * 1024]))


def test_of_two_equal_layers_the_archive_may_hold_one():
    """Older engines and Podman save a link for the second."""
    key, other = layer({"/key": PEM}), layer({"/b": b""})
    read = read_layers([key, other, key], archive=saved([key, other]))
    assert [number for number, _ in read.findings] == [1, 1, 3, 3]


def test_what_the_base_holds_is_not_the_images():
    """It is not searched, and counted as such; the same file above the base is."""
    key = layer({"/key": PEM})
    read = read_layers([key, layer({"/other": PEM})], base=1)
    assert {number for number, _ in read.findings} == {2}
    assert read.searched == {"of the base": 1, "searched": 1}
    assert {number for number, _ in read_layers([key, key], base=1).findings} == {2}


# Environment and history


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NAVER_API_KEY", "sk-0123456789abcdef"),
        ("DB_PASSWORD", "changeme"),
        ("BOT", TELEGRAM),
        ("clientSecret", "Zx9-Qw7"),
        ("AWS_SECRET_ACCESS_KEY", AWS_SECRET),
        ("URL", "postgres://app:Tr0ub4dor@db.corp.io/x"),
        ("PGPASSWORD", "swordfish"),
        ("TLS", in_base64(PEM, 0).decode()),
        ("MYSQL_PWD", "x1"),
        ("MYSQL_PASSWORD", "xxxy"),
        ("ADMIN_PASSWORD", "aaaa"),
        ("API_TOKEN", "0000000000"),
        ("SLACK", "xoxb-123456789012-1234567890123-AbCdEfGhIjKlMnOpQrSt"),
    ],
)
def test_a_variable_that_is_a_secret_is_refused_wherever_it_is_recorded(name, value):
    """In the environment, as ARG's default, as what a RUN was given by the classic builder and by BuildKit."""
    nothing = read_layers([layer({})])
    assert f"the environment variable {name} holds a secret" in said(no_secret({name: value}, (), nothing, 0))
    for line in (
        f"|1 {name}={value} /bin/sh -c pip install x",
        f"RUN |2 A=b {name}={value} /bin/sh -c x # buildkit",
        f"/bin/sh -c #(nop)  ARG {name}={value}",
        f"ARG {name}={value}",
        f"ENV {name}={value}",
    ):
        told = said(no_secret({}, ("RUN true", line), nothing, 0))
        assert "history entry 2" in told, line
        assert value not in told


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_NAME", "prod/naver"),
        ("API_KEY_PARAMETER", "/naver/api-key"),
        ("TOKEN_TTL", "3600"),
        ("GPG_KEY", "A035C8C19219BA821E"),
        ("DB_SECRET_ARN", "arn:aws:secretsmanager:ap-northeast-2:1:secret:db-AbCdEf"),
        ("PASSWORD_FILE", "/run/secrets/db"),
        ("DB_SECRET", "arn:aws:secretsmanager:ap-northeast-2:1:secret:db-AbCdEf"),
        ("API_KEY", ""),
        ("API_KEY", "/naver/key"),
        ("SECRET_ID", "prod/db"),
        ("DB_SECRET", "prod/db/password"),
        ("USE_TOKEN", "true"),
        ("DD_API_KEY", "xxxxxx"),
        ("DB_PASSWORD", "********"),
        ("API_TOKEN", "XXXXXXXXXXXXXXXX"),
        ("ACCESS_TOKEN", "-"),
        ("MAX_TOKENS", "4096"),
        ("TOKEN", "${TOKEN}"),
        ("PASSWORD_MIN_LENGTH", "12"),
        ("SECRETS_EXTENSION_HTTP_PORT", "2773"),
        ("LANG", "C.UTF-8"),
        ("KEYBOARD", "us"),
        ("MYSQL_ALLOW_EMPTY_PASSWORD", "yes"),
        ("API_KEY_REF", "naver"),
        ("URL", "https://user:pass@host"),
    ],
)
def test_a_variable_that_names_a_secret_is_the_good_way(name, value):
    """Names, ARNs, parameters, files and properties are not secrets."""
    nothing = read_layers([layer({})])
    lines = (f"|1 {name}={value} /bin/sh -c pip install x", f"ENV {name}={value}", f"ARG {name}={value}")
    assert said(no_secret({name: value}, lines, nothing, 0)) == ""


@pytest.mark.parametrize(
    ("what", "value", "accepted"),
    [
        ("the label api_token", "Zx9-Qw7Er5", False),
        ("the label note", GITHUB, False),
        ("CMD", "run --token=Zx9Qw7Er5Ty3", False),
        ("ENTRYPOINT", "sh -c 'curl -u ci:Tr0ub4dor https://x.corp.io'", False),
        ("the label org.opencontainers.image.revision", "0f9d8c7b" * 5, True),
        ("the label io.x.secret-name", "prod/db", True),
        ("CMD", "src.main.lambda_handler", True),
    ],
)
def test_the_rest_of_the_configuration_is_searched_too(what, value, accepted):
    """Labels that were given on the command line stand in no history."""
    result = no_secret({}, (), read_layers([layer({})]), 0, {what: value})
    assert result.accepted is accepted
    assert accepted or f"{what} holds a secret" in said(result)


def test_an_image_without_layers_was_not_searched():
    """It is refused."""
    nothing = read_layers([])
    assert "nothing was searched" in said(no_secret({}, (), nothing, 0))


def test_a_library_that_knows_the_marks_of_a_zip_is_none():
    """It contains both signatures near its end, as libminizip does; a real zip at the end is searched."""
    library = b"\x7fELF" + b"\0" * 500 + b"PK\5\6" + b"\0" * 18 + b"PK\3\4" + b"\0" * 40 + b"PK\5\6" + b"\1" * 60
    assert checked({"/usr/lib/libzip.so.1": library, "/a.so": library + b"PK\5\6" + b"\0" * 18}) == ""
    assert "holds a secret" in checked({"/usr/bin/tool": b"#!/usr/bin/python3\n" + zipped({"key.pem": PEM})})


def test_a_distributions_package_that_cannot_be_searched_is_named_and_not_refused():
    """From the cache of apt or dnf; any other archive that cannot be searched is refused."""
    packed = b"\xed\xab\xee\xdb" + b"x" * 99
    assert checked({"/var/cache/dnf/a.rpm": packed}) == ""
    assert "cannot be searched" in checked({"/opt/a.bin": packed})
    read = read_layers([layer({"/var/cache/dnf/a.rpm": packed})])
    assert unsearched_packages(read, 0)[0].startswith("/var/cache/dnf/a.rpm was not searched whole")
    assert unsearched_packages(read, 1) == ()

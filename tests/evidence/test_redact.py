"""Redaction: no secret survives it, whatever it comes in."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.evidence.redact import HIDDEN, Redactor

KEY = "AKIA" + "ABCDEFGHIJKLMNOP"
JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0." + "abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize(
    ("value", "secret"),
    [
        ({"authorizationToken": "QVdTOnBhc3N3b3Jk"}, "QVdTOnBhc3N3b3Jk"),
        ({"Credentials": {"SecretAccessKey": "hunter2hunter2", "SessionToken": "x"}}, "hunter2hunter2"),
        ({"list": [f"key {KEY} in a sentence"]}, KEY),
        ("https://bucket/layer?X-Amz-Algorithm=a&X-Amz-Signature=deadbeef&b=c", "deadbeef"),
        ("docker login https://AWS:hunter2@registry/", "hunter2"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----", "MIIabc"),
        ("-----BEGIN PRIVATE KEY-----\nMIIcut-short", "MIIcut-short"),
        ({"header": f"Authorization: Bearer {JWT}"}, JWT),
        ("Authorization: Basic QVdTOnBhc3N3b3JkMTIzNDU2", "QVdTOnBhc3N3b3JkMTIzNDU2"),
    ],
)
def test_secrets_are_hidden_by_name_and_by_shape(value, secret):
    """Each kind of secret is gone from the redacted value."""
    assert secret not in json.dumps(Redactor().value(value))


@pytest.mark.parametrize(
    "value", [{"nextToken": "page-2"}, {"digest": "sha256:" + "a" * 64}, {"tokens": 3}, "password"]
)
def test_what_is_no_secret_stays(value):
    """Evidence stays readable: digests, page tokens, counts and ordinary words are kept."""
    assert Redactor().value(value) == value


@given(st.text(min_size=8, max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_a_value_that_the_run_was_given_is_hidden_everywhere(secret, before, after):
    """A secret known by value is hidden in keys, values and sentences."""
    redacted = Redactor([secret]).value({before + secret + after: [before + secret + after]})
    [(key, [value])] = redacted.items()
    assert secret not in key.replace(HIDDEN, "")
    assert secret not in value.replace(HIDDEN, "")


def test_a_text_that_was_seen_before_its_secret_was_known_is_hidden_from_then_on():
    """What was found in a text once is not what is found in it ever after."""
    redactor, text = Redactor(), "it was 0123456789 all along"
    assert redactor.text(text) == text
    redactor.learn(["0123456789"])
    assert redactor.text(text) == f"it was {HIDDEN} all along"

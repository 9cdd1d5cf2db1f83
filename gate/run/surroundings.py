"""What the environment says of the way to the network: proxies, and certificates of whoever reads along. Pure."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from urllib.parse import urlsplit

# As curl, Python's urllib, requests, botocore and Go's net/http read them; each in lower and in upper case.
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_EXCEPT = ("no_proxy", "NO_PROXY")
# What botocore, requests and OpenSSL trust in place of, or besides, the certificates that they ship.
_CERTIFICATES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def no_proxy(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables with which this machine's own addresses are reached without any proxy; none where none is named.

    Some programs read the lower-case name first and some the upper-case one, so both say the same: what either said.
    """
    if not _set(environment):
        return {}
    said = ",".join(filter(None, (environment.get(name, "") for name in _EXCEPT)))
    names = [each.strip() for each in said.split(",")]
    whole = ",".join(dict.fromkeys(each for each in (*names, *_LOOPBACK) if each))
    # An asterisk among others means nothing to Python's urllib: it must stand alone.
    return dict.fromkeys(_EXCEPT, "*" if "*" in names else whole)


def reach_loopback(environment: MutableMapping[str, str]) -> None:
    """Let this process and its children reach this machine's own addresses without any proxy."""
    environment.update(no_proxy(environment))


def ways(environment: Mapping[str, str]) -> dict[str, str]:
    """Each proxy and each bundle of certificates that is set, by its variable; a proxy without user and password."""
    found = {name: _address(value) for name, value in _set(environment).items()}
    return found | {name: environment[name] for name in _CERTIFICATES if environment.get(name)}


def _set(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.lower() in _PROXIES and value}


def _address(url: str) -> str:
    try:
        return urlsplit(url)._replace(netloc=urlsplit(url).netloc.rpartition("@")[2]).geturl()
    except ValueError:
        return "an address that cannot be read"

"""What the environment must not decide: proxies before loopback, AWS settings, git's hooks, encodings."""

import http.server
import os
import threading
import urllib.request

import boto3
import pytest
import requests

from gate.errors import WrongUse
from gate.run.environment import (
    leave_out_aws,
    leave_out_git,
    no_proxy,
    proxies_and_certificates,
    refuse_interpreter,
    settle,
)
from localaws import access_keys

DEAD = "http://127.0.0.1:9"
LOOPBACK = "127.0.0.1,localhost,::1"
# Environment → what both no_proxy variables must say; None: nothing is touched.
PROXIES = {
    "no proxy": ({}, None),
    "no proxy, but an exception": ({"NO_PROXY": "example.com"}, None),
    "an empty proxy": ({"HTTP_PROXY": ""}, None),
    "upper case": ({"HTTP_PROXY": DEAD}, LOOPBACK),
    "lower case": ({"https_proxy": DEAD}, LOOPBACK),
    "for all": ({"ALL_PROXY": DEAD}, LOOPBACK),
    "an exception in upper case": ({"HTTP_PROXY": DEAD, "NO_PROXY": "example.com"}, f"example.com,{LOOPBACK}"),
    "exceptions in both": ({"HTTP_PROXY": DEAD, "NO_PROXY": "a.b", "no_proxy": "c.d, a.b"}, f"c.d,a.b,{LOOPBACK}"),
    "loopback already": ({"HTTP_PROXY": DEAD, "NO_PROXY": "localhost"}, "localhost,127.0.0.1,::1"),
    "no proxy for anything": ({"HTTP_PROXY": DEAD, "NO_PROXY": "*"}, "*"),
}


@pytest.fixture
def server():
    """Something that answers on loopback."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_):
            """Nothing."""

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()


@pytest.mark.parametrize("case", PROXIES)
def test_loopback_is_excepted_from_every_proxy_under_both_names(case):
    """What was excepted stays so; without a proxy nothing is set."""
    environment, expected = PROXIES[case]
    assert no_proxy(environment) == ({} if expected is None else {"no_proxy": expected, "NO_PROXY": expected})


@pytest.mark.parametrize("names", [("HTTP_PROXY",), ("http_proxy",), ("ALL_PROXY", "all_proxy"), ("HTTPS_PROXY",)])
@pytest.mark.parametrize("ask", ["urllib", "requests", "boto3"])
def test_our_clients_reach_loopback_past_a_dead_proxy(monkeypatch, server, names, ask):
    """The registry's blobs, the local target's API; and what the proxy is for still goes through it."""
    for name in names:
        monkeypatch.setenv(name, DEAD)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in no_proxy(os.environ).items():
        monkeypatch.setenv(name, value)
    for url in (server, server.replace("127.0.0.1", "localhost")):
        _ask(ask, url)
    assert urllib.request.getproxies()
    assert not urllib.request.proxy_bypass("example.com")


def _ask(how, url):
    if how == "urllib":
        # An opener of its own: urlopen's is kept, with the proxies of its first use, for every test after this one.
        urllib.request.build_opener().open(url, timeout=5).close()
    elif how == "requests":
        requests.get(url, timeout=5).raise_for_status()
    else:
        boto3.Session("AKIAEXAMPLE", "x", region_name="eu-west-1").client("ecr", endpoint_url=url).get_registry_policy()


def test_the_local_targets_own_clients_know_neither_proxies_nor_a_persons_settings(monkeypatch, server):
    """Without anybody having settled the environment: `make local` and the tests use them so."""
    hostile = {"HTTP_PROXY": DEAD, "ALL_PROXY": DEAD, "AWS_PROFILE": "nobody", "AWS_MAX_ATTEMPTS": "many",
               "AWS_USE_FIPS_ENDPOINT": "true", "AWS_CA_BUNDLE": "/nowhere", "AWS_REGION": "us-east-1"}  # fmt: skip
    for name, value in hostile.items():
        monkeypatch.setenv(name, value)
    session = access_keys.session(access_keys.AccessKeys("AKIAEXAMPLE", "x", ""), "eu-west-1")
    session.client("ecr", endpoint_url=server).get_registry_policy()


def test_a_run_that_asks_no_aws_knows_nothing_of_a_persons_settings(monkeypatch, tmp_path):
    """Neither variables nor files below the home; other variables stay."""
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text("[default]\nregion = us-east-1\nendpoint_url = http://127.0.0.1:9\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    environment = {
        "AWS_PROFILE": "nobody",
        "AWS_ENDPOINT_URL_ECR": DEAD,
        "HOME": "/h",
        "AWSOME": "y",
    }
    leave_out_aws(environment)
    assert environment == {
        "HOME": "/h", "AWSOME": "y", "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }  # fmt: skip
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    assert boto3.Session().region_name is None


def test_a_run_on_aws_follows_a_persons_settings():
    """They say who it is."""
    environment = {"AWS_PROFILE": "release", "HTTPS_PROXY": DEAD}
    settle(environment, asks_aws=True)
    assert environment == {
        "AWS_PROFILE": "release", "HTTPS_PROXY": DEAD, "NO_PROXY": LOOPBACK, "no_proxy": LOOPBACK,
        "DOCKER_CONTEXT": "default", "GIT_OPTIONAL_LOCKS": "0",
    }  # fmt: skip


@pytest.mark.parametrize("chosen", [{}, {"DOCKER_CONTEXT": "elsewhere"}, {"DOCKER_API_VERSION": "1.24"}])
@pytest.mark.parametrize("host", [{}, {"DOCKER_HOST": "tcp://engine:2376"}])
def test_the_docker_command_asks_the_engine_that_the_gate_asks(chosen, host):
    """Docker's SDK knows no contexts: DOCKER_HOST decides for both, or the local socket."""
    environment = {**chosen, **host}
    settle(environment, asks_aws=True)
    assert environment == {"DOCKER_CONTEXT": "default", "GIT_OPTIONAL_LOCKS": "0", **host}


def test_whatever_points_git_at_a_repository_is_taken_away_and_nothing_else():
    """Git itself says which; how git reaches others is the person's."""
    names = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_CONFIG_COUNT", "GIT_COMMON_DIR")
    environment = {**dict.fromkeys(names, "/elsewhere"), "GIT_SSH_COMMAND": "ssh -v", "PATH": "/bin"}
    leave_out_git(environment)
    assert environment == {"GIT_SSH_COMMAND": "ssh -v", "PATH": "/bin"}


@pytest.mark.parametrize(
    ("encoding", "optimize"), [("ANSI_X3.4-1968", 0), ("EUC-KR", 0), ("ISO-8859-9", 0), ("utf-8", 1)]
)
def test_a_python_that_would_misread_is_refused_in_a_sentence(encoding, optimize):
    """And the way out is named."""
    with pytest.raises(WrongUse) as refused:
        refuse_interpreter(encoding, optimize)
    assert "PYTHON" in refused.value.remedy


@pytest.mark.parametrize("encoding", ["UTF-8", "utf8", "cp65001"])
def test_utf_8_by_any_name_is_good(encoding):
    """As locales spell it."""
    refuse_interpreter(encoding, 0)


def test_what_is_on_the_way_is_evidence_without_passwords():
    """Proxies and bundles; nothing else of the environment."""
    environment = {"HTTPS_PROXY": "http://user:hunter22@proxy:3128", "AWS_CA_BUNDLE": "/ca.pem", "HOME": "/h",
                   "http_proxy": "http://[::1"}  # fmt: skip
    assert proxies_and_certificates(environment) == {
        "HTTPS_PROXY": "http://proxy:3128",
        "AWS_CA_BUNDLE": "/ca.pem",
        "http_proxy": "an address that cannot be read",
    }

"""The files, as the image's own find and grep tell of them: these are trusted."""


def test_permissions(host):
    """Every file can be read, every folder entered, by any user."""
    everything = host.check_output("find / -xdev -printf '%m %y %p\\n'")
    assert len(everything.splitlines()) > 10_000
    shut = "find /var/task /opt /var/lang /var/runtime -xdev ! -type l ! -perm -o=r -o -type d ! -perm -o=x"
    assert host.check_output(shut) == ""


def test_secrets(host, secret):
    """None in what a build brings along."""
    searched = "/var/task /opt /root /home /tmp /srv"
    found = host.run(f"grep -rIlE --exclude-dir=site-packages --exclude-dir=chrome '{secret}' {searched}")
    assert found.stdout == ""

"""Measures a container from inside: its processes, how full /tmp is, and its memory counters.

This text is run inside the sandbox by the image's own Python (`python3 -I -S -c <text> <mark>`), so it imports the
standard library alone and nothing of the gate. It prints the fields of a `ResourceSample` as JSON between two marks.
Of an image without a Python it is measured from another container that sees its processes, with the folder in which
its files are as one more argument.
"""

import json
import os
import sys

# cgroup v1 (kernel: memory.rst) and v2 (cgroup-v2.rst): the high-water mark, and the count of OOM kills.
HIGH_WATER = ("/sys/fs/cgroup/memory/memory.max_usage_in_bytes", "/sys/fs/cgroup/memory.peak")
OOM = ("/sys/fs/cgroup/memory/memory.oom_control", "/sys/fs/cgroup/memory.events")
STAT = ("/sys/fs/cgroup/memory/memory.stat", "/sys/fs/cgroup/memory.stat")
# The names that the two versions give to anonymous memory (v1 counts the groups below it only under total_).
ANONYMOUS, SHARED = ("total_rss", "anon"), ("total_shmem", "shmem")

ROOT = sys.argv[2] if len(sys.argv) > 2 else ""  # noqa: PLR2004 - the text, the mark, and perhaps this


def text_of(*paths: str) -> str:
    """The text of the first of these files that can be read."""
    for path in paths:
        try:
            with open(path if path.startswith("/proc/") else ROOT + path, encoding="utf-8") as file:
                return file.read()
        except OSError:
            continue
    return ""


def high_water() -> "int | None":
    """Bytes, page cache and tmpfs included, as the OOM killer counts them."""
    text = text_of(*HIGH_WATER).strip()
    return int(text) if text.isdigit() else None


def oom_kills() -> "int | None":
    """How many processes were killed for want of memory."""
    for line in text_of(*OOM).splitlines():
        name, _, count = line.partition(" ")
        if name == "oom_kill":
            return int(count)
    return None


def processes() -> "list[dict[str, object]]":
    """Every process but this one (proc(5), /proc/pid/stat)."""
    found = []
    for pid in others():
        head, _, tail = text_of(f"/proc/{pid}/stat").rpartition(")")
        fields = tail.split()
        if fields:
            name, threads = head.partition("(")[2], int(fields[17])
            found.append({"pid": pid, "parent": int(fields[1]), "state": fields[0], "name": name,
                          "threads": threads, "descriptors": descriptors(pid)})  # fmt: skip
    return found


def others() -> "list[int]":
    """The process ids but this one's."""
    return sorted(int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid())


def descriptors(pid: int) -> int:
    """The open files of a process; where they cannot be listed, the size of its descriptor table, which is no less."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return status(pid, "FDSize")


def status(pid: object, name: str) -> int:
    """One number of /proc/pid/status (proc(5)); 0 where there is none, as of a zombie."""
    for line in text_of(f"/proc/{pid}/status").splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    return 0


def memory() -> int:
    """Bytes that the processes hold: anonymous memory, and shared memory without the files of /tmp.

    Lambda counts /tmp separately. The memory of this process itself is left out.
    """
    counters = dict(line.split()[:2] for line in text_of(*STAT).splitlines() if len(line.split()) > 1)
    anonymous = next((int(counters[name]) for name in ANONYMOUS if name in counters), None)
    if anonymous is None:
        # Without the group's counters: the sum over the processes, which counts forked pages twice.
        return 1024 * sum(status(pid, "RssAnon") for pid in others())
    shared = next((int(counters[name]) for name in SHARED if name in counters), 0)
    own = 0 if ROOT else 1024 * status("self", "RssAnon")
    return anonymous + max(shared - tmp_bytes(), 0) - own


def started() -> float:
    """When the container's first process started, in seconds since boot."""
    fields = text_of("/proc/1/stat").rpartition(")")[2].split()
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")


def tmp_bytes() -> int:
    """What is used in /tmp, files that are deleted but still open included."""
    disk = os.statvfs(ROOT + "/tmp")  # noqa: S108 - Lambda's own path
    return (disk.f_blocks - disk.f_bfree) * disk.f_frsize


if __name__ == "__main__":
    sample = {
        "processes": processes(),
        "tmp_bytes": tmp_bytes(),
        "high_water_bytes": high_water(),
        "oom_kills": oom_kills(),
        "memory_bytes": memory(),
        "started": started(),
    }
    print(sys.argv[1] + json.dumps(sample) + sys.argv[1])

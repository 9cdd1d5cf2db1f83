"""What can only be seen from inside a container: its processes, how full /tmp is, and its memory's account.

This text is run inside the sandbox by the image's own Python (`python3 -I -S -c <text>`), so it imports the standard
library alone and nothing of the gate. It prints one JSON object.
"""

import json
import os

# cgroup v1 (kernel: memory.rst) and v2 (cgroup-v2.rst): the high-water mark, and the count of OOM kills.
HIGH_WATER = ("/sys/fs/cgroup/memory/memory.max_usage_in_bytes", "/sys/fs/cgroup/memory.peak")
OOM = ("/sys/fs/cgroup/memory/memory.oom_control", "/sys/fs/cgroup/memory.events")


def text_of(*paths: str) -> str:
    """The text of the first of these files that can be read."""
    for path in paths:
        try:
            with open(path, encoding="utf-8") as file:
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
    for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
        head, _, tail = text_of(f"/proc/{pid}/stat").rpartition(")")
        fields = tail.split()
        if pid != os.getpid() and fields:
            name = head.partition("(")[2]
            found.append({"pid": pid, "parent": int(fields[1]), "state": fields[0], "name": name})
    return found


def started() -> float:
    """When the container's first process started, in seconds since boot."""
    fields = text_of("/proc/1/stat").rpartition(")")[2].split()
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")


def tmp_bytes() -> int:
    """What is used in /tmp, files that are deleted but still open included."""
    disk = os.statvfs("/tmp")  # noqa: S108 - Lambda's own path
    return (disk.f_blocks - disk.f_bfree) * disk.f_frsize


if __name__ == "__main__":
    print(
        json.dumps(
            {
                "processes": processes(),
                "tmp_bytes": tmp_bytes(),
                "high_water": high_water(),
                "oom_kills": oom_kills(),
                "started": started(),
            }
        )
    )

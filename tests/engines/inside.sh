#!/bin/sh
# Becomes an engine: in namespaces of its own (mounts, processes, network), with ROOT as its root and SHARED at /run/engine.
# inside.sh ROOT SHARED command…
set -eu
root=$1 shared=$2
shift 2
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
# Of two generations of cgroups at once (hybrid), Podman's runtime takes none; the old one alone serves everybody.
[ ! -d /sys/fs/cgroup/unified ] || umount "$root/sys/fs/cgroup/unified"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
mkdir "$root/run/engine" "$root/run/old"
mount --bind "$shared" "$root/run/engine"
ip link set lo up
cd "$root"
# Not chroot alone: what joins a container's mounts later (docker exec) would find this machine's root there.
pivot_root . run/old
# shellcheck disable=SC2016 # expanded by the inner shell
exec chroot . /bin/sh -c '
    touch /run/engine/ready
    until [ -e /run/engine/network ]; do sleep 0.1; done
    umount -l /run/old
    exec "$@"
' sh "$@"

#!/usr/bin/env bash
# Runs a command in this checkout as on a machine of its own that has a fresh Debian on it.
#
#   tests/in_tree.sh TREE COMMAND [ARGUMENTS]
#
# TREE is a folder that debootstrap made; what the command installs stays in it. The checkout is copied into it, without
# what was built here, unless it is there already, and the command runs in its top folder, with process ids, mounts and a
# /run of its own: it sees no server and no network namespace of this machine, and what it leaves behind ends with it.
# Needs root.
set -euo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
[ $# -ge 2 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2; }
tree=$(cd "$1" && pwd)
shift

checkout=/root/kea-failover-sync
if [ ! -e "$tree$checkout" ]; then
    mkdir -p "$tree$checkout"
    "$top/tests/checkout.sh" "$tree$checkout"
fi

# `ip netns exec` wants the root to be a mount, and one that it may mount over.
export tree checkout
exec env -u KFS_BUILD -u KFS_TREES -u KFS_LIBRARY -u KFS_TREE unshare --mount --pid --fork --kill-child bash -euc '
    mount --bind "$tree" "$tree"
    mount -t proc proc "$tree/proc"
    mount -t sysfs sysfs "$tree/sys"
    mount -t tmpfs -o mode=755 tmpfs "$tree/run"
    exec chroot "$tree" env HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        bash -c "cd $checkout && exec \"\$@\"" "$0" "$@"' in_tree.sh "$@"

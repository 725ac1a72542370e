"""Which Kea runs: the machine's own, or another Debian release's in a tree, reached with chroot."""

import os
import re

from . import processes


class Release:
    """`root` is "" for the machine itself. Programs run inside it see paths without the root in front."""

    def __init__(self, root=""):
        self.root = root.rstrip("/")
        version = processes.run(*self.command("kea-dhcp4", "-v")).stdout.split()[0]
        self.version = tuple(int(part) for part in re.findall(r"\d+", version)[:3])
        libraries = self.outside("/usr/lib")
        self.hooks = next(f"/usr/lib/{name}/kea/hooks" for name in sorted(os.listdir(libraries))
                          if os.path.isdir(f"{libraries}/{name}/kea/hooks"))

    def command(self, program, *arguments):
        path = f"/usr/sbin/{program}"
        return ["chroot", self.root, path, *arguments] if self.root else [path, *arguments]

    def outside(self, path):
        """Where a path of the tree is on the machine."""
        return self.root + path

    @property
    def dedicated_listener(self):
        """HA listens for its partner itself from 2.4 on; before, kea-ctrl-agent does."""
        return self.version >= (2, 4)

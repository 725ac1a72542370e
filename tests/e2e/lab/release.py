"""Which Kea runs: the machine's own, or another Debian release's in a tree, reached with chroot."""

import functools
import os
import re
import shutil
import tempfile

from . import processes


@functools.cache
def _linked(folder, library):
    """A folder with all libraries of another one and the one under test."""
    links = tempfile.mkdtemp(prefix=f"kfs{os.getpid()}-hooks-")
    processes.at_end(lambda: shutil.rmtree(links, ignore_errors=True))
    for path in (*(f"{folder}/{name}" for name in os.listdir(folder) if name != os.path.basename(library)), library):
        os.symlink(path, f"{links}/{os.path.basename(path)}")
    return links


class Release:
    """`root` is "" for the machine itself. Programs run inside it see paths without the root in front."""

    def __init__(self, root=""):
        self.root = root.rstrip("/")
        version = processes.run(*self.command("kea-dhcp4", "-v")).stdout.split()[0]
        self.version = tuple(int(part) for part in re.findall(r"\d+", version)[:3])
        libraries = self.outside("/usr/lib")
        self.hooks = next(f"/usr/lib/{name}/kea/hooks" for name in sorted(os.listdir(libraries))
                          if os.path.isdir(f"{libraries}/{name}/kea/hooks"))
        library = os.environ.get("KFS_LIBRARY")
        if library and not self.root and self.version >= (2, 6):
            self.hooks = _linked(self.hooks, os.path.realpath(library))

    def hook(self, library):
        """The path by which the servers load a library: from 2.6.3 on Kea takes them from one folder alone."""
        return f"{self.hooks}/{os.path.basename(library)}" if self.version >= (2, 6) else library

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

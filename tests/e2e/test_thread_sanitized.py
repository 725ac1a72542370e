"""The same life of a pair with the library built with ThreadSanitizer, and with Kea's packet threads. Run by tests/run.sh
with KFS_LIBRARY naming that build and KFS_THREAD_PRELOAD the sanitizer's runtime. The servers themselves are Debian's:
what they alone do is not looked at, their locks are seen. Without the runtime the library would not be loaded."""

import glob
import os

import pytest
from lab import config
from test_sanitized import OURS, one_life

PRELOAD = os.environ.get("KFS_THREAD_PRELOAD")


@pytest.mark.skipif(not PRELOAD, reason="KFS_THREAD_PRELOAD is not set")
def test_no_race_from_load_to_unload(make_pair):
    pair = make_pair([config.scope(number) for number in range(1, 50)] + [config.link_scope()], multi_threading=True)
    for server in pair.servers.values():
        server.wrapper = ["setarch", os.uname().machine, "-R"]  # ThreadSanitizer wants the memory where it expects it
        server.environment = {
            "LD_PRELOAD": PRELOAD,
            "TSAN_OPTIONS": f"ignore_noninstrumented_modules=1:exitcode=0:log_path={server.inside('sanitizer')}"}
    one_life(pair)
    found = []
    for server in pair.servers.values():
        for name in glob.glob(server.path("sanitizer") + "*"):
            with open(name, encoding="utf-8", errors="replace") as file:
                found += [block for block in file.read().split("==================\n") if OURS in block]
    assert not found, "\n\n".join(found)[:20000]

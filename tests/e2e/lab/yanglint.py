"""The yanglint program as the judge of what is data of the module."""

import glob
import json
import os
import subprocess

MODULE = glob.glob(os.path.join(os.path.dirname(__file__), "../../../plugin/model/kea-failover-sync@*.yang"))[-1]


def read_data(path):
    """What yanglint makes of a file (.json or .xml) with data of the module; fails if it finds anything wrong with it."""
    done = subprocess.run(["yanglint", "-D", "-t", "get", "-f", "json", MODULE, path], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr.decode()
    return json.loads(done.stdout)

"""Commands as an administrator gives them: the curl program, on the clients' side of the network, at the server's
control agent."""

import json
import subprocess


def over_curl(namespace, url, command, arguments=None, timeout=60, user=None):
    """The whole answer to one command; `user` is "name:password"."""
    request = {"command": command, "service": ["dhcp4"]}
    if arguments is not None:
        request["arguments"] = arguments
    argv = ["ip", "netns", "exec", namespace, "curl", "-sS", "-m", str(timeout), "-X", "POST",
            "-H", "Content-Type: application/json", "-d", "@-", url]
    if user:
        argv[-1:-1] = ["-u", user]
    done = subprocess.run(argv, input=json.dumps(request, ensure_ascii=False).encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=timeout + 10, check=False)
    if done.returncode != 0:
        raise ConnectionError(f"curl of {command} at {url} ended with {done.returncode}: {done.stderr.decode()}")
    answer = json.loads(done.stdout)
    return answer[0] if isinstance(answer, list) else answer

"""Waiting with a deadline: tests never sleep for something to happen, they look for it until it is late."""

import time


class TooLate(AssertionError):
    """What was waited for did not come; says what was seen last."""


def wait_until(look, seconds, what, every=0.02):
    """Calls look() until it returns something true, which is returned; raises TooLate after `seconds`.

    An OSError, a KeyError or a refused command inside look() counts as "not yet": the server may be starting."""
    deadline = time.monotonic() + seconds
    seen = None
    while True:
        try:
            seen = look()
            if seen:
                return seen
        except (OSError, KeyError, ValueError) as error:
            seen = error
        if time.monotonic() > deadline:
            raise TooLate(f"after {seconds} s still not: {what}; last seen: {seen!r}")
        time.sleep(every)


def stays(look, seconds, what, every=0.1):
    """The negative check: look() must stay true for `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert look(), f"did not stay so for {seconds} s: {what}"
        time.sleep(every)

"""Processes and namespaces of a run, and their end: each is remembered when it is made and ended by its own id."""

import atexit
import ctypes
import os
import signal
import subprocess

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
_started = []
_cleanups = []


def _die_with_parent():
    """A test run that is itself killed leaves no server behind."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def run(*argv, check=True, timeout=60, **keywords):
    """Runs a short command and returns what it did; its output is part of the failure."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=timeout, text=True, check=False, **keywords)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)} failed ({done.returncode}): {done.stdout}")
    return done


def start(argv, output, env=None, cwd=None):
    """Starts a process whose output is appended to the file `output`."""
    with open(output, "ab", buffering=0) as log:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=env, cwd=cwd,
                                   start_new_session=True, preexec_fn=_die_with_parent)
    _started.append(process)
    return process


def end(process, seconds=10):
    """Asks a process to stop, insists after `seconds`; returns its exit code."""
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process in _started:
        _started.remove(process)
    return process.returncode


def kill(process):
    """kill -9."""
    process.kill()
    process.wait()
    if process in _started:
        _started.remove(process)


def at_end(cleanup):
    """Has `cleanup` called at the end of the run, last first, if nobody called it before."""
    _cleanups.append(cleanup)


def forget(cleanup):
    if cleanup in _cleanups:
        _cleanups.remove(cleanup)


def end_all():
    for process in list(_started):
        if process.poll() is None:
            process.kill()
            process.wait()
    _started.clear()
    while _cleanups:
        try:
            _cleanups.pop()()
        except Exception as error:  # the others must still be cleaned up
            print(f"while cleaning up: {error}")


def _on_signal(number, _frame):
    raise SystemExit(128 + number)


atexit.register(end_all)
for _number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(_number, _on_signal)


def alive(pid):
    return os.path.exists(f"/proc/{pid}")

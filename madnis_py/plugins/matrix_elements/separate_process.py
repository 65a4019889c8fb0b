"""Separate process that tries compiled code of others first: a crash there is an error here."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

from madnis_py.errors import InputError, MadnisError

_SURVIVED = "madnis_py: survived"
"""Last line of output of a process whose call came back."""

_PROGRAM = """
import json, sys
path, module, name, arguments = json.load(sys.stdin)
sys.path[:] = path
from madnis_py.plugins.matrix_elements.separate_process import call_and_report
call_and_report(module, name, arguments)
"""
"""Program of the separate process."""


def require_survival(path: Path, call: Callable[..., object], *arguments: object) -> None:
    """Call a function in another process, once for the same content of a file.

    Args:
        path: of the library that the function loads.
        call: a function of a module of this package. Its errors are not reported here: the caller
            meets them when it calls the function itself.
        arguments: of the function, as JSON can hold them.

    Raises:
        InputError: the process did not live to the end of the call; names the file and the signal.
    """
    if path.is_file():
        _survived(path, hashlib.sha256(path.read_bytes()).hexdigest(), call, json.dumps(arguments))


@cache  # by content: a library is tried once
def _survived(path: Path, digest: str, call: Callable[..., object], arguments: str) -> None:
    request = json.dumps([sys.path, call.__module__, call.__name__, json.loads(arguments)])
    child = [sys.executable, "-c", _PROGRAM]
    done = subprocess.run(
        child, input=request, capture_output=True, text=True, errors="replace", check=False
    )
    if not done.stdout.endswith(f"{_SURVIVED}\n"):
        expected = "expected a library that can be loaded and called"
        raise InputError(
            f"{path}: {expected}; a process that tried it {_end(done.returncode, done.stderr)}"
        )


def _end(status: int, stderr: str) -> str:
    """The end of a process in words, with the last line that it wrote."""
    if status < 0:
        return f"was ended by {signal.Signals(-status).name} ({signal.strsignal(-status)})"
    last = stderr.strip().splitlines()[-1:]
    return f"ended with status {status}" + "".join(f": {line}" for line in last)


def call_and_report(module: str, name: str, arguments: list[object]) -> None:
    """In the separate process: call a function and print that it came back.

    One of our own errors counts as coming back.
    """
    function = getattr(__import__(module, fromlist=[name]), name)
    with suppress(MadnisError, ImportError):
        function(*arguments)
    sys.stdout.write(f"\n{_SURVIVED}\n")
    sys.stdout.flush()

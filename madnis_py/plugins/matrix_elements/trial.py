"""Compiled code of others is tried by a process of its own first: what crashes there does not crash here."""

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

_PROGRAM = """
import json, sys
path, module, name, arguments = json.load(sys.stdin)
sys.path[:] = path
from madnis_py.plugins.matrix_elements.trial import undergo
undergo(module, name, arguments)
"""


def survives(path: Path, call: Callable[..., object], *arguments: object) -> None:
    """Call a function in another process, once for the same content of a file.

    Args:
        path: of the library that the function loads.
        call: a function of a module of this package; errors that it raises are for the caller to
            meet again.
        arguments: of the function, as JSON can hold them.

    Raises:
        InputError: the process did not live to the end of the call; names the file and the signal.
    """
    if path.is_file():
        _survives(path, hashlib.sha256(path.read_bytes()).hexdigest(), call, json.dumps(arguments))


@cache
def _survives(path: Path, digest: str, call: Callable[..., object], arguments: str) -> None:
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


def _end(status: int, words: str) -> str:
    """How a process ended, and its last words."""
    if status < 0:
        return f"was ended by {signal.Signals(-status).name} ({signal.strsignal(-status)})"
    last = words.strip().splitlines()[-1:]
    return f"ended with status {status}" + "".join(f": {line}" for line in last)


def undergo(module: str, name: str, arguments: list[object]) -> None:
    """The other process: call the function and say that it came back, be it with one of our errors."""
    function = getattr(__import__(module, fromlist=[name]), name)
    with suppress(MadnisError, ImportError):
        function(*arguments)
    sys.stdout.write(f"\n{_SURVIVED}\n")
    sys.stdout.flush()

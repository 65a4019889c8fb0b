"""Errors that end a run with a sentence: where it happened, what was expected, what came.

The command line prints the sentence and exits with `exit_status`: 2 when the input is wrong, 1 when
a run failed.
"""

from __future__ import annotations

import errno
import re
from concurrent.futures import BrokenExecutor

LONGEST_SENTENCE = 1000


class MadnisError(Exception):
    """A run failed for a reason that the message tells."""

    exit_status = 1

    @property
    def sentence(self) -> str:
        """The message for a terminal: one line of limited length, control characters spelt out."""
        line = "".join(one if one.isprintable() else repr(one)[1:-1] for one in str(self))
        if len(line) <= LONGEST_SENTENCE:
            return line
        half = LONGEST_SENTENCE // 2
        return f"{line[:half]} ... {line[-half:]}"


class InputError(MadnisError):
    """What the user gave cannot be used: a card, an option, a file name, an argument."""

    exit_status = 2


class CardError(InputError):
    """A process card is wrong; the message starts with the file and the path inside it."""


class PdfError(InputError):
    """A PDF set is missing, incomplete or corrupted."""


class CheckpointError(InputError):
    """A stored state is truncated, foreign or made for another process."""


class IntegrandError(MadnisError):
    """An integrand returned NaN, infinity or a wrong shape; names channel, event and point."""


class GenerationError(MadnisError):
    """Events could not be produced as asked."""


class WorkerError(MadnisError):
    """Another process could not do its part."""


class OutputError(MadnisError):
    """A file or directory could not be written."""


class LockedError(MadnisError):
    """Another process works on the same files."""


class DeviceError(InputError):
    """A device, or what its kernels need, is missing or cannot be used."""


class ResourceError(MadnisError):
    """The machine has not given, or has taken away, what a run needs: memory, threads, files."""


_EXHAUSTED = {
    "DefaultCPUAllocator": "memory",  # torch
    "failed to map segment": "memory",  # the loader, for an extension module
    "annot allocate memory": "memory",
    "can't start new thread": "threads or memory for them",
}
"""What errors of no class of their own say -> what there is not enough of."""

_EXHAUSTED_NUMBERS = {
    errno.ENOMEM: "memory",
    errno.EMFILE: "open files",
    errno.ENFILE: "open files",
}

_GPU_WORDS = ("CUDA out of memory", "CUDA error: ", "CUDA driver error: ", "CUDA_ERROR_")
"""How torch, and the driver through cuda.core, begin to speak of a GPU."""

_GPU_MEMORY = re.compile(
    r"Tried to allocate ([\d.]+ \w+)\. GPU \d+ has a total capacity of ([\d.]+ \w+) of which "
    r"([\d.]+ \w+) is free"
)

_GPU_LOST = re.compile(
    "CUDA .*error: .*(busy or unavailable|uncorrectable|hardware|launch timed out|unknown error"
    "|unspecified launch failure|driver shutting down)"
    "|CUDA_ERROR_(DEVICE_UNAVAILABLE|ECC_UNCORRECTABLE|NVLINK_UNCORRECTABLE|HARDWARE_STACK_ERROR"
    "|CONTAINED|LAUNCH_TIMEOUT|UNKNOWN|LAUNCH_FAILED|DEINITIALIZED)"
)
"""What they say of a GPU that does not go on."""


def from_surroundings(error: Exception) -> MadnisError | None:
    """The sentence for what the machine did to a run; None for mistakes in the code.

    Args:
        error: of any library.
    """
    text = str(error)
    match error:
        case WorkerError() | ResourceError():
            return error
        case BrokenExecutor():
            return WorkerError("workers: a process that worked for this run has died")
        case MemoryError():
            lacking: str | None = "memory"
        case OSError() if error.errno in _EXHAUSTED_NUMBERS:
            lacking = _EXHAUSTED_NUMBERS[error.errno]
        case _ if text.startswith(_GPU_WORDS):
            return _from_gpu(text)
        case RuntimeError() | ImportError() | OSError():
            lacking = next((what for words, what in _EXHAUSTED.items() if words in text), None)
        case _:
            lacking = None
    return ResourceError(f"the machine did not give enough {lacking}") if lacking else None


def _from_gpu(text: str) -> ResourceError | None:
    """The sentence for a GPU without memory, or one that is lost."""
    told = text.splitlines()[0]
    if re.search("out.of.memory|ALLOC_FAILED", told, re.IGNORECASE):
        sizes = _GPU_MEMORY.search(text)
        wanted = "{} were asked for, of {} are {} free".format(*sizes.groups()) if sizes else told
        return ResourceError(
            f"the GPU did not give enough memory ({wanted}): other programs may hold the rest, and "
            "a smaller training.batch_size needs less"
        )
    return ResourceError(f"the GPU was lost ({told})") if _GPU_LOST.match(told) else None

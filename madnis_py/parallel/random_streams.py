"""Random streams by name, one for every piece of work.

So resuming and threads never change a number.
"""

from __future__ import annotations

import hashlib

import torch


def stream(seed: int, *path: str | int) -> torch.Generator:
    """A generator that depends on a seed and a name, e.g. `stream(seed, "train", step)`.

    Args:
        seed: seed of the run, any non-negative integer.
        path: names and counters that identify the piece of work.

    Returns:
        a CPU generator; the same arguments give the same numbers.
    """
    name = "/".join(str(part) for part in (seed, *path)).encode()
    return torch.Generator().manual_seed(
        int.from_bytes(hashlib.sha256(name).digest()[:8], "little") >> 1
    )

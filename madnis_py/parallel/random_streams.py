"""Random streams by name, one for every piece of work.

Their numbers are a function of name and position, so that resuming, threads and devices never
change one.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from madnis_py import _core
from madnis_py.arrays import Array

RANDOM_NUMBERS = "philox4x32-10"
"""Name of what makes the numbers. A run whose numbers came from something else does not go on."""


@dataclass
class RandomStream:
    """Numbers of a stream one after the other, each a function of the stream and its position.

    `cpp/random/philox.hpp` has the formula. Key and subsequence are 64 bits each, signed as
    arguments of kernels are.

    Attributes:
        key: key of Philox.
        subsequence: upper half of its counter.
        position: of the next number, from 0.
    """

    key: int
    subsequence: int
    position: int = 0

    def uniform(self, *shape: int) -> Tensor:
        """The next numbers, multiples of 2^-53 in [0, 1), float64, the last axis fastest."""
        count = math.prod(shape)
        numbers = _core.random_uniform(self.key, self.subsequence, self.position, count)
        self.position += count
        return torch.from_numpy(numbers).reshape(shape)

    def permutation(self, n: int) -> Tensor:
        """The numbers 0 ... n - 1 in random order, int64: the order that sorts n uniform numbers.

        Equal ones, which a million of them have with a probability of 1e-4, keep their order.
        """
        return torch.argsort(self.uniform(n), stable=True)

    def choices(self, shares: Array, n: int) -> Tensor:
        """Draw n of the indices of shares in proportion to them, independently; int64, shape (n,).

        An index whose share is 0 is never drawn, however sums are rounded: a number below 1 times
        the sum is below the sum also when it is rounded, and chosen is the first index whose
        cumulated share exceeds it.

        Args:
            shares: >= 0, with a sum that is a normal number, float64, shape (k,).
            n: number of draws.
        """
        cumulated = np.cumsum(shares)
        drawn = self.uniform(n).numpy() * cumulated[-1]
        return torch.from_numpy(np.searchsorted(cumulated, drawn, side="right"))


def stream(seed: int, *path: str | int) -> RandomStream:
    """The stream that a seed and a name have, e.g. `stream(seed, "train", step)`.

    Everything that a run draws comes from such streams: points, choices, orders.

    Args:
        seed: seed of the run, any non-negative integer.
        path: names and counters that identify the piece of work.

    Returns:
        the stream at its beginning; the same arguments give the same numbers.
    """
    digest = _digest(seed, *path)
    key, subsequence = (
        int.from_bytes(part, "little", signed=True) for part in (digest[:8], digest[8:16])
    )
    return RandomStream(key, subsequence)


def torch_generator(seed: int, *path: str | int) -> torch.Generator:
    """A generator of torch for the initial parameters of networks of this name.

    They are made once and on the CPU, with torch's functions, and need not be the numbers of a
    counter.
    """
    return torch.Generator().manual_seed(derived_seed(seed, *path))


def derived_seed(seed: int, *path: str | int) -> int:
    """A seed below 2^63 for a piece of work that names its own streams."""
    return int.from_bytes(_digest(seed, *path)[:8], "little") >> 1


def _digest(seed: int, *path: str | int) -> bytes:
    """SHA-256 of the name seed/path/.. of a stream."""
    return hashlib.sha256("/".join(str(part) for part in (seed, *path)).encode()).digest()

"""Values that are pickled once and unpickled once by every worker process."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Generic, TypeVar

T = TypeVar("T")

_CACHE_SIZE = 8
"""Number of unpickled values that a process keeps."""


class PickledOnce(Generic[T]):
    """A value that is expensive to unpickle, such as one that holds matrix elements.

    It is pickled when it is first sent to a worker, and every process makes it from its bytes once,
    however many tasks bring it.

    Args:
        value: anything that can be pickled; if it can be called, so can this.
    """

    def __init__(self, value: T) -> None:
        self.value = value

    def __call__(self, *args: Any) -> Any:
        """Call the value."""
        assert callable(self.value)
        return self.value(*args)

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (self.content,)

    @cached_property
    def content(self) -> Pickle:
        """The value as bytes."""
        content = pickle.dumps(self.value, protocol=pickle.HIGHEST_PROTOCOL)
        return Pickle(hashlib.sha256(content).hexdigest(), content)


@dataclass(frozen=True)
class Pickle:
    """The bytes of a pickled value, told apart from others by their digest.

    Attributes:
        digest: SHA-256 of the content, in hexadecimal digits.
        content: the bytes.
    """

    digest: str
    content: bytes = field(compare=False)


@lru_cache(maxsize=_CACHE_SIZE)
def _unpickled(pickled: Pickle) -> PickledOnce[Any]:
    return PickledOnce(pickle.loads(pickled.content))

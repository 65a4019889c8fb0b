"""Values that travel to other processes once and stay there."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Generic, TypeVar

T = TypeVar("T")

_KEPT = 8
"""Values that a process keeps."""


class Shipped(Generic[T]):
    """A value that is expensive to unpickle, such as one that holds matrix elements.

    It is pickled when it is first sent, and every process makes it from its bytes once, however
    many tasks bring it.

    Args:
        value: anything that can be pickled; if it can be called, so can this.
    """

    def __init__(self, value: T) -> None:
        self.value = value

    def __call__(self, *args: Any) -> Any:
        """Call the value."""
        assert callable(self.value)
        return self.value(*args)

    @cached_property
    def _parcel(self) -> _Parcel:
        content = pickle.dumps(self.value, protocol=pickle.HIGHEST_PROTOCOL)
        return _Parcel(hashlib.sha256(content).hexdigest(), content)

    def __reduce__(self) -> tuple[Any, ...]:
        return _arrived, (self._parcel,)


@dataclass(frozen=True)
class _Parcel:
    """Bytes that are told apart by their digest."""

    digest: str
    content: bytes = field(compare=False)


@lru_cache(maxsize=_KEPT)
def _arrived(parcel: _Parcel) -> Shipped[Any]:
    return Shipped(pickle.loads(parcel.content))

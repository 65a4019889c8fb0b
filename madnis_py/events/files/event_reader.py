"""Readers of event files: batches of events from any format, in bounded memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from madnis_py.arrays import Flags
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.les_houches.lhe_header import LheHeader
from madnis_py.events.les_houches.lhe_init import LheInit
from madnis_py.events.les_houches.weight_groups import identifiers


class EventReader(ABC):
    """A file of events: what precedes them, and the events, as often as one iterates.

    Args:
        path: the file.

    Attributes:
        init: beams, processes and weight groups.
        header: blocks of text.
        share: share of the file that the last iteration has read so far, 0 to 1.
        left_out: what the events of files of other programs had beside the columns, in words; known
            after an iteration.

    Raises:
        InputError: the file is missing, damaged or something else; names the event where it is one.
    """

    init: LheInit
    header: LheHeader

    def __init__(self, path: Path) -> None:
        self.path = path
        self.share = 0.0
        self.left_out: set[str] = set()

    @abstractmethod
    def __iter__(self) -> Iterator[EventBatch]:
        """The events in their order, in batches of bounded size."""

    def _leave_out_weights(self, lacking: Flags) -> None:
        """Name in `left_out` the weights that some events do not have, bool, shape (W,)."""
        if lacking.any():
            weights = identifiers(self.init.weight_groups)
            names = first_names([weights[place] for place in np.flatnonzero(lacking)])
            self.left_out.add(f"weights that some events have not ({names})")


def first_names(names: Sequence[str]) -> str:
    """The first five of some names, each cut after 40 characters."""
    return ", ".join([ascii(name[:40])[1:-1] for name in names[:5]] + ["..."] * (len(names) > 5))

"""Colour flows of events among those of a matrix element."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from event_samples import drell_yan

from madnis_py.events.exchange.event_elements import AlikeEvents

SEXTETS = (  # g g > six six~, both gluons at one index, in either order, and one at each
    ((502, 501), (503, 502), (501, -504), (-504, 503)),
    ((503, 502), (502, 501), (501, -504), (-504, 503)),
    ((502, 501), (504, 503), (501, -503), (-504, 502)),
)


@pytest.mark.parametrize("flow", range(len(SEXTETS)))
def test_flows_of_sextets_are_told_apart_whatever_the_numbers_of_their_lines(flow: int) -> None:
    colour = np.array(SEXTETS[flow], np.int32)
    renamed = np.sign(colour) * (np.abs(colour) + 100 * (colour != 0))
    events = replace(drell_yan(1), colour=renamed[None].astype(np.int32))
    element = cast(Any, SimpleNamespace(flows=SEXTETS))
    alike = AlikeEvents(np.array([0]), np.arange(4), element, cast(Any, None))
    assert alike.flows(events).tolist() == [flow]

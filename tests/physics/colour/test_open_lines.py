"""Colour of particles from that of what they decay to."""

from __future__ import annotations

import numpy as np
import pytest

from madnis_py.physics.colour.open_lines import open_lines

CASES = [
    # colours of the legs, two incoming ones first; legs, representation and colour of the particle
    ([(1, 0), (0, 1), (2, 0), (0, 2)], (2, 3), 8, None),
    ([(1, 0), (0, 1), (2, 0), (0, 2)], (2, 3), 1, (0, 0)),
    ([(1, 0), (0, 2), (1, 0), (0, 2)], (2, 3), 8, (1, 2)),
    ([(1, 2), (2, 3), (1, 4), (4, 3)], (2, 3), 8, (1, 3)),
    ([(1, 0), (2, 0), (1, 0), (2, 0)], (2, 3), 6, (2, -1)),
    ([(0, 1), (0, 2), (0, 1), (0, 2)], (2, 3), -6, (-1, 2)),
    ([(1, 0), (2, 0), (1, 3), (3, -2)], (2, 3), 6, (2, -1)),
    ([(1, 0), (2, 0), (1, 0), (2, 0)], (2, 3), -3, None),
    # junctions
    ([(1, 2), (2, 3), (4, 0), (5, 0), (1, 3), (6, 6)], (2, 3), -3, None),
    ([(1, 2), (2, 3), (4, 0), (5, 0), (1, 0)], (2, 3), -3, (0, 3)),
    ([(1, 2), (2, 3), (0, 4), (0, 5), (0, 3)], (2, 3), 3, (1, 0)),
    ([(1, 0), (0, 1), (4, 0), (5, 0), (6, 0)], (2, 3, 4), 1, (0, 0)),
    ([(1, 0), (0, 1), (4, 0), (5, 0), (6, 0)], (3, 4), -3, (0, 4)),
    ([(1, 0), (2, 0), (0, 3), (0, 0)], (2, 3), -3, (0, 3)),
    # g g > sq sq~, both of which decay through a junction
    ([(1, 2), (2, 3), (0, 4), (0, 5), (6, 0), (7, 0)], (2, 3), 3, (1, 0)),
    ([(1, 2), (2, 3), (0, 4), (0, 5), (6, 0), (7, 0)], (4, 5), -3, (0, 3)),
]


@pytest.mark.parametrize(("colour", "legs", "representation", "expected"), CASES)
def test_a_particle_has_the_lines_that_leave_its_decay(
    colour: list[tuple[int, int]],
    legs: tuple[int, ...],
    representation: int,
    expected: tuple[int, int] | None,
) -> None:
    members = np.isin(np.arange(len(colour)), legs)[None, None]
    own, fits = open_lines(
        np.array([colour], np.int32), members, np.array([[representation]], np.int32), 2
    )
    assert fits.item() == (expected is not None)
    if expected is not None:
        assert tuple(own[0, 0].tolist()) == expected

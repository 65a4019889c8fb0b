"""ROOT files of events: a tree with lists of particles, which RDataFrame and uproot read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from madnis_py.errors import InputError
from madnis_py.events.event_batch import COLUMNS, PARTICLE_COLUMNS, EventBatch
from madnis_py.events.files import ragged
from madnis_py.events.files.event_reader import EventReader
from madnis_py.events.files.event_writer import EventWriter
from madnis_py.events.files.ragged import EVENT_COLUMNS, PARTS, most_events
from madnis_py.events.les_houches.lhe_preamble import Preamble
from madnis_py.events.les_houches.weight_groups import identifiers
from madnis_py.output_file import OutputPlace

if TYPE_CHECKING:
    import uproot

TREE, PREAMBLE = "events", "madnis_py_lhe"
"""Names in a file of the tree, and of the header and <init> as Les Houches text."""

_PARTICLES = "particle"
"""Beginning of the names of all branches with lists of particles."""


class RootWriter(EventWriter):
    """Writes ROOT files; see `EventWriter`.

    ROOT keeps the moment of writing in a file, so that its bytes differ from time to time.
    """

    suffixes = (".root",)

    def _begin(self, stack: ExitStack) -> None:
        import uproot

        place = stack.enter_context(OutputPlace(self.path))
        with place.refusals():
            self._place = place
            # The name beside the place says no format.
            raw = stack.enter_context(place.partial.open("r+b"))
            file = stack.enter_context(uproot.recreate(raw, compression=uproot.ZSTD(3)))
            file[PREAMBLE] = str(Preamble(self.header, self.init))
            self._tree = file.mktree(TREE, _branches(self._n_variations))

    def _append(self, events: EventBatch) -> None:
        with self._place.refusals():
            self._tree.extend(_columns(events))

    def _finish(self) -> None:
        """Nothing follows the events."""


def _branches(n_variations: int) -> dict[str, Any]:
    """Name -> type of every branch."""
    fields = ", ".join(
        f"{part}: {np.dtype(COLUMNS[name][0])}"
        for name in PARTICLE_COLUMNS
        for part in PARTS.get(name, (name,))
    )
    variations = {"variations": np.dtype((np.float64, (n_variations,)))} if n_variations else {}
    return {
        **{name: np.dtype(COLUMNS[name][0]) for name in EVENT_COLUMNS},
        _PARTICLES: f"var * {{{fields}}}",
        **variations,
    }


def _columns(events: EventBatch) -> dict[str, Any]:
    import awkward as ak

    counts = events.counts
    parts: dict[str, NDArray[Any]] = {}
    for name, column in ragged.flattened(events).items():
        split = column.T if name in PARTS else [column]
        parts |= dict(zip(PARTS.get(name, (name,)), split, strict=True))
    particles = ak.zip(
        {name: ak.unflatten(np.ascontiguousarray(part), counts) for name, part in parts.items()}
    )
    variations = {"variations": events.variations} if events.n_variations else {}
    return {
        **{name: getattr(events, name) for name in EVENT_COLUMNS},
        _PARTICLES: particles,
        **variations,
    }


class RootReader(EventReader):
    """Reads ROOT files of `RootWriter`, also after others added branches; see `EventReader`."""

    def __init__(self, path: Any) -> None:
        super().__init__(path)
        with self._opened() as file:
            names = file.keys(cycle=False)
            if not {TREE, PREAMBLE} <= set(names):
                expected = f"expected a file of events with {PREAMBLE} and the tree {TREE}"
                raise InputError(f"{expected}; got {', '.join(names[:10]) or 'nothing'}")
            found = Preamble.parse(str(file[PREAMBLE]).encode())
            if found is None:
                expected = "expected <LesHouchesEvents>, <header> and <init>"
                raise InputError(f"{PREAMBLE}: {expected}; got a part of them")
            self.header, self.init = found[0].header, found[0].init
            self._n_variations = len(identifiers(self.init.weight_groups))
            _require_branches(file[TREE], self._n_variations)

    def __iter__(self) -> Iterator[EventBatch]:
        """The events in their order, in batches of bounded size."""
        lacking, done = np.zeros(self._n_variations, bool), 0
        with self._opened() as file:
            tree = file[TREE]
            names = _names(self._n_variations)
            for columns in tree.iterate(names, step_size=most_events(self._n_variations)):
                for events in _batches(columns, self._n_variations, done):
                    lacking |= np.isnan(events.variations).any(axis=0)
                    yield events
                done += len(columns)
                self.share = done / tree.num_entries
        self._leave_out_weights(lacking)

    @contextmanager
    def _opened(self) -> Iterator[uproot.ReadOnlyDirectory]:
        """The file; errors of reading name it."""
        import uproot

        try:
            with self.path.open("rb") as raw, uproot.open(raw) as file:
                yield file
        except InputError as error:
            raise InputError(f"{self.path}: {error}") from None
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read: {error.strerror or error}") from error
        except Exception as error:  # whatever the reader stumbles over in a damaged file
            told = " ".join(str(error).split())[:200]
            raise InputError(f"{self.path}: expected a whole ROOT file; got: {told}") from error


def _names(n_variations: int) -> list[str]:
    """The branches of events."""
    particles = [
        f"{_PARTICLES}_{part}" for name in PARTICLE_COLUMNS for part in PARTS.get(name, (name,))
    ]
    return [*EVENT_COLUMNS, *particles, *(["variations"] if n_variations else [])]


def _require_branches(tree: Any, n_variations: int) -> None:
    missing = next((name for name in _names(n_variations) if name not in tree), None)
    if missing is not None:
        got = ", ".join(tree.keys()[:30])
        raise InputError(f"expected the branch {missing}; got {got}")


def _batches(columns: Any, n_variations: int, before: int) -> Iterator[EventBatch]:
    """Events as they stand in a file, in parts of bounded memory."""
    import awkward as ak

    counts = ak.to_numpy(ak.num(columns[f"{_PARTICLES}_pdg"])).astype(np.int64)
    particles = {}
    for name in PARTICLE_COLUMNS:
        parts = [
            _numbers(columns[f"{_PARTICLES}_{part}"], name, counts, before)
            for part in PARTS.get(name, (name,))
        ]
        particles[name] = np.stack(parts, axis=1) if name in PARTS else parts[0]
    events = {name: ak.to_numpy(columns[name]).astype(COLUMNS[name][0]) for name in EVENT_COLUMNS}
    events["variations"] = (
        ak.to_numpy(columns["variations"]).astype(np.float64)
        if n_variations
        else np.zeros((len(counts), 0))
    )
    if events["variations"].shape != (len(counts), n_variations):
        expected = f"expected {n_variations} numbers in variations, as <init> declares"
        raise InputError(f"{expected}; got {events['variations'].shape[1:]}")
    for name, column in {**particles, **events}.items():
        if name != "variations" and not np.isfinite(column).all():
            raise InputError(f"{name}: expected finite numbers; got others")
    ends = np.concatenate([[0], np.cumsum(counts)])
    for part in ragged.parts(counts, n_variations):
        rows = slice(ends[part.start], ends[part.stop])
        yield ragged.batch(
            counts[part],
            {name: column[rows] for name, column in particles.items()},
            {name: column[part] for name, column in events.items()},
        )


def _numbers(column: Any, name: str, counts: NDArray[np.int64], before: int) -> NDArray[Any]:
    """All numbers of a branch one behind the other."""
    import awkward as ak

    wrong = np.flatnonzero(ak.to_numpy(ak.num(column)) != counts)
    if len(wrong):
        expected = "expected as many numbers as pdg has"
        raise InputError(f"event {before + wrong[0] + 1}: {name}: {expected}; got others")
    return np.asarray(ak.to_numpy(ak.flatten(column)), COLUMNS[name][0])

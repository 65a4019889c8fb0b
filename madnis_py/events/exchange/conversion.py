"""Events from one format to another, losing nothing that the other can hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from madnis_py.errors import InputError
from madnis_py.events.files.formats import create_events, event_format, open_events
from madnis_py.events.files.normalization import in_pb, init_in_pb
from madnis_py.progress import StageProgress, Stopwatch, Watch, unwatched


@dataclass(frozen=True)
class Conversion:
    """Outcome of a conversion.

    Attributes:
        events: number of events.
        left_out: what the source had beside the columns of `EventBatch`, in words; nothing for
            files of ours.
    """

    events: int
    left_out: tuple[str, ...]


def convert(source: Path | str, target: Path | str, watch: Watch = unwatched) -> Conversion:
    """Write the events of a file to another one, in the format that its name ends in.

    The memory is bounded. Header, beams, processes, weight groups and all numbers of the events
    stay as they are, to the last bit; but LHEH5, which has no other meaning of weights, gets them
    in pb with the cross section as mean, whatever IDWTUP the source has. Whether a shower can use
    the events is not checked.

    Args:
        source: events of ours or of another program.
        target: the new file.
        watch: called with the progress.

    Raises:
        InputError: the source is missing or damaged, a name says no format, or both are one file.
        OutputError: the target cannot be written.
    """
    source, target = Path(source), Path(target)
    pb_only = event_format(target).writer.in_pb
    reader = open_events(source)
    if target.exists() and target.samefile(source):
        raise InputError(f"{target}: expected another file than the source")
    clock = Stopwatch()
    init, batches = reader.init, iter(reader)
    if pb_only:
        init, batches = init_in_pb(reader.init), in_pb(reader)
    with create_events(target, init, reader.header) as writer:
        for batch in batches:
            if batch.for_merging and not writer.for_merging:
                batch = replace(batch, jet_kt=None, n_jets=None)
                reader.left_out.add("kT and number of jets, for merging")
            writer.copy(batch)
            watch(_progress(writer.n_events, reader.share, clock))
    watch(_progress(writer.n_events, 1.0, clock))
    left_out = set(reader.left_out)
    if init != reader.init:
        left_out.add(f"IDWTUP {reader.init.weighting} (weights are in pb)")
    return Conversion(writer.n_events, tuple(sorted(left_out)))


def _progress(done: int, share: float, clock: Stopwatch) -> StageProgress:
    total = max(done, round(done / share)) if share > 0 else done + 1
    return StageProgress(
        "convert", done, total, "events", rate=done / clock.total, rate_unit="events/s"
    )

"""Events from one format to another, losing nothing that the other can hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from madnis_py.errors import InputError
from madnis_py.events.files.formats import create_events, event_format, open_events
from madnis_py.events.files.normalization import in_pb, init_in_pb
from madnis_py.progress import StageProgress, Stopwatch, Watch, unwatched


@dataclass(frozen=True)
class Conversion:
    """What was converted.

    Attributes:
        events: their number.
        left_out: what the source had beside the columns of `EventBatch`, in words; nothing for
            files of ours.
    """

    events: int
    left_out: tuple[str, ...]


def convert(source: Path | str, target: Path | str, watch: Watch = unwatched) -> Conversion:
    """Write the events of a file to another one, in bounded memory; what their names end in says the formats.

    Header, beams, processes, weight groups and all numbers of the events stay as they are, to the
    last bit; but LHEH5, which knows no other, gets weights in pb with the cross section as mean,
    whatever IDWTUP the source has. Whether a shower can use the events is not looked at.

    Args:
        source: events of ours or of another program.
        target: the new file.
        watch: is told how far it is.

    Raises:
        InputError: the source is missing or damaged, a name says no format, or both are one file.
        OutputError: the target cannot be written.
    """
    source, target = Path(source), Path(target)
    writer_of = event_format(target).writer
    reader = open_events(source)
    if target.exists() and target.samefile(source):
        raise InputError(f"{target}: expected another file than the source")
    clock = Stopwatch()
    init, batches = (
        (init_in_pb(reader.init), in_pb(reader)) if writer_of.in_pb else (reader.init, reader)
    )
    with create_events(target, init, reader.header) as writer:
        for batch in batches:
            writer.copy(batch)
            watch(_progress(writer.n_events, reader.share, clock))
    watch(_progress(writer.n_events, 1.0, clock))
    rescaled = (
        {f"IDWTUP {reader.init.weighting} (weights are in pb)"} if init != reader.init else set()
    )
    return Conversion(writer.n_events, tuple(sorted(reader.left_out | rescaled)))


def _progress(done: int, share: float, clock: Stopwatch) -> StageProgress:
    total = max(done, round(done / share)) if share > 0 else done + 1
    return StageProgress(
        "convert", done, total, "events", rate=done / clock.total, rate_unit="events/s"
    )

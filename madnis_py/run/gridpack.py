"""Gridpacks: a trained run in a tarball that makes events wherever the package is installed."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from madnis_py.card.sentences import shown
from madnis_py.errors import InputError
from madnis_py.integration.grids.sampler_choice import SamplerName
from madnis_py.integration.training import checkpoint
from madnis_py.output_file import OutputFile
from madnis_py.physics.model_search.card_model import files_of_model
from madnis_py.run.directory import RunDirectory

SUFFIXES = (".tar.gz", ".tgz")

_RUN = "run"
"""Folder of the run inside a gridpack."""

_MODELS = "models"
"""Folder of the model beside it, if that is not built in."""

_STATES = ("survey", "training")

_OF_EVENTS = ("generated", "event_files")
"""Entries of run.json about events that were made on the way."""

_SCRIPT = """#!/bin/sh
# {name} {arguments}
# Writes {output} to the current directory. Made by madnis_py {version}; needs it on the PATH, or
# MADNIS_PY=/path/to/madnis-py. MADNIS_PY_ANY_VERSION=1 and MADNIS_PY_TRUST=1 stand for
# --any-version and --trust.
set -eu
fail() {{ echo "${{0##*/}}: $1" >&2; exit 2; }}
[ $# -ge 2 ] && [ $# -le 3 ] || fail "expected {arguments}; got $# arguments"
for number; do
  case "$number" in *[!0-9]* | "") fail "expected whole numbers; got $number";; esac
done
here=$(unset CDPATH && cd -P -- "$(dirname -- "$0")" && pwd)
program=${{MADNIS_PY:-madnis-py}}
command -v "$program" > /dev/null || \\
  fail "expected madnis_py to be installed; found no $program on the PATH"
[ -d "$here/{run}" ] || \\
  fail "the gridpack is not complete: there is no folder {run} beside this script"
if [ -d "$here/{models}" ]; then
  export MADNIS_MODEL_PATH="$here/{models}${{MADNIS_MODEL_PATH:+:$MADNIS_MODEL_PATH}}"
fi

work="" child=""
stop() {{
  trap "" HUP INT TERM
  if [ -n "$child" ]; then kill -TERM "$child" 2> /dev/null || :; wait "$child" || :; fi
  exit "$1"
}}
trap 'if [ -n "$work" ]; then rm -rf -- "$work"; fi' EXIT
trap "stop 129" HUP
trap "stop 130" INT
trap "stop 143" TERM

work=$(mktemp -d "$PWD/.gridpack.XXXXXX") || \\
  fail "expected a directory that can be written to; got $PWD"
cp -R "$here/{run}" "$work/" || fail "the folder {run} cannot be copied to $PWD"
chmod -R u+w "$work"
"$program" generate "$work/{run}" --events "$1" --seed "$2" --threads "${{3:-1}}" \\
  --output "$PWD/{output}" {sampler}\\
  ${{MADNIS_PY_ANY_VERSION:+--any-version}} ${{MADNIS_PY_TRUST:+--trust}} &
child=$!
status=0
wait "$child" || status=$?
child=""
exit "$status"
"""

_FACES = (
    ("run.sh", "events.lhe.gz", "NEVENTS SEED [NTHREADS]"),
    ("runcmsgrid.sh", "cmsgrid_final.lhe", "NEVENTS SEED [NCPU]"),
)
"""Name of a script, the file that it writes, its arguments."""


def pack(
    directory: RunDirectory, output: Path, version: str, sampler: SamplerName | None = None
) -> None:
    """Write the tarball of a run whose maxima are known; the same run gives the same bytes.

    Inside: `run.sh NEVENTS SEED [NTHREADS]`, which writes events.lhe.gz to the current directory,
    and `runcmsgrid.sh NEVENTS SEED NCPU`, which writes cmsgrid_final.lhe. A model that is not built
    in is there too, and the scripts find it wherever they are.

    Args:
        directory: of the run.
        output: ends in .tar.gz or .tgz.
        version: of the package, for people.
        sampler: makes the events; by the method of the run when not given.

    Raises:
        InputError: the files of the model cannot be read.
        OutputError: the file cannot be written.
    """
    top = _top(output)
    content = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=content, mode="wb", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        for name, data, mode in _contents(directory, version, sampler):
            entry = tarfile.TarInfo(f"{top}/{name}")
            entry.size, entry.mode = len(data), mode
            tar.addfile(entry, io.BytesIO(data))
    with OutputFile(output) as file:
        file.write(content.getvalue())


def require_gridpack_name(output: Path) -> None:
    """Refuse a file name that says another format, or from which no folder can be named.

    Raises:
        InputError: it ends neither in .tar.gz nor in .tgz, or has nothing but dots before that, or
            control characters.
    """
    if not output.name.endswith(SUFFIXES):
        raise InputError(f"{output}: expected a file name that ends in {' or '.join(SUFFIXES)}")
    top = _top(output)
    if not top.strip(".") or not top.isprintable():
        raise InputError(
            f"{shown(str(output))}: expected a file name that the folder inside can have, "
            "like ttbar.tar.gz"
        )


def _top(output: Path) -> str:
    """The folder inside: the file name without its suffix."""
    return next(
        output.name.removesuffix(suffix) for suffix in SUFFIXES if output.name.endswith(suffix)
    )


def _contents(
    directory: RunDirectory, version: str, sampler: SamplerName | None
) -> Iterator[tuple[str, bytes, int]]:
    """Name, content and mode of scripts; then card, figures and stored states; then the model.

    Events that were made on the way stay behind.
    """
    option = f"--sampler {sampler} " if sampler else ""
    for name, output, arguments in _FACES:
        words = {"name": name, "output": output, "arguments": arguments, "sampler": option}
        script = _SCRIPT.format(**words, version=version, run=_RUN, models=_MODELS)
        yield name, script.encode(), 0o755
    yield from _files_of_run(directory, _RUN)
    card = directory.record.card
    if card.process.model_digest:
        for name, data in files_of_model(card).items():
            yield f"{_MODELS}/{name}", data, 0o644


def _files_of_run(directory: RunDirectory, folder: str) -> Iterator[tuple[str, bytes, int]]:
    """Name, content and mode of the files of a run, and of those of its processes below it."""
    record = directory.record
    content = {name: entry for name, entry in record.content().items() if name not in _OF_EVENTS}
    yield f"{folder}/run.json", (json.dumps(content, indent=2) + "\n").encode(), 0o644
    states = [
        checkpoint.files(directory.path, name)
        for name in _STATES
        if checkpoint.exists(directory.path, name)
    ]
    for path in (directory.card_file, *chain.from_iterable(states)):
        yield f"{folder}/{path.name}", path.read_bytes(), 0o644
    for part in record.parts or ():
        yield from _files_of_run(directory.inside(part.folder), f"{folder}/{part.folder}")

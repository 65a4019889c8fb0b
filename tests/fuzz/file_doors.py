"""Doors for files that programs write: events, run directories, gridpacks, libraries."""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import random
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from command_line import small_process
from door import Door, maybe_precious, refused_cleanly
from event_samples import SIGMA, drell_yan, with_variations
from mutators import damaged_bytes, damaged_text, damaged_tree
from numpy.typing import NDArray
from outcome import Answer, Failure, command, complaint, library
from report_reader import ReadPage
from torch import Tensor

import madnis_py as mn
from madnis_py.card.card import Card
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.les_houches.lhe_init import LheInit, LheProcess
from madnis_py.events.les_houches.weight_groups import NamedWeight, WeightGroup
from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.integration.training import checkpoint
from madnis_py.integrator import stored_integrator
from madnis_py.integrator.stored_integrator import StoredIntegrator
from madnis_py.physics.process.process import Process
from madnis_py.plugins.matrix_elements.umami_export import export_umami
from madnis_py.run.run import Run

EVENTS = 12


INIT = LheInit(
    (2212, 2212),
    (6500.0, 6500.0),
    (331900, 331900),
    (LheProcess(SIGMA, 3.0, SIGMA),),
    weight_groups=(
        WeightGroup(
            "scales", "envelope", tuple(NamedWeight(f"{number}", "") for number in range(3))
        ),
    ),
)
UMAMI = Card.parse({"process": {"definition": "e+ e- > mu+ mu-"}, "beams": {"pdf": "none"}})


class EventFiles(Door):
    """Files of events; what is accepted has as many events as there are, and finite numbers."""

    suffix: str
    share = 30

    def sound(self) -> bytes:
        """A file of a few events."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"events{self.suffix}"
            with mn.create_events(path, INIT) as file:
                file.write(with_variations(drell_yan(EVENTS)))
            return path.read_bytes()

    @cached_property
    def _sound(self) -> bytes:
        return self.sound()

    def damaged(self, rng: random.Random, path: Path) -> int | None:
        """Write a damaged file; returns how many events it has, None where that cannot be told."""
        path.write_bytes(damaged_bytes(rng, self._sound))
        return None

    def enter(self, rng: random.Random, folder: Path) -> Failure | None:
        source = folder / f"damaged{self.suffix}"
        events = self.damaged(rng, source)
        target = maybe_precious(
            rng, folder / f"made{rng.choice(('.lhe', '.h5', '.parquet', '.lhe.gz'))}"
        )
        answer = command("convert", source, target)
        if not answer.accepted:
            return refused_cleanly(answer, target, (source.name,))
        told = "left out: " in answer.out and "weights that some events have not" in answer.out
        return _check_events(list(mn.open_events(target)), events, lacking=told)


def _check_events(
    batches: list[EventBatch], events: int | None, *, lacking: bool = False
) -> Failure | None:
    """Whether all events are there with finite numbers; NaN is a weight that was said to lack."""
    found = sum(len(batch.weight) for batch in batches)
    if events is not None and found != events:
        return Failure("events lost", f"{events} in the file, {found} came out")
    for batch in batches:
        for name in ("momenta", "mass", "weight", "scale", "alpha_s", "variations"):
            numbers = getattr(batch, name)
            absent = np.isnan(numbers) & (lacking and name == "variations")
            if not (np.isfinite(numbers) | absent).all():
                return Failure("not finite", name)
    return None


class LheFiles(EventFiles):
    """Les Houches files, also those of other programs."""

    name, suffix = "LHE", ".lhe"

    def damaged(self, rng: random.Random, path: Path) -> int | None:
        """See `EventFiles.damaged`: one event for each opening tag before the end of the last."""
        text = self._sound.decode()
        if rng.random() < 0.3:
            path.write_bytes(damaged_bytes(rng, self._sound))
            return None
        text = damaged_text(rng, text)
        path.write_bytes(text.encode(errors="surrogatepass"))
        if "<!--" in text or "CDATA" in text:
            return None
        return len(re.findall(r"(?m)^\s*<event[\s>]", text.split("</LesHouchesEvents>")[0]))


class CompressedLheFiles(EventFiles):
    """The same, compressed."""

    name, suffix, share = "LHE, compressed", ".lhe.gz", 10


class Lheh5Files(EventFiles):
    """Files in the layout LHEH5; datasets are removed, reshaped or filled with something else."""

    name, suffix = "LHEH5", ".h5"

    def damaged(self, rng: random.Random, path: Path) -> int | None:
        """See `EventFiles.damaged`."""
        import h5py

        path.write_bytes(self._sound)
        if rng.random() < 0.2:
            path.write_bytes(damaged_bytes(rng, self._sound))
            return None
        with h5py.File(path, "r+") as file:
            names: list[str] = []
            file.visititems(
                lambda name, one: names.append(name) if isinstance(one, h5py.Dataset) else None
            )
            name = rng.choice(names)
            values, attributes = file[name][()], dict(file[name].attrs)
            del file[name]
            changed = _changed_array(rng, np.asarray(values))
            if changed is not None:
                made = file.create_dataset(name, data=changed)
                for key, value in attributes.items():
                    made.attrs[key] = value
        return None


def _changed_array(rng: random.Random, values: NDArray[Any]) -> NDArray[Any] | None:
    """Another array in the place of one: None to leave it out."""
    numeric = values.dtype.kind in "fiu"
    changes: list[Callable[[], NDArray[Any] | None]] = [
        lambda: None,
        lambda: np.zeros(()),
        lambda: values.ravel(),
        lambda: values[: rng.randint(0, len(values))] if values.ndim else values,
        lambda: values[..., :-1] if values.ndim > 1 else values[None],
        lambda: np.array([b"text"] * max(1, len(values) if values.ndim else 1)),
        lambda: np.full(values.shape, rng.choice((np.nan, np.inf, -1.0, 1e300))),
        lambda: values.astype(np.float32) if numeric else values,
        lambda: np.full(values.shape, 2**40, dtype=np.int64),
    ]
    return rng.choice(changes)()


class ParquetFiles(EventFiles):
    """Files in the layout of Parquet; columns are removed, retyped, emptied or renamed."""

    name, suffix = "Parquet", ".parquet"

    def damaged(self, rng: random.Random, path: Path) -> int | None:
        """See `EventFiles.damaged`."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        if rng.random() < 0.2:
            path.write_bytes(damaged_bytes(rng, self._sound))
            return None
        table = pq.read_table(io.BytesIO(self._sound))
        place = rng.randrange(table.num_columns)
        field, rows = table.schema.field(place), table.num_rows
        values = table.column(place).to_pylist()
        gap = rng.randrange(rows)
        changes: list[Any] = [
            lambda: table.remove_column(place),
            lambda: table.rename_columns(
                [f"{name}{'x' * (i == place)}" for i, name in enumerate(table.column_names)]
            ),
            lambda: table.set_column(place, field.name, pa.array(["x"] * rows)),
            lambda: table.set_column(place, field.name, pa.array([None] * rows, field.type)),
            lambda: table.set_column(
                place, field.name, pa.array([*values[:gap], None, *values[gap + 1 :]], field.type)
            ),
            lambda: table.set_column(place, field.name, pa.array([1.5] * rows)),
            lambda: table.set_column(place, field.name, pa.array([[1.5]] * rows)),
            lambda: table.replace_schema_metadata({}),
            lambda: table.slice(0, gap),
        ]
        pq.write_table(rng.choice(changes)(), path)
        return None


class RunDirectories(Door):
    """Directories of runs; what is accepted gives the bytes of the undamaged one."""

    name, share = "run directory", 8

    @cached_property
    def sound(self) -> Path:
        """A run with a flow, integrated."""
        self._temporary = tempfile.TemporaryDirectory()
        directory = Path(self._temporary.name) / "run"
        Run(small_process(Path(self._temporary.name)), directory, seed=3).integrate(20_000)
        return directory

    @cached_property
    def _expected(self) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(self.sound, Path(folder) / "run")
            answer = self._generate(Path(folder))
            assert answer.accepted, answer.err
            return (Path(folder) / "made.lhe").read_bytes()

    def _generate(self, folder: Path) -> Answer:
        return command(
            "generate",
            folder / "run",
            "--events",
            "20",
            "--seed",
            "5",
            "--output",
            folder / "made.lhe",
        )

    def enter(self, rng: random.Random, folder: Path) -> Failure | None:
        expected = self._expected
        shutil.copytree(self.sound, folder / "run")
        damage_directory(rng, folder / "run")
        answer, target = self._generate(folder), folder / "made.lhe"
        if not answer.accepted:
            return refused_cleanly(answer, target, ("run",))
        return (
            None
            if target.read_bytes() == expected
            else Failure("other events", "than those of the sound run")
        )


def damage_directory(rng: random.Random, directory: Path) -> None:
    """Damage, remove or empty one of the files of a run."""
    path = rng.choice(sorted(one for one in directory.rglob("*") if one.is_file()))
    kind = rng.random()
    if kind < 0.1:
        path.unlink()
    elif kind < 0.2:
        path.unlink()
        path.mkdir()
    elif path.suffix == ".json" and kind < 0.8:
        path.write_text(json.dumps(damaged_tree(rng, json.loads(path.read_text()))))
    elif path.suffix == ".toml":
        path.write_bytes(damaged_text(rng, path.read_text()).encode(errors="surrogatepass"))
    else:
        path.write_bytes(damaged_bytes(rng, path.read_bytes()))


class Reports(Door):
    """Files of runs that a report is made of; what is accepted gives a whole page of HTML."""

    name, share = "report", 8

    def __init__(self, runs: RunDirectories) -> None:
        self._runs = runs

    def enter(self, rng: random.Random, folder: Path) -> Failure | None:
        shutil.copytree(self._runs.sound, folder / "run")
        path = folder / "run" / rng.choice(("run.json", "diagnostics.json", "training.csv"))
        if path.suffix == ".json" and rng.random() < 0.8:
            path.write_text(json.dumps(damaged_tree(rng, json.loads(path.read_text()))))
        else:
            path.write_text(damaged_text(rng, path.read_text()))
        answer, target = command("report", folder / "run"), folder / "run" / "report.html"
        if not answer.accepted:
            return complaint(answer)
        try:
            ReadPage.of(target.read_text())
        except AssertionError as error:
            return Failure("no page of HTML", str(error))
        return None


class StoredStates(Door):
    """States of a run with the right digest, but with tensors that nobody would store."""

    name, share = "stored state", 8

    def __init__(self, runs: RunDirectories) -> None:
        self._runs = runs

    def enter(self, rng: random.Random, folder: Path) -> Failure | None:
        shutil.copytree(self._runs.sound, folder / "run")
        name = rng.choice(("survey", "training"))
        tensors, meta = checkpoint.load(folder / "run", name)
        for _ in range(rng.randint(1, 2)):
            damage_tensors(rng, tensors)
        checkpoint.save(
            folder / "run", name, tensors, damaged_tree(rng, meta) if rng.random() < 0.3 else meta
        )
        if rng.random() < 0.1:
            not_a_state(rng, folder / "run", name)
        target = folder / "made.lhe"
        generate = ("generate", folder / "run", "--events", "20", "--seed", "5", "--output", target)
        answer = command(*rng.choice((generate, ("integrate", folder / "run", "--points", "2000"))))
        return None if answer.accepted else refused_cleanly(answer, target, ("run",))


def damage_tensors(rng: random.Random, tensors: dict[str, Tensor]) -> None:
    """Change, remove or rename one tensor, or its kind or shape."""
    name = rng.choice(sorted(tensors)) if tensors else "new"
    one = tensors.pop(name, torch.zeros(3))
    flat = one.flatten()
    changes: tuple[Callable[[], Tensor | None], ...] = (
        lambda: None,
        lambda: one.to(
            rng.choice((torch.float32, torch.float64, torch.int64, torch.bool, torch.float16))
        ),
        lambda: one[None],
        lambda: flat,
        lambda: flat[:-1],
        lambda: torch.empty(0),
        lambda: torch.tensor(1.0),
        lambda: torch.full_like(one, rng.choice((-1, 0, 1, 127))),
        lambda: torch.where(torch.rand(one.shape) < 0.5, one.double(), math.nan).to(one.dtype),
        lambda: torch.where(torch.rand(one.shape) < 0.5, one.double(), math.inf).to(one.dtype),
    )
    if (changed := rng.choice(changes)()) is not None:
        tensors[rng.choice((name, name, name, f"{name}x", ""))] = changed


def not_a_state(rng: random.Random, directory: Path, name: str) -> None:
    """Bytes that are no tensors, with the digest that they should have."""
    sidecar = directory / f"{name}.json"
    content = json.loads(sidecar.read_text())
    data = rng.choice(
        (b"", rng.randbytes(100), b"\xff" * 8 + b"{}", (2).to_bytes(8, "little") + b"{}")
    )
    (directory / content["tensors"]).write_bytes(data)
    sidecar.write_text(json.dumps(content | {"sha256": hashlib.sha256(data).hexdigest()}))


class StoredIntegrators(Door):
    """Integrators in files: their bytes, or what these hold with the digest that it should have."""

    name, share = "integrator", 20

    @cached_property
    def _sound(self) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            flow = SplineFlow(2, 1, FlowSettings(bins=2, units=2))
            integrator = mn.Integrator(_product, flow, bounds=[(0, 1), (0, 2)], arrays="torch")
            integrator.train(1, batch_size=10)
            integrator.save(Path(folder) / "it")
            return (Path(folder) / "it").read_bytes()

    def enter(self, rng: random.Random, folder: Path) -> Failure | None:
        path = folder / "it"
        path.write_bytes(self._sound)
        if rng.random() < 0.3:
            path.write_bytes(damaged_bytes(rng, self._sound))
        else:
            stored, tensors = StoredIntegrator.read(path)
            description = stored.model_dump(mode="json")
            if rng.random() < 0.5:
                description = damaged_tree(rng, description)
            else:
                damage_tensors(rng, tensors)
            stored_integrator.write_parts(path, json.dumps(description), tensors)
        answer = library(lambda: mn.Integrator.load(path, _product).sample(10))
        return None if answer.accepted else complaint(answer)


def _product(x: Tensor) -> Tensor:
    return x.prod(dim=1)


class Gridpacks(Door):
    """Unpacked gridpacks, through their script."""

    name, share = "gridpack", 1

    def __init__(self, runs: RunDirectories) -> None:
        self._runs = runs

    @cached_property
    def _packed(self) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(self._runs.sound, Path(folder) / "run")
            answer = command("gridpack", Path(folder) / "run", "-o", Path(folder) / "packed.tar.gz")
            assert answer.accepted, answer.err
            return (Path(folder) / "packed.tar.gz").read_bytes()

    def enter(self, rng: random.Random, folder: Path) -> Failure | None:
        with tarfile.open(fileobj=io.BytesIO(self._packed)) as tar:
            tar.extractall(folder, filter="data")
        script = next(folder.rglob("run.sh"))
        data = next(_with_run_json(script.parent))
        damage_directory(rng, data)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["sh", script, "20", "5"],
            cwd=folder,
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
        )
        if "Traceback" in done.stderr or done.returncode < 0:
            return Failure("traceback", done.stderr[-2000:])
        return None


def _with_run_json(folder: Path) -> Iterator[Path]:
    return (path.parent for path in folder.rglob("run.json"))


class UmamiLibraries(Door):
    """Matrix element libraries, cut short or overwritten, in a process that must not crash."""

    name, share = "UMAMI library", 1

    @cached_property
    def _sound(self) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            (path,) = export_umami(Process.from_card(UMAMI), Path(folder) / "made.so")
            return path.read_bytes()

    def enter(self, rng: random.Random, folder: Path) -> Failure | None:
        library, card = folder / "damaged.so", folder / "card.toml"
        data = self._sound
        header = rng.randint(0, 4096)
        library.write_bytes(
            rng.choice(
                (
                    data[: rng.randint(0, len(data))],
                    rng.randbytes(header) + data[header:],
                    b"",
                    data,
                )
            )
        )
        table = '[process.matrix_element]\nprovider = "umami"\nlibrary = "damaged.so"\n'
        card.write_text(
            f'[process]\ndefinition = "e+ e- > mu+ mu-"\n{table}[beams]\npdf = "none"\n'
        )
        points = folder / "points.json"
        points.write_text(
            '{"points": [{"momenta": [[50, 0, 0, 50], [50, 0, 0, -50], '
            "[50, 50, 0, 0], [50, -50, 0, 0]]}]}"
        )
        done = subprocess.run(
            [sys.executable, "-m", "madnis_py", "evaluate", card, "--momenta", points],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        return complaint(Answer(done.returncode, done.stdout, done.stderr))

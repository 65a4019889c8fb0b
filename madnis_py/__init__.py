"""Neural multi-channel importance sampling and event generation for the LHC.

    import madnis_py as mn

    integrator = mn.Integrator(function, bounds=[(0, 1)] * 4)    # any integral
    integrator.train(steps=500), integrator.integrate(1e5), integrator.unweight(1e4)
    mn.vegas.Integrator([[0, 1]] * 4)                            # in the place of vegas.Integrator

    process = mn.Process.from_card("drell_yan")                  # a collider process
    mn.Run(process, directory, seed)                             # survey, train, integrate, events
    mn.stream(directory)                                         # its events, endless, in memory
    mn.open_events(path), mn.convert(source, target)             # events of a file, in batches
    mn.Generator.from_card("ttbar_1j")                           # phase space for other samplers

The documentation has the rest, module by module. Names are imported when first used, so that
`import madnis_py` costs milliseconds.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from madnis_py import vegas
    from madnis_py.events.event_batch import EventBatch
    from madnis_py.events.exchange.conversion import convert
    from madnis_py.events.exchange.pythia import to_pythia
    from madnis_py.events.files.formats import create_events, open_events
    from madnis_py.flows.discrete import MixedFlow
    from madnis_py.flows.flow import AbstractFlow
    from madnis_py.flows.flow_settings import FlowSettings
    from madnis_py.flows.spline_flow import SplineFlow
    from madnis_py.generator import Generator
    from madnis_py.integration.channel_weights import ChannelWeights
    from madnis_py.integration.estimate import Estimate
    from madnis_py.integration.grids.vegas_flow import VegasFlow, train_vegas
    from madnis_py.integration.integrand import AbstractIntegrand, Evaluation, FunctionIntegrand
    from madnis_py.integration.samples import Samples
    from madnis_py.integration.training.settings import TrainingSettings
    from madnis_py.integrator.integrator import Integrator
    from madnis_py.physics.cross_section.cross_section import CrossSection
    from madnis_py.physics.cross_section.prior_choice import choose_prior
    from madnis_py.physics.process.process import Process
    from madnis_py.physics.process.process_set import ProcessSet
    from madnis_py.run.run import Run
    from madnis_py.run.samples.event_stream import stream
    from madnis_py.run.samples.sample_run import SampleRun

__version__ = "0.1.0"

_HOME = {
    "AbstractFlow": "flows.flow",
    "AbstractIntegrand": "integration.integrand",
    "ChannelWeights": "integration.channel_weights",
    "CrossSection": "physics.cross_section.cross_section",
    "Estimate": "integration.estimate",
    "EventBatch": "events.event_batch",
    "Evaluation": "integration.integrand",
    "FlowSettings": "flows.flow_settings",
    "FunctionIntegrand": "integration.integrand",
    "Generator": "generator",
    "Integrator": "integrator.integrator",
    "MixedFlow": "flows.discrete",
    "Process": "physics.process.process",
    "ProcessSet": "physics.process.process_set",
    "Run": "run.run",
    "SampleRun": "run.samples.sample_run",
    "Samples": "integration.samples",
    "SplineFlow": "flows.spline_flow",
    "TrainingSettings": "integration.training.settings",
    "VegasFlow": "integration.grids.vegas_flow",
    "choose_prior": "physics.cross_section.prior_choice",
    "convert": "events.exchange.conversion",
    "create_events": "events.files.formats",
    "open_events": "events.files.formats",
    "stream": "run.samples.event_stream",
    "to_pythia": "events.exchange.pythia",
    "train_vegas": "integration.grids.vegas_flow",
}

_MODULES = {"vegas"}

__all__ = [
    "AbstractFlow",
    "AbstractIntegrand",
    "ChannelWeights",
    "CrossSection",
    "Estimate",
    "Evaluation",
    "EventBatch",
    "FlowSettings",
    "FunctionIntegrand",
    "Generator",
    "Integrator",
    "MixedFlow",
    "Process",
    "ProcessSet",
    "Run",
    "SampleRun",
    "Samples",
    "SplineFlow",
    "TrainingSettings",
    "VegasFlow",
    "choose_prior",
    "convert",
    "create_events",
    "open_events",
    "stream",
    "to_pythia",
    "train_vegas",
    "vegas",
]

_FIRST = [
    "AbstractIntegrand",
    "Evaluation",
    "Generator",
    "Integrator",
    "Process",
    "Run",
    "convert",
    "open_events",
    "stream",
    "vegas",
]
"""What one begins with: the names that `dir` and `help` show."""

_MOVED = {"train": "integrator.train(steps=..., preset=...)"}
"""What a name of earlier builds is called now."""


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name in _MOVED:
        raise AttributeError(f"{__name__}.{name} is {_MOVED[name]} now")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return [*_FIRST, "__version__"]

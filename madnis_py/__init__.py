"""Neural multi-channel importance sampling and event generation for the LHC.

    import madnis_py as mn

    mn.Integrator(integrand)                 # multi-channel importance sampling of any integrand
    mn.train(integrator, settings)           # neural channel weights and spline flows, on the fly
    mn.Process.from_card("drell_yan")        # a collider process
    mn.Generator.from_card("ttbar_1j")       # its phase space, for samplers of your own
    mn.choose_prior(process)                 # the channel weights that suit it before any training
    mn.Run(process, directory, seed)         # survey, train, integrate, generate
    mn.SampleRun(processes, directory)       # the same of several processes, mn.ProcessSet
    mn.vegas.Integrator([[0, 1]] * 4)        # in the place of vegas.Integrator
    mn.open_events(path)                     # batches of events of a file; mn.convert, mn.to_pythia

Names are imported when first used, so that `import madnis_py` costs milliseconds.
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
    from madnis_py.integration.importance_sampler import ImportanceSampler as Integrator
    from madnis_py.integration.integrand import AbstractIntegrand, Evaluation, FunctionIntegrand
    from madnis_py.integration.samples import Samples
    from madnis_py.integration.training.settings import TrainingSettings
    from madnis_py.integration.training.trainer import train
    from madnis_py.physics.cross_section.cross_section import CrossSection
    from madnis_py.physics.cross_section.prior_choice import choose_prior
    from madnis_py.physics.process.process import Process
    from madnis_py.physics.process.process_set import ProcessSet
    from madnis_py.run.run import Run
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
    "Integrator": "integration.importance_sampler",
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
    "to_pythia": "events.exchange.pythia",
    "train": "integration.training.trainer",
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
    "to_pythia",
    "train",
    "train_vegas",
    "vegas",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(f"{__name__}.{_HOME[name]}")
    return getattr(home, "ImportanceSampler" if name == "Integrator" else name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]

"""A drop-in for the package `vegas`: its names, with an `Integrator` whose VEGAS hands over to a flow where that pays.

    from madnis_py import vegas

    integ = vegas.Integrator([[0, 1]] * 4)
    result = integ(f, nitn=10, neval=100_000)
    print(result.summary())

What is honoured and what is not: docs/vegas.md. All other names are those of vegas itself.
"""

from __future__ import annotations

from vegas import (
    PDFEV,
    AdaptiveMap,
    BatchIntegrand,
    LBatchIntegrand,
    MPIintegrand,
    PDFEVArray,
    PDFEVDict,
    PDFIntegrator,
    RAvg,
    RAvgArray,
    RAvgDict,
    RBatchIntegrand,
    VecIntegrand,
    VegasIntegrand,
    batchintegrand,
    lbatchintegrand,
    ravg,
    rbatchintegrand,
    reporter,
    restratify,
    vecintegrand,
)

from madnis_py.plugins.vegas.channel_cube import ChannelMap
from madnis_py.plugins.vegas.drop_in import Integrator

__all__ = [
    "PDFEV",
    "AdaptiveMap",
    "BatchIntegrand",
    "ChannelMap",
    "Integrator",
    "LBatchIntegrand",
    "MPIintegrand",
    "PDFEVArray",
    "PDFEVDict",
    "PDFIntegrator",
    "RAvg",
    "RAvgArray",
    "RAvgDict",
    "RBatchIntegrand",
    "VecIntegrand",
    "VegasIntegrand",
    "batchintegrand",
    "lbatchintegrand",
    "ravg",
    "rbatchintegrand",
    "reporter",
    "restratify",
    "vecintegrand",
]

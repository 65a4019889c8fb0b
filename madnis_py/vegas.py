"""Drop-in for the package `vegas`: its names, with an `Integrator` that may train a flow.

    from madnis_py import vegas

    integ = vegas.Integrator([[0, 1]] * 4)
    result = integ(f, nitn=10, neval=100_000)
    print(result.summary())

After some iterations of VEGAS a flow takes over where that pays. docs/vegas.md lists what is
honoured and what is not; all names but `Integrator` and `ChannelMap` are those of vegas itself.
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

from madnis_py.plugins.vegas.channel_maps import ChannelMap
from madnis_py.plugins.vegas.drop_in import DropInIntegrator as Integrator

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

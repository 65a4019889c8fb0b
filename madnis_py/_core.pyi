"""Types of the compiled kernels; the shapes are in the docstrings of the Python functions that call them."""

import numpy as np
from numpy.typing import NDArray

# Events

def lhe_text(
    pdg: NDArray[np.int32],
    status: NDArray[np.int32],
    mothers: NDArray[np.int32],
    colour: NDArray[np.int32],
    momenta: NDArray[np.float64],
    mass: NDArray[np.float64],
    spin: NDArray[np.float64],
    weight: NDArray[np.float64],
    scale: NDArray[np.float64],
    alpha_qed: NDArray[np.float64],
    alpha_s: NDArray[np.float64],
    process_id: NDArray[np.int32],
) -> list[bytes]: ...

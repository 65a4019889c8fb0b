"""The first-order correction of a propagator by another width, with the factor i left out."""

from .object_library import Propagator

denominator = "(P('mu', id) * P('mu', id) - Mass(id) * Mass(id) + complex(0,1) * Mass(id) * Width(id))"
squared = denominator + "**2"

numerator = "(-Metric(1,2) + Metric(1,'mu') * P('mu', id) * P(2, id) / Mass(id)**2)"

S = Propagator(name="S", numerator="1", denominator=denominator)

X1 = Propagator(
    name="X1", numerator="-" + numerator + " * complex(0,1) * Mass(id) * dWX",
    denominator=squared,
)  # fmt: skip

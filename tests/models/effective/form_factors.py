"""A dipole of the momentum transfer, and a factor with conditions and functions."""

from .object_library import FormFactor

q2 = "P(-1,3)*P(-1,3)"

DIPOLE = FormFactor(name="DIPOLE", type="real", value="1/(1 - " + q2 + "/lam**2)**2")

POLE = FormFactor(
    name="POLE", type="complex",
    value="(1 + cmath.sqrt(q2/lam)*exp(-q2/lam**2)/log(2 + abs(q2)/lam**2) if q2 > lam**2/50"
    " else lam**2/(lam**2 - q2 - complex(0,1)*lam*WX))**1.5".replace("q2", "(P(-1,1)+P(-1,2))**2"),
)  # fmt: skip

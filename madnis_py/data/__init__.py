"""Data shipped with the package: the toy PDF set."""

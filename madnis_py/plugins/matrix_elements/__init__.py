"""Matrix elements of other programs, and ours for other programs.

Providers, by the names of `process.matrix_element.provider` in a card: `umami` (libraries with the
UMAMI interface: `umami_interface`, `umami_library`, `umami_calls`), `standalone` (modules of
MadGraph) and `callable` (Python functions). All are `adapter.ExternalElement`s; compiled code is
tried by `separate_process` first. `umami_export` writes our matrix elements as UMAMI libraries.
"""

"""Registers, stack, spills and shared memory of the kernels of a GPU: the table in docs/gpu.md.

    python benchmarks/compile_report.py [ARCHITECTURE ...]

for sm_80 and sm_90 if none is given. NVRTC compiles; no GPU is needed, and nothing is measured.
The exit status is 1 if a kernel, or a function that it calls, spills.
"""

from __future__ import annotations

import re
import struct
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass

from madnis_py.array_cache import ArrayCache
from madnis_py.devices.compilation import CompiledSource, NvrtcCompiler
from madnis_py.devices.kernel_sources import kernel_sources

ARCHITECTURES = ("sm_80", "sm_90")

INSTRUCTION_BYTES = 16
"""Of all architectures since sm_70."""

_FUNCTION = re.compile(
    r"Function properties for (?P<name>\S+)\s+ptxas\s+\. +(?P<stack>\d+) bytes stack frame, "
    r"(?P<stores>\d+) bytes spill stores, (?P<loads>\d+) bytes spill loads"
    r"(?:\s+ptxas info +: Used (?P<registers>\d+) registers(?P<more>[^\n]*))?"
)
_KERNEL = re.compile(r"Compiling entry function '(\S+)'")
_SHARED = re.compile(r"(\d+) bytes smem")


@dataclass(frozen=True)
class KernelResources:
    """What a kernel, or a function that it calls, takes of a multiprocessor.

    Attributes:
        name: of the kernel or function.
        registers: of a thread; 0 for a function, whose kernel has them.
        stack: bytes of local memory of a thread.
        spill_stores: bytes that a thread stores since registers do not suffice.
        spill_loads: bytes that it loads for the same reason.
        shared: bytes of shared memory of a block, without what a launch asks for.
        instructions: of its code; 0 for a function.
    """

    name: str
    registers: int
    stack: int
    spill_stores: int
    spill_loads: int
    shared: int
    instructions: int

    @property
    def spills(self) -> bool:
        """Whether registers do not suffice."""
        return self.spill_stores + self.spill_loads > 0


def resources(compiled: CompiledSource) -> list[KernelResources]:
    """The kernels of a source and the functions that they call, as the assembler tells of them."""
    kernels, sizes = set(_KERNEL.findall(compiled.log)), code_sizes(compiled.cubin)
    rows = []
    for found in _FUNCTION.finditer(compiled.log):
        shared = _SHARED.search(found["more"] or "")
        rows.append(
            KernelResources(
                name=found["name"],
                registers=int(found["registers"]) if found["name"] in kernels else 0,
                stack=int(found["stack"]),
                spill_stores=int(found["stores"]),
                spill_loads=int(found["loads"]),
                shared=int(shared[1]) if shared else 0,
                instructions=sizes.get(found["name"], 0) // INSTRUCTION_BYTES,
            )
        )
    return rows


def code_sizes(cubin: bytes) -> dict[str, int]:
    """Bytes of code of each kernel: the sections .text.NAME of the ELF file."""
    (start,) = struct.unpack_from("<Q", cubin, 0x28)
    size, count, names_at = struct.unpack_from("<3H", cubin, 0x3A)
    sections = [
        struct.unpack_from("<IIQQQQ", cubin, start + number * size) for number in range(count)
    ]
    names = sections[names_at][4]
    sizes = {}
    for name_at, _, _, _, _, length in sections:
        name = cubin[names + name_at : cubin.index(b"\0", names + name_at)].decode()
        if name.startswith(".text."):
            sizes[name.removeprefix(".text.")] = length
    return sizes


def table(rows: Mapping[str, Iterable[KernelResources]]) -> list[str]:
    """Lines of a Markdown table of the kernels of some sources."""
    lines = [
        "| source | kernel | registers | stack [B] | spill stores [B] | spill loads [B] "
        "| shared memory [B] | instructions |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for source, found in rows.items():
        for one in found:
            if one.registers:
                name, *figures = astuple(one)
                cells = " | ".join(map(str, figures))
                lines.append(f"| `{source}.cu` | `{name}` | {cells} |")
    return lines


def main(architectures: list[str]) -> int:
    """Print a table for each architecture; 1 if anything spills."""
    spills = False
    for architecture in architectures:
        compiler = NvrtcCompiler(architecture)
        rows = all_resources(compiler)
        major, minor = compiler.version
        print(f"{architecture}, NVRTC {major}.{minor}:\n")
        print("\n".join(table(rows)), end="\n\n")
        spills |= any(one.spills for found in rows.values() for one in found)
    return int(spills)


def all_resources(compiler: NvrtcCompiler) -> dict[str, list[KernelResources]]:
    """Source -> its kernels, of all sources of the package."""
    sources, cache = kernel_sources(), ArrayCache()
    with ThreadPoolExecutor() as pool:
        compiled = pool.map(lambda source: compiler.kept(source, cache), sources)
        return dict(zip(sources, map(resources, compiled), strict=True))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(ARCHITECTURES)))

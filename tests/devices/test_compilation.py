"""Kernels of a GPU compiled where there is none: nothing is dropped, nothing spills, failures."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from compile_report import ARCHITECTURES, main, resources

from madnis_py.array_cache import ArrayCache
from madnis_py.devices import emulated
from madnis_py.devices import kernel_sources as sources_of_kernels
from madnis_py.devices.compilation import NvrtcCompiler
from madnis_py.devices.kernel_sources import (
    included,
    kernel_sources,
    source_folder,
)
from madnis_py.errors import DeviceError

NVCC = shutil.which("nvcc")

LEAST_INSTRUCTIONS = 24
"""More than those of a kernel without a body, which are no more than 16 with what fills them up."""


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("source", kernel_sources())
def test_nvrtc_compiles_every_kernel_whole_and_without_spills(
    source: str, architecture: str
) -> None:
    compiled = NvrtcCompiler(architecture).kept(source, ArrayCache())
    assert "warning" not in compiled.log, compiled.log
    found = resources(compiled)
    assert not [one for one in found if one.spills]
    kernels = [one for one in found if one.registers]
    assert kernels
    assert not [one for one in kernels if one.instructions < LEAST_INSTRUCTIONS]
    assert not [one for one in kernels if not is_emulated(one.name)]


def is_emulated(name: str) -> bool:
    """Whether there is a kernel of this name on the processor; a launch of no block asks for it."""
    return not emulated._library().madnis_launch(name.encode(), 0, 1, 0, None)


def complaints_of_nvcc(path: Path, folder: Path) -> str:
    """What nvcc says of a source on the way to PTX."""
    command = [
        str(NVCC),
        "-std=c++20",
        "-arch=sm_90",
        "--expt-relaxed-constexpr",
        "-Werror=all-warnings",
        "-DMADNIS_DEVICE",
        f"-I{source_folder()}",
        "-ptx",
        "-o",
        str(folder / "own.ptx"),
        str(path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert bool(done.returncode) == bool(done.stdout + done.stderr)
    return done.stdout + done.stderr


@pytest.mark.skipif(NVCC is None, reason="nvcc is not installed")
@pytest.mark.parametrize("source", kernel_sources())
def test_nvcc_has_nothing_to_say_about_any_kernel(source: str, tmp_path: Path) -> None:
    assert complaints_of_nvcc(kernel_sources()[source], tmp_path) == ""


@pytest.mark.skipif(NVCC is None, reason="nvcc is not installed")
def test_nvcc_complains_of_a_formula_that_only_the_processor_has(tmp_path: Path) -> None:
    path = tmp_path / "own.cu"
    path.write_text(
        "template <class T> T twice(T x) { return x + x; }\n"
        "template <class T> __host__ __device__ T formula(T x) { return twice(x); }\n"
        + one_kernel("y[0] = formula(x[n]);")
    )
    assert "__host__" in complaints_of_nvcc(path, tmp_path)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of sources where tests write their own."""
    sources = tmp_path / "cpp"
    shutil.copytree(source_folder() / "cuda" / "standard", sources / "cuda" / "standard")
    monkeypatch.setattr(sources_of_kernels, "source_folder", lambda: sources)
    return sources


@pytest.fixture
def compiler() -> NvrtcCompiler:
    return NvrtcCompiler("sm_90")


def written(folder: Path, text: str, name: str = "own") -> str:
    (folder / "cuda" / f"{name}.cu").write_text(text)
    return name


def one_kernel(body: str) -> str:
    return f'extern "C" __global__ void kernel(double* y, const double* x, long n) {{ {body} }}\n'


def test_a_kernel_without_a_body_has_too_few_instructions(
    folder: Path, compiler: NvrtcCompiler
) -> None:
    written(folder, one_kernel("if (threadIdx.x < n) x[threadIdx.x];"))
    (empty,) = resources(compiler.compile("own"))
    written(folder, one_kernel("if (threadIdx.x < n) y[threadIdx.x] = 2. * x[threadIdx.x];"))
    (short,) = resources(compiler.compile("own"))
    assert 0 < empty.instructions < LEAST_INSTRUCTIONS <= short.instructions


def test_the_report_has_registers_stack_spills_and_shared_memory(
    folder: Path, compiler: NvrtcCompiler
) -> None:
    written(
        folder,
        'extern "C" __global__ void __launch_bounds__(1024, 2) kernel(double* y) {\n'
        "    __shared__ double shared[100];\n    double own[80];\n"
        "    for (int i = 0; i < 80; ++i) own[i] = y[i * i] * y[i + 1];\n"
        "    shared[threadIdx.x % 100] = own[int(y[3])];\n    __syncthreads();\n"
        "    double sum = 0;\n    for (int i = 0; i < 80; ++i) sum += own[i] / shared[i];\n"
        "    for (int i = 0; i < 80; ++i) y[i] = sum * own[79 - i] + shared[i];\n}\n",
    )
    (found,) = resources(compiler.compile("own"))
    assert found.name == "kernel"
    assert 16 < found.registers <= 32
    assert found.stack >= 640
    assert found.spill_stores > 0
    assert found.spill_loads > 0
    assert found.shared == 800


def test_the_table_of_the_report_has_a_row_for_each_kernel(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("MADNIS_PY_CACHE", str(tmp_path / "cache"))
    written(folder, one_kernel("y[threadIdx.x] = x[n];"), "one")
    written(folder, one_kernel("y[threadIdx.x] = x[n - 1];"), "two")
    assert main(["sm_80"]) == 0
    _, _, heading, rule, *rows = capsys.readouterr().out.strip().splitlines()
    assert [row.split(" | ")[:2] for row in rows] == [
        ["| `one.cu`", "`kernel`"],
        ["| `two.cu`", "`kernel`"],
    ]
    assert {line.count("|") for line in (heading, rule, *rows)} == {9}


def test_what_device_code_uses_of_the_standard_library_is_what_it_is_elsewhere(
    folder: Path, compiler: NvrtcCompiler
) -> None:
    headers = sorted(path.name for path in (folder / "cuda" / "standard").iterdir())
    assert headers
    text = "".join(f"#include <{name}>\n" for name in headers)
    largest = sys.float_info.max.hex()
    claims = f"""
        std::numeric_limits<double>::max() == {largest}
        std::numeric_limits<double>::min() == {sys.float_info.min.hex()}
        std::numeric_limits<double>::epsilon() == {sys.float_info.epsilon.hex()}
        std::numeric_limits<double>::infinity() > {largest}
        std::numeric_limits<float>::infinity() > std::numeric_limits<float>::max()
        std::numeric_limits<double>::quiet_NaN() != std::numeric_limits<double>::quiet_NaN()
        std::numeric_limits<std::int32_t>::min() == {-(2**31)}
        std::numeric_limits<std::uint32_t>::max() == {2**32 - 1}
        std::numeric_limits<std::int64_t>::max() == {2**63 - 1}
        std::numeric_limits<std::int64_t>::min() == -{2**63 - 1} - 1
        std::numeric_limits<std::uint64_t>::min() == 0
        std::bit_cast<std::uint64_t>(1.5) == {0x3FF8000000000000}
        std::numbers::pi == 0x1.921fb54442d18p+1
        std::numbers::ln2_v<float> == 0x1.62e43p-1f
        std::clamp(7, 2, 5) == 5 && std::clamp(1, 2, 5) == 2 && std::max(2, 3) == 3
        std::is_same_v<std::make_index_sequence<3>, std::index_sequence<0, 1, 2>>
        std::is_same_v<std::conditional_t<false, int, float>, float>
        std::is_same_v<std::remove_reference_t<double&>, double>
        std::is_same_v<decltype(std::exp(1.f)), float> && std::is_same_v<decltype(exp(1.)), double>
        sizeof(std::size_t) == 8 && sizeof(std::int64_t) == 8 && sizeof(std::uint32_t) == 4
    """
    lines = [line.strip() for line in claims.strip().splitlines()]
    text += "".join(f"static_assert({line});\n" for line in lines)
    written(folder, text + one_kernel("y[0] = std::sqrt(x[n]);"))
    assert "warning" not in compiler.compile("own").log


def test_an_error_of_the_compiler_is_told_in_one_sentence(
    folder: Path, compiler: NvrtcCompiler
) -> None:
    written(folder, one_kernel("y[0] = unknown(x);\ny[1] = other;"))
    with pytest.raises(DeviceError) as told:
        compiler.compile("own")
    version = ".".join(map(str, compiler.version))
    assert re.fullmatch(
        rf"device: own\.cu does not compile with NVRTC {re.escape(version)} for sm_90: "
        r'own\.cu\(1\): error: identifier "unknown" is undefined',
        told.value.sentence,
    )
    assert told.value.exit_status == 2


def test_a_missing_header_is_told_in_one_sentence(folder: Path, compiler: NvrtcCompiler) -> None:
    written(folder, "#include <vector>\n")
    with pytest.raises(DeviceError, match=r'own\.cu\(1\): .*error: .* "vector"'):
        compiler.compile("own")


def test_an_architecture_that_nvrtc_does_not_know_is_told(folder: Path) -> None:
    written(folder, one_kernel(""))
    with pytest.raises(DeviceError, match=r"for sm_10: .*invalid value for --gpu-architecture"):
        NvrtcCompiler("sm_10").compile("own")


def test_a_missing_nvrtc_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise import_module("cuda.pathfinder").DynamicLibNotFoundError("no libnvrtc.so.13")

    monkeypatch.setattr(import_module("cuda.bindings.nvrtc"), "nvrtcVersion", missing)
    with pytest.raises(
        DeviceError, match=r"expected the library NVRTC.*nvidia-cuda-nvrtc$"
    ) as told:
        NvrtcCompiler("sm_90")
    assert told.value.exit_status == 2


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cuda.core", None)
    with pytest.raises(DeviceError, match=r"cuda-core.*pip install 'madnis_py\[cuda\]'") as told:
        NvrtcCompiler("sm_90")
    assert told.value.exit_status == 2


def test_a_source_is_compiled_once_and_then_read(
    folder: Path, compiler: NvrtcCompiler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(folder, one_kernel("y[0] = x[n];"))
    cache = ArrayCache(tmp_path / "cache")
    first = compiler.kept("own", cache)
    monkeypatch.setattr(NvrtcCompiler, "compile", None)
    assert compiler.kept("own", cache) == first
    assert first.cubin.startswith(b"\x7fELF")
    assert "registers" in first.log


def test_a_damaged_file_is_compiled_again(
    folder: Path, compiler: NvrtcCompiler, tmp_path: Path
) -> None:
    written(folder, one_kernel("y[0] = x[n];"))
    cache = ArrayCache(tmp_path / "cache")
    first = compiler.kept("own", cache)
    (file,) = (tmp_path / "cache").iterdir()
    content = file.read_bytes()
    place = content.index(b"\x7fELF") + 100
    file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    assert compiler.kept("own", cache).cubin == first.cubin


def test_another_header_compiler_or_architecture_makes_another_key(
    folder: Path, compiler: NvrtcCompiler
) -> None:
    for name in ("used", "indirect", "other"):
        (folder / f"{name}.hpp").write_text("#pragma once\n")
    (folder / "used.hpp").write_text('#pragma once\n#include "indirect.hpp"\n')
    written(folder, '#include <cstdint>\n#include "used.hpp"\n' + one_kernel(""))
    names = [path.name for path in included(kernel_sources()["own"])]
    assert names == ["own.cu", "cstdint", "used.hpp", "indirect.hpp"]

    keys = [compiler.key("own"), NvrtcCompiler("sm_80").key("own")]
    (folder / "other.hpp").write_text("#pragma once\n// changed\n")
    assert compiler.key("own") == keys[0]
    (folder / "indirect.hpp").write_text("#pragma once\n// changed\n")
    keys.append(compiler.key("own"))
    compiler.version = (12, 9)
    keys.append(compiler.key("own"))
    assert len(set(keys)) == 4

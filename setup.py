"""Build of the compiled kernels with CMake, and the list of packages; the rest: pyproject.toml."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext

BESIDE = ("_core_umami.so", "_core_emulated.so")
"""Libraries beside `_core`: what `madnis-py export-umami` copies, and the emulated kernels."""


class CMakeBuild(build_ext):
    """Configure and build `_core` with CMake, at the place where setuptools wants it."""

    def build_extension(self, ext: Extension) -> None:
        """Build one extension, which is all of the CMake project."""
        import pybind11

        source = Path(__file__).resolve().parent
        target = Path(self.get_ext_fullpath(ext.name)).resolve().parent
        build = Path(self.build_temp).resolve()
        build.mkdir(parents=True, exist_ok=True)
        configure = [
            "cmake",
            str(source),
            f"-DCMAKE_LIBRARY_OUTPUT_DIRECTORY={target}",
            f"-DPython_EXECUTABLE={sys.executable}",
            f"-Dpybind11_DIR={pybind11.get_cmake_dir()}",
            "-DCMAKE_BUILD_TYPE=Release",
        ]
        jobs = str(self.parallel or os.cpu_count() or 1)
        subprocess.run(configure, cwd=build, check=True)
        subprocess.run(["cmake", "--build", ".", "--parallel", jobs], cwd=build, check=True)

    def copy_extensions_to_source(self) -> None:
        """Of an editable install: the extension, and what CMake puts beside it."""
        super().copy_extensions_to_source()
        package = self.get_finalized_command("build_py").get_package_dir("madnis_py")
        for name in BESIDE:
            self.copy_file(
                str(Path(self.build_lib) / "madnis_py" / name), str(Path(package) / name)
            )


setup(
    packages=[
        *find_packages(include=["madnis_py", "madnis_py.*"]),
        "madnis_py.kernel_sources",
        "madnis_py.processes",
    ],
    ext_modules=[Extension("madnis_py._core", sources=[])],
    cmdclass={"build_ext": CMakeBuild},
)

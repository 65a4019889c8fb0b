"""Check that source distribution and wheels in a folder hold what they should, and no more.

    python scripts/check_distributions.py dist

A source distribution holds every file in version control but those that begin with a dot; a wheel
holds the package, the cards, the compiled kernels, the sources of those of a GPU and the licence.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[1]
GENERATED = re.compile(r"PKG-INFO|setup\.cfg|madnis_py\.egg-info/.*")
KERNELS = {f"madnis_py/_core{name}.so" for name in ("", "_emulated", "_umami")}


def in_version_control() -> set[str]:
    """Files of the last commit, without those whose path begins with a dot."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {name for name in listed.stdout.splitlines() if not name.startswith(".")}


def source_names(path: Path) -> set[str]:
    """Files of a source distribution, without those that packing makes."""
    with tarfile.open(path) as archive:
        names = {
            str(PurePosixPath(*PurePosixPath(one.name).parts[1:]))
            for one in archive
            if one.isfile()
        }
    return {name for name in names if not GENERATED.fullmatch(name)}


def wheel_names(path: Path) -> set[str]:
    """Files of a wheel: metadata without licences, kernels without tags of a Python."""
    with zipfile.ZipFile(path) as archive:
        names = [re.sub(r"\.(cpython|abi3)[^/]*\.so$", ".so", name) for name in archive.namelist()]
    licences = [PurePosixPath(name).name for name in names if ".dist-info/licenses/" in name]
    return {*licences, *(name for name in names if ".dist-info/" not in name)}


def wheel_of(tracked: Iterable[str]) -> set[str]:
    """What a wheel made of these files holds."""
    inside = {name for name in tracked if name.startswith("madnis_py/")}
    cards = {
        f"madnis_py/{name}" for name in tracked if re.fullmatch(r"processes/[^/]*\.toml", name)
    }
    sources = {
        f"madnis_py/kernel_sources/{name.removeprefix('cpp/')}"
        for name in tracked
        if re.fullmatch(r"cpp/.*\.(hpp|cu)|cpp/cuda/standard/.*", name)
    }
    return {"LICENSE", *inside, *cards, *sources, *KERNELS}


def main(folder: Path) -> int:
    """Say what is missing and what is too much; 1 if anything is, or if there are none."""
    tracked = in_version_control()
    sources, wheels = sorted(folder.glob("*.tar.gz")), sorted(folder.glob("*.whl"))
    found = {path: (tracked, source_names(path)) for path in sources}
    found |= {path: (wheel_of(tracked), wheel_names(path)) for path in wheels}
    wrong = not found
    for path, (wanted, there) in found.items():
        print(f"{path.name}: {len(there)} files")
        for name in sorted(wanted ^ there):
            wrong = True
            print(f"  {'missing' if name in wanted else 'too much'}: {name}")
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

"""Sources of the kernels of a GPU, which come with the package, and what each of them includes."""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files
from pathlib import Path

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*["<]([^">]+)[">]', re.MULTILINE)


def source_folder() -> Path:
    """Folder of the C++ sources: inside of the package, or beside it in a checkout."""
    package = Path(str(files("madnis_py")))
    installed, checkout = package / "kernel_sources", package.parent / "cpp"
    return installed if installed.is_dir() else checkout


def include_folders() -> tuple[Path, ...]:
    """Folders where a compiler without standard headers finds what kernels include."""
    return source_folder(), source_folder() / "cuda" / "standard"


def kernel_sources() -> dict[str, Path]:
    """Stem -> file of all sources of kernels, sorted by stem."""
    return {path.stem: path for path in sorted((source_folder() / "cuda").glob("*.cu"))}


def source_digest(source: str) -> str:
    """Digest of a source with everything that it includes, in hexadecimal digits.

    Args:
        source: stem of a file in `cpp/cuda`.
    """
    digest = hashlib.sha256()
    for path in included(kernel_sources()[source]):
        name = path.relative_to(source_folder()).as_posix()
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def included(path: Path) -> list[Path]:
    """A source and the files that it includes, directly or not, each once, in order of appearance.

    Files that another compiler brings itself are left out, conditions of the preprocessor are not
    looked at.
    """
    found = [path]
    for one in found:
        for name in _INCLUDE.findall(one.read_text()):
            place = next((f / name for f in include_folders() if (f / name).is_file()), None)
            if place is not None and place not in found:
                found.append(place)
    return found

"""A folder as a zip that is the same, byte by byte, whoever makes it and when."""

from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

_TIME = (1980, 1, 1, 0, 0, 0)  # the first that a zip can tell
_MODE = 0o100644 << 16  # a file that everybody may read
_UNIX = 3  # else ZipInfo says on which system it was made


def write(folder: Path, to: Path) -> None:
    """Write every file below the folder, in the order of their names."""
    with ZipFile(to, "w", ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()):
            entry = ZipInfo(name, _TIME)
            entry.compress_type, entry.external_attr, entry.create_system = ZIP_DEFLATED, _MODE, _UNIX
            archive.writestr(entry, (folder / name).read_bytes())

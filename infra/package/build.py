"""From the checkout to the files that are deployed: the zip, its hash, the list of what is in it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.package import archive, bytecode, ours, sbom, wheels
from infra.package.prune import prune
from infra.package.unpacked import SITE

NAME = "cmkwarden.zip"


@dataclass(frozen=True, slots=True)
class Built:
    """What was built, and how many bytes each rule of `prune` has kept out of it."""

    archive: Path
    sha256: str
    pruned: dict[str, int]


def build(to: Path, requirements: Path = ours.ROOT / "requirements.txt") -> Built:
    """Write the zip, `.sha256` beside it as sha256sum has it, and `cmkwarden.cdx.json`."""
    to.mkdir(parents=True, exist_ok=True)
    zipped = to / NAME
    with TemporaryDirectory() as name:
        app, fetched = Path(name) / "app", Path(name) / "wheels"
        ours.copy(app)
        wheels.download(requirements, fetched)
        wheels.install(requirements, fetched, app / SITE)
        pruned = prune(app / SITE)
        bytecode.write(app)
        archive.write(app, zipped)
        (to / "cmkwarden.cdx.json").write_text(sbom.document(app / SITE, fetched, zipped))
    sha256 = hashlib.sha256(zipped.read_bytes()).hexdigest()
    (to / f"{NAME}.sha256").write_text(f"{sha256}  {NAME}\n")
    return Built(zipped, sha256, pruned)

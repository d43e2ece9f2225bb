"""The list of what is in the package (SBOM), as CycloneDX 1.6: versions, hashes of the wheels, licences, who needs whom."""

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path
from uuid import UUID, uuid5

from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name, parse_wheel_filename

from infra.package.ours import ROOT

_SPACE = UUID("5f3a2f0e-6c0b-4f0e-9d0b-4a1c7f6f6a10")  # drawn once; serial numbers are derived from it
_SPDX = {"MIT License": "MIT"}  # older metadata gives names where SPDX has ids


def document(packages: Path, wheels: Path, archive: Path) -> str:
    """Return the list as JSON; the same package gives the same text. Raises ValueError where it is not CycloneDX."""
    parts = {canonicalize_name(it.name): it for it in distributions(path=[str(packages)])}
    hashes = {parse_wheel_filename(it.name)[0]: _sha256(it) for it in wheels.glob("*.whl")}
    components = {name: _component(part, name, hashes[name]) for name, part in sorted(parts.items())}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    whole = _whole(project, archive)
    bom = Bom(components=components.values(), serial_number=uuid5(_SPACE, _sha256(archive)))
    bom.metadata.component = whole
    bom.metadata.timestamp = None  # type: ignore[assignment] # may be left out, and another time is another text
    for name, needs in _needs(parts).items():
        bom.register_dependency(components[name], [components[need] for need in needs])
    wanted = {canonicalize_name(Requirement(line).name) for line in project["dependencies"]}
    bom.register_dependency(whole, [components[name] for name in sorted(wanted)])
    text = JsonV1Dot6(bom).output_as_string(indent=2) + "\n"
    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if wrong:
        raise ValueError(f"the list of contents is no CycloneDX 1.6: {wrong}")
    return text


def _whole(project: Mapping[str, str], archive: Path) -> Component:
    return Component(
        type=ComponentType.APPLICATION,
        name=project["name"],
        version=project["version"],
        bom_ref=project["name"],
        description=project["description"],
        licenses=[_license(project["license"])],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=_sha256(archive))],
    )


def _component(part: Distribution, name: str, sha256: str) -> Component:
    url = PackageURL("pypi", name=name, version=part.version)
    return Component(
        type=ComponentType.LIBRARY,
        name=part.name,
        version=part.version,
        bom_ref=url.to_string(),
        purl=url,
        licenses=_licenses(part),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sha256)],
    )


def _licenses(part: Distribution) -> list[License]:
    told = part.metadata.get("License-Expression") or part.metadata.get("License") or ""
    if told and "\n" not in told:
        return [_license(told)]
    # The whole text of a licence stands there, or nothing: then what the project is filed under.
    filed = [it for it in part.metadata.get_all("Classifier") or [] if it.startswith("License ::")]
    return [_license(it.rsplit(" :: ", 1)[1]) for it in filed]


def _license(told: str) -> License:
    return LicenseFactory().make_from_string(_SPDX.get(told, told))


def _needs(parts: Mapping[NormalizedName, Distribution]) -> dict[NormalizedName, list[NormalizedName]]:
    """Return which parts each part needs, with the extras that any other asks of it."""
    extras: dict[NormalizedName, set[str]] = {name: {""} for name in parts}
    asked = {name: [Requirement(line) for line in part.requires or []] for name, part in parts.items()}
    own = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    for one in [Requirement(line) for line in own] + [one for lines in asked.values() for one in lines]:
        extras.get(canonicalize_name(one.name), set()).update(one.extras)
    return {name: sorted(_met(lines, extras[name]) & parts.keys() - {name}) for name, lines in asked.items()}


def _met(lines: Iterable[Requirement], extras: set[str]) -> set[NormalizedName]:
    return {
        canonicalize_name(one.name)
        for one in lines
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in extras)
    }


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

"""A throwaway certificate authority for one start of the local Azure. Nothing outside its folder trusts it."""

from dataclasses import dataclass
from pathlib import Path

import trustme

# With the real names as well, so that unmodified third-party clients can be pointed at it.
_NAMES = (
    "127.0.0.1",
    "localhost",
    "management.azure.com",
    "login.microsoftonline.com",
    "graph.microsoft.com",
    "graph.windows.net",
    "*.vault.azure.net",
)


@dataclass(frozen=True, slots=True)
class Certificates:
    """Paths of PEM files."""

    ca: Path
    cert: Path
    key: Path


def issue(folder: Path) -> Certificates:
    """Make an authority and one server certificate in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Certificates(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    authority = trustme.CA()
    server = authority.issue_cert(*_NAMES)
    authority.cert_pem.write_to_path(str(made.ca))
    made.cert.write_bytes(b"".join(blob.bytes() for blob in server.cert_chain_pems))
    made.key.touch(mode=0o600)
    made.key.write_bytes(server.private_key_pem.bytes())
    return made

"""Where a request came from, as far as anybody can tell: written down with a decision, believed for nothing."""

import re

from starlette.requests import Request

from shared.web.gate import address

_LONGEST = 64  # characters; an IPv6 address has 39, a zone may follow
_STRANGE = re.compile(r"[^0-9A-Za-z.:%\[\]_-]", re.ASCII)


def origin(request: Request) -> str:
    """Return the address of the caller, cut and without odd characters; '' where nothing says."""
    return _STRANGE.sub("", address(request))[:_LONGEST]

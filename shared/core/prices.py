"""What keys and operations with them cost, as the deployment says: exact decimals, never a price of our own.

    currency=EUR,RSA-3072=0/month+0.15/10000,RSA-HSM-3072=5/month+0.15/10000
             |           |                '- for so many operations: 1, 10, 100, ... 1000000
             |           '- for each key that is there, a month
             '- the type of a key and its bits, as Azure names them (AZURE 2.3)

Nothing is left out: a key that costs nothing a month says 0/month. Who knows the price list of his contract writes it here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

_CURRENCY = re.compile("[A-Z]{3}")
_AMOUNT = r"(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,9})?"
_PRICE = re.compile(f"(?P<month>{_AMOUNT})/month\\+(?P<price>{_AMOUNT})/(?P<many>10{{0,6}})")
TYPES = tuple(f"{kind}-{bits}" for kind in ("RSA", "RSA-HSM") for bits in (2048, 3072, 4096))
_WANTED = "must be currency=EUR and then prices as RSA-3072=0/month+0.15/10000, comma-separated"


@dataclass(frozen=True, slots=True)
class Price:
    """What a key of one type costs: for a month that it is there, and for one operation with it."""

    month: Decimal
    operation: Decimal


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices in one currency (ISO 4217), by the type of key, as RSA-HSM-3072."""

    currency: str
    keys: Mapping[str, Price]


def type_of(kind: str, size: int) -> str:
    """Return the type of a key under which its price stands."""
    return f"{kind.upper()}-{size}"


def prices(value: str) -> Prices:
    """Read prices. Raises ValueError that says what would be right: half a price list is none."""
    found, currency = dict[str, Price](), ""
    for word in filter(None, (it.strip() for it in value.split(","))):
        name, _, text = (it.strip() for it in word.partition("="))
        if name.lower() == "currency":
            if currency or not _CURRENCY.fullmatch(text):
                raise ValueError(f"{word!r} must be one currency of three capitals, as currency=EUR")
            currency = text
            continue
        price = _PRICE.fullmatch(text)
        if name.upper() not in TYPES or price is None:
            raise ValueError(f"{word!r}: {_WANTED}; types are {', '.join(TYPES)}")
        if name.upper() in found:
            raise ValueError(f"there are two prices for {name.upper()}")
        # Ten to some power: the division has an end, so no digit is lost.
        found[name.upper()] = Price(Decimal(price["month"]), Decimal(price["price"]) / Decimal(price["many"]))
    if not (currency and found):
        raise ValueError(_WANTED)
    return Prices(currency, found)

"""The stand-ins for protobuf's classes refuse what protobuf refuses."""

from collections.abc import Callable
from typing import Any

import pytest

from simulator.host import protos


@pytest.mark.parametrize(
    "make",
    [
        lambda: protos.TypedData(string=b"bytes"),
        lambda: protos.TypedData(bytes="text"),
        lambda: protos.TypedData(json={"a": 1}),
        lambda: protos.RpcHttp(headers={"x": 1}),
        lambda: protos.RpcHttp(headers={1: "x"}),
        lambda: protos.RpcHttpCookie(name="a", value=1),
    ],
)
def test_wrong_type(make: Callable[[], Any]) -> None:
    """A value of a wrong type is a TypeError, as in gRPC."""
    with pytest.raises(TypeError, match="bad argument type"):
        make()


def test_half_a_pair() -> None:
    """Text that is no valid Unicode cannot be sent."""
    with pytest.raises(UnicodeEncodeError):
        protos.TypedData(string="\ud800")


def test_kind() -> None:
    """A value tells which kind it has, or none."""
    assert protos.TypedData(json="{}").WhichOneof("data") == "json"
    assert protos.TypedData().WhichOneof("data") is None
    assert protos.TypedData(string=None).WhichOneof("data") is None
    assert protos.ParameterBinding(name="a", data=protos.TypedData()).WhichOneof("rpc_data") == "data"

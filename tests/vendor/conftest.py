"""What the vendor's tests stand on."""

import socket

import pytest

from tests.vendor.certificates import Identity, make_identity


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """A certificate nobody trusts unless told to."""
    return make_identity(tmp_path_factory.mktemp("identity"))


@pytest.fixture
def closed_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port

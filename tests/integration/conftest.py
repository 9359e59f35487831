# SPDX-License-Identifier: Apache-2.0
"""One daemon on one private bus per test file; tests that need their own make it themselves."""

import pytest
from bus import PrivateBus
from daemon import Daemon
from dbusclient import Client


@pytest.fixture(scope="module")
def bus():
    with PrivateBus() as private:
        yield private


@pytest.fixture(scope="module")
def daemon(bus):
    with Daemon(bus=bus) as running:
        yield running


@pytest.fixture()
def client(bus, daemon):
    connection = Client(bus)
    yield connection
    connection.close()


@pytest.fixture()
def http(daemon):
    return daemon.http

# SPDX-License-Identifier: Apache-2.0
"""One daemon per test file, without a bus: the library knows the socket alone."""

import os

import pytest
from daemon import Daemon
from libtocsin import Client

# A library with sanitizers wants theirs to be there first; the programs that tests start have their own.
os.environ.pop("LD_PRELOAD", None)


@pytest.fixture(scope="module")
def daemon():
    with Daemon() as running:
        yield running


@pytest.fixture()
def client(daemon):
    with Client(daemon.socket) as made:
        yield made

# SPDX-License-Identifier: Apache-2.0
"""One daemon per test file, without a bus: the library knows the socket alone."""

import os

import libtocsin
import pytest
from daemon import Daemon
from libtocsin import Client

# A library with sanitizers wants theirs to be there first; the programs of ours that tests start have their own.
libtocsin.PRELOAD = os.environ.pop("LD_PRELOAD", "")


@pytest.fixture(scope="module")
def daemon():
    with Daemon() as running:
        yield running


@pytest.fixture()
def client(daemon):
    with Client(daemon.socket) as made:
        yield made

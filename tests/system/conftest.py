# SPDX-License-Identifier: Apache-2.0
"""Tocsin as it is installed, in a machine with a real systemd; one machine per test file."""

import os

import pytest
from house import tool
from installation import http, install, stage
from machine import Machine
from rootfs import root_file_system


def pytest_collection_modifyitems(items):
    if os.getuid() != 0:
        for item in items:
            item.add_marker(pytest.mark.skip(reason="a machine of one's own takes root"))


@pytest.fixture(scope="session")
def root():
    return root_file_system([tool("tocsind"), tool("tocsinctl"), tool("tocsin-spark")])


@pytest.fixture(scope="session")
def login_root():
    """With what people come in by."""
    return root_file_system([tool("tocsind"), tool("tocsinctl"), tool("tocsin-spark")],
                            ("cockpit-bridge", "libpam-systemd", "openssh-client", "openssh-server"))


@pytest.fixture(scope="session")
def staged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("staged")
    stage(folder)
    return folder


@pytest.fixture(scope="module")
def machine(root, staged):
    """Its cgroups are version 2 alone."""
    with Machine(root) as booted:
        install(booted, staged)
        yield booted


@pytest.fixture(scope="module")
def hybrid(root, staged):
    """With the version 1 controllers, where limits bind."""
    with Machine(root, hybrid=True) as booted:
        install(booted, staged)
        yield booted


@pytest.fixture(autouse=True)
def tell_the_journal(request):
    """What the machine had to say during a test that failed."""
    yield
    report = getattr(request.node, "report", None)
    for name in ("machine", "hybrid"):
        booted = request.node.funcargs.get(name)
        if report and report.failed and booted:
            print(booted.journal_text("-n", "60"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if call.when == "call":
        item.report = outcome.get_result()


@pytest.fixture()
def client(machine):
    connection = http(machine)
    yield connection
    connection.close()

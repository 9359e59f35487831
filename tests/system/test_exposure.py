# SPDX-License-Identifier: Apache-2.0
"""How confined the units are, as systemd itself judges them."""

import re

import pytest

EXPOSURE_MAX = 1.5


@pytest.mark.parametrize("unit", ["tocsind.service", "tocsin-spark@1.service"])
def test_exposure(machine, unit):
    said = machine.exec("systemd-analyze", "security", "--no-pager", unit, check=False).stdout
    level = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)
    assert level and float(level.group(1)) <= EXPOSURE_MAX, said

"""Values that were read are like those that are made by hand."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import pytest

from at.sms import Deliver, Pdu, decode
from tests.at.sms.vectors import load

PDU = decode(load("published")[0]["pdu"])


def test_value_that_was_read_is_frozen() -> None:
    assert isinstance(PDU.tpdu, Deliver)
    with pytest.raises(dataclasses.FrozenInstanceError):
        PDU.tpdu.pid = 1  # type: ignore[misc]  # that is the point
    with pytest.raises(dataclasses.FrozenInstanceError):
        PDU.flags = ()  # type: ignore[misc]  # that is the point


def test_value_that_was_read_equals_one_made_by_hand() -> None:
    tpdu = PDU.tpdu
    assert isinstance(tpdu, Deliver)
    made = Deliver(tpdu.originator, tpdu.timestamp, tpdu.user_data, tpdu.pid, tpdu.dcs, tpdu.more)
    assert made == tpdu
    assert hash(made) == hash(tpdu)
    assert repr(made) == repr(tpdu)
    assert Pdu(PDU.smsc, made) == PDU


def test_value_that_was_read_can_be_changed_copied_and_kept() -> None:
    assert dataclasses.replace(PDU, flags=("udl",)).flags == ("udl",)
    assert copy.deepcopy(PDU) == PDU
    assert pickle.loads(pickle.dumps(PDU)) == PDU

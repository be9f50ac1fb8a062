"""One SMS of emnify: as it is kept, listed and told to the customer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from agent.simulator.platforms import emnify_fields as fields
from at import sms

__all__ = [
    "BUFFERED",
    "CANCELED",
    "DELIVERED",
    "EXPIRED",
    "FAILED",
    "IN_PROGRESS",
    "PENDING",
    "STATUSES",
    "Sms",
    "callback",
    "receipt",
    "rendered",
]

STATUSES: Final[Mapping[int, str]] = {
    1: "DELIVERY ATTEMPT PENDING",
    2: "DELIVERY IN PROGRESS",
    3: "BUFFERED",
    4: "DELIVERED",
    5: "FAILED",
    6: "EXPIRED",
    7: "CANCELED",
}
PENDING, IN_PROGRESS, BUFFERED, DELIVERED, FAILED, EXPIRED, CANCELED = STATUSES


@dataclass(frozen=True, slots=True)
class Sms:
    """One SMS of an endpoint. outward: to the device."""

    id: int
    sim: str
    outward: bool
    payload: str
    source: str
    source_type: int
    destination: str
    submitted: datetime
    status: int
    expires: datetime
    final: datetime | None = None
    dcs: int = 0
    udh: str = ""


def rendered(one: Sms, known: Mapping[str, Any]) -> dict[str, Any]:
    """Render an SMS as the API shows it; known: what the platform calls the SIM."""
    return {
        "id": one.id,
        "submit_date": fields.time(one.submitted),
        "delivery_date": fields.time(one.final) if one.status == DELIVERED and one.final else None,
        "expiry_date": fields.time(one.expires),
        "final_date": fields.time(one.final) if one.final else None,
        "retry_date": None,
        "last_delivery_attempt": None,
        "retry_count": "0",
        "gcp": "0",
        "pid": "0",
        "dcs": str(one.dcs),
        "source_address": one.source,
        "source_address_type": {
            "id": one.source_type,
            "description": fields.TYPE_WORDS[one.source_type],
        },
        "dest_address": one.destination,
        "msisdn": str(known["msisdn"]),
        "iccid": str(known["iccid"]),
        "udh": one.udh,
        "payload": one.payload,
        "status": {"id": one.status, "status": STATUSES[one.status]},
        "sms_type": {"id": 1, "description": "MT"}
        if one.outward
        else {"id": 2, "description": "MO"},
        "endpoint": _endpoint(known),
    }


def callback(
    one: Sms, known: Mapping[str, Any], organisation: int, concat: sms.Concat | None
) -> dict[str, Any]:
    """Render what the customer is told of an SMS, or of one part of one, from the device."""
    told = {
        "id": one.id,
        "payload": one.payload,
        "submit_date": _date(one.submitted),
        "source_address": one.source,
        "dest_address": one.destination,
        "dcs": 0,
        "pid": 0,
        "endpoint": _endpoint(known),
        "organisation": {"id": organisation},
    }
    if concat is not None:
        told["multi_part_info"] = {
            "identifier": concat.reference,
            "partno": concat.sequence,
            "total": concat.total,
        }
    return told


def receipt(one: Sms, known: Mapping[str, Any], organisation: int) -> dict[str, Any]:
    """Render what the customer is told of the end of an SMS to the device."""
    return {
        "id": one.id,
        "submit_date": _date(one.submitted),
        "final_date": _date(one.final) if one.final else None,
        "endpoint": _endpoint(known),
        "organisation": {"id": organisation},
        "status": {"id": one.status, "status": STATUSES[one.status]},
    }


def _endpoint(known: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": int(known["endpoint_id"]), "name": str(known["unique_name"])}


def _date(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")

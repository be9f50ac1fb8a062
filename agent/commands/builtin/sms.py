"""`sms`: sends one SMS; off by default."""

from __future__ import annotations

import sqlite3

from agent.commands.registry import Call, Handler, Outcome
from agent.payload.arguments import ArgSpec
from agent.sms.sender import NotSentError


async def _run(call: Call) -> Outcome:
    sending = call.services.sending
    recipient, text = str(call.args["to"]), str(call.args["text"])
    references: tuple[int, ...]
    trigger, failure = "sent", ""
    try:
        references = (await sending.transmit(recipient, text)).references
    except NotSentError as error:
        if not error.unknown and not error.references:
            return Outcome.error(str(error))
        # Part of it may be on its way, and telling it again would be worse than saying so.
        references, failure = error.references, str(error)
        trigger = "lose" if error.unknown else "fail"

    def book(db: sqlite3.Connection) -> None:
        sending.record(
            db,
            recipient,
            text,
            references=references,
            trigger=trigger,
            command=call.n,
            free=False,
        )

    await call.services.journal.commit(book, lazy=True)
    if failure:
        return Outcome.error(f"unknown: {failure}" if trigger == "lose" else failure)
    return Outcome.ok(parts=len(references))


SMS = Handler(
    name="sms",
    summary="sends an SMS",
    run=_run,
    arguments={
        "to": ArgSpec("string", required=True, phone=True),
        "text": ArgSpec("string", required=True),
    },
    resource="sending",
    timeout_s=3700.0,  # ten segments on the slowest network that still answers
)

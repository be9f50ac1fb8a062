"""The journal's tables and how older ones become today's."""

from __future__ import annotations

import sqlite3
from typing import Final

__all__ = ["PAGE_SIZE", "VERSION", "migrate"]

# One-KiB pages: a command's few small rows cost 29 KB on disk instead of 86 at SQLite's default.
PAGE_SIZE: Final = 1024

# Times are UTC ISO 8601 text with milliseconds, so that they sort and a person can read them.
_V1: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- One row for each SMS that was read from a modem: the evidence, and the parts that wait.
CREATE TABLE segments (
    n INTEGER PRIMARY KEY,
    received_at TEXT NOT NULL,
    sender TEXT NOT NULL,
    sent_at TEXT NOT NULL,      -- service-centre time stamp with its zone; '' where there is none
    reference INTEGER,          -- NULL for a message of one part
    wide INTEGER NOT NULL DEFAULT 0,   -- 1: 16-bit reference
    total INTEGER NOT NULL DEFAULT 1,
    sequence INTEGER NOT NULL DEFAULT 1,
    alphabet TEXT NOT NULL,
    language INTEGER NOT NULL DEFAULT 0,   -- locking * 256 + single shift table
    data BLOB NOT NULL,         -- user data, no header: septets one per byte, UTF-16BE, octets
    raw TEXT NOT NULL,          -- as read: the hex PDU, or the text-mode answer
    flags TEXT NOT NULL DEFAULT '',
    verdict TEXT,               -- part, repeat; NULL: the message's verdict speaks for it
    message INTEGER REFERENCES messages(n)
);
CREATE INDEX segments_identity ON segments (sender, reference, sequence);
CREATE INDEX segments_message ON segments (message);

-- One row for each whole message, on whatever channel: its verdict.
CREATE TABLE messages (
    n INTEGER PRIMARY KEY,
    received_at TEXT NOT NULL,
    id TEXT NOT NULL DEFAULT '',        -- the command's id, else the fingerprint
    channel TEXT NOT NULL,
    sender TEXT NOT NULL,
    platform TEXT NOT NULL DEFAULT '',
    sent_at TEXT NOT NULL DEFAULT '',
    text TEXT,
    data BLOB,
    verdict TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    detail TEXT NOT NULL DEFAULT '',
    command INTEGER REFERENCES commands(n)
);
CREATE INDEX messages_received ON messages (received_at);
CREATE INDEX messages_command ON messages (command);

-- One row for each command, refused ones too; `state` is the state of machines.COMMAND.
CREATE TABLE commands (
    n INTEGER PRIMARY KEY,
    space TEXT NOT NULL,        -- '' proven ids, 'open' unsigned ones of open platforms
    id TEXT NOT NULL,
    command TEXT NOT NULL DEFAULT '',
    canonical TEXT NOT NULL DEFAULT '',
    args TEXT NOT NULL DEFAULT '{}',
    state TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    detail TEXT NOT NULL DEFAULT '',
    result TEXT NOT NULL DEFAULT '{}',
    channel TEXT NOT NULL,
    platform TEXT NOT NULL DEFAULT '',
    sender TEXT NOT NULL DEFAULT '',
    reply_to TEXT NOT NULL DEFAULT '',
    route TEXT NOT NULL DEFAULT '',
    response TEXT NOT NULL DEFAULT '{}',    -- MQTT 5 Response Topic and Correlation Data
    key TEXT,                   -- signing key's id; NULL: unsigned
    free INTEGER NOT NULL DEFAULT 0,    -- 1: refused, or unsigned where a signature is asked for
    received_at TEXT NOT NULL,
    due_at TEXT,                -- wall clock, for absolute schedules
    due_boottime REAL,          -- seconds since the boot in boot_id, for delays
    delay_s REAL,               -- the delay itself: counted anew after a boot without a clock
    expires_at TEXT,
    next_boot INTEGER NOT NULL DEFAULT 0,
    boot_id TEXT,               -- of acceptance; from the start on: of the start
    started_at TEXT,
    finished_at TEXT,
    duplicates_told INTEGER NOT NULL DEFAULT 0,
    duplicate_told_at TEXT
);
-- Only an accepted command claims its id: a refused one cannot squat on it.
CREATE UNIQUE INDEX commands_id ON commands (space, id) WHERE state <> 'rejected';
CREATE INDEX commands_open ON commands (state)
    WHERE state IN ('received', 'accepted', 'scheduled', 'running');
CREATE INDEX commands_received ON commands (received_at);

-- What has to be told to whom; `state` is the state of machines.REPORT.
CREATE TABLE reports (
    n INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,         -- result, duplicate, received, sent
    channel TEXT NOT NULL,      -- sms, mqtt
    command INTEGER REFERENCES commands(n),
    message INTEGER REFERENCES messages(n),
    send INTEGER REFERENCES sends(n),
    platform TEXT NOT NULL DEFAULT '',      -- whoever is told: of a repeat, who repeated
    reply_to TEXT NOT NULL DEFAULT '',
    response TEXT NOT NULL DEFAULT '{}',
    state TEXT NOT NULL,
    created_at TEXT NOT NULL,
    not_before TEXT NOT NULL,
    fallback INTEGER NOT NULL DEFAULT 0,    -- 1: dropped when the MQTT report gets through first
    attempts INTEGER NOT NULL DEFAULT 0,
    waited_s REAL NOT NULL DEFAULT 0,       -- between the tries, by no clock that can be set
    error TEXT NOT NULL DEFAULT '',
    finished_at TEXT
);
CREATE INDEX reports_pending ON reports (channel, not_before) WHERE state = 'pending';
CREATE INDEX reports_command ON reports (command);

-- Every SMS that left, or should; `state` is the state of machines.SEND.
CREATE TABLE sends (
    n INTEGER PRIMARY KEY,
    id TEXT,                    -- the requester's id; NULL for reports
    recipient TEXT NOT NULL,
    text TEXT,
    data BLOB,
    want_report INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL,
    segments INTEGER NOT NULL DEFAULT 0,
    refs TEXT NOT NULL DEFAULT '[]',
    error TEXT NOT NULL DEFAULT '',
    free INTEGER NOT NULL DEFAULT 0,    -- 1: caused by an unsigned or refused message
    command INTEGER REFERENCES commands(n),
    created_at TEXT NOT NULL,
    finished_at TEXT
);
CREATE UNIQUE INDEX sends_id ON sends (id) WHERE id IS NOT NULL;
CREATE INDEX sends_open ON sends (state) WHERE state IN ('queued', 'sending');
CREATE INDEX sends_finished ON sends (finished_at);

CREATE TABLE counters (key TEXT NOT NULL, counter INTEGER NOT NULL, PRIMARY KEY (key, counter))
    WITHOUT ROWID;

CREATE TABLE properties (name TEXT PRIMARY KEY, value TEXT NOT NULL, applied_at TEXT NOT NULL)
    WITHOUT ROWID;

CREATE TABLE recovery (
    n INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    rung TEXT NOT NULL,
    cause TEXT NOT NULL,
    outcome TEXT NOT NULL DEFAULT ''
);
"""

# What ages, waits and budgets go by is elapsed time (elapsed.py): a wall clock can be set. Rows of
# before count from here on.
_V2: Final = """
ALTER TABLE segments ADD COLUMN elapsed_s REAL NOT NULL DEFAULT 0;   -- at received_at
ALTER TABLE messages ADD COLUMN elapsed_s REAL NOT NULL DEFAULT 0;
ALTER TABLE commands ADD COLUMN elapsed_s REAL NOT NULL DEFAULT 0;   -- at received_at, finished_at
ALTER TABLE commands ADD COLUMN duplicate_told_s REAL;
ALTER TABLE commands DROP COLUMN duplicate_told_at;
ALTER TABLE reports ADD COLUMN elapsed_s REAL NOT NULL DEFAULT 0;    -- at created_at, finished_at
ALTER TABLE reports ADD COLUMN due_s REAL NOT NULL DEFAULT 0;        -- not_before says it to people
ALTER TABLE reports DROP COLUMN waited_s;
ALTER TABLE sends ADD COLUMN elapsed_s REAL NOT NULL DEFAULT 0;      -- at created_at, finished_at
ALTER TABLE recovery ADD COLUMN elapsed_s REAL NOT NULL DEFAULT 0;   -- at `at`
DROP INDEX reports_pending;
CREATE INDEX reports_pending ON reports (channel, due_s) WHERE state = 'pending';
"""

# A number that cannot be reached waits by itself; due_s is elapsed time.
_V3: Final = """
ALTER TABLE sends ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sends ADD COLUMN due_s REAL NOT NULL DEFAULT 0;
"""

# What became of a message is kept with it; NULL: from before. A report of a repeat has its message.
_V4: Final = """
ALTER TABLE messages ADD COLUMN trace TEXT;     -- the checks made (agent/journal/trace.py)
ALTER TABLE messages ADD COLUMN untold TEXT;    -- why no report was planned of its command
"""

# Nothing reads a whole table: half a million messages are no reason to wait. History walks
# messages_told alone; what ends a command or a report adds one entry; the others hold what is rare.
_V5: Final = """
ALTER TABLE segments ADD COLUMN undeleted INTEGER NOT NULL DEFAULT 0;   -- 1: the modem still has it
CREATE INDEX segments_undeleted ON segments (message) WHERE undeleted = 1;
CREATE INDEX segments_apart ON segments (received_at)
    WHERE verdict = 'repeat' OR (verdict = 'part' AND message IS NULL);
DROP INDEX messages_received;
CREATE INDEX messages_told ON messages (received_at, channel, verdict, sender, id, command);
DROP INDEX commands_received;
CREATE INDEX commands_told ON commands (state, command)
    WHERE state NOT IN ('received', 'accepted', 'scheduled', 'running');
CREATE INDEX commands_unsigned ON commands (elapsed_s) WHERE reason = 'signature';
CREATE INDEX reports_told ON reports (command, message) WHERE state = 'undeliverable';
CREATE INDEX reports_message ON reports (message) WHERE message IS NOT NULL;
CREATE INDEX reports_send ON reports (send) WHERE send IS NOT NULL;
CREATE INDEX sends_command ON sends (command) WHERE command IS NOT NULL;
DROP INDEX sends_finished;
CREATE INDEX sends_elapsed ON sends (elapsed_s);
"""

# What is left of a command's time, counted from its receipt on, needs no wall clock.
_V6: Final = """
ALTER TABLE commands ADD COLUMN expires_s REAL;     -- elapsed time
"""

# A message handed over that was not read twice alike waits as a segment of its own verdict.
_V7: Final = """
DROP INDEX segments_apart;
CREATE INDEX segments_apart ON segments (received_at) WHERE verdict = 'repeat'
    OR (verdict IN ('part', 'unproven-read') AND message IS NULL);
"""

# Index i brings version i to i + 1.
_MIGRATIONS: Final = (_V1, _V2, _V3, _V4, _V5, _V6, _V7)
VERSION: Final = len(_MIGRATIONS)


def migrate(db: sqlite3.Connection, now: str) -> None:
    """Bring the file to today's version, each step in a transaction of its own.

    Raises sqlite3.OperationalError for a file from a newer version: it is not touched.
    """
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise sqlite3.OperationalError(
            f"written by a newer version (schema {version}, this one knows {VERSION})"
        )
    for step in range(version, VERSION):
        db.executescript(
            f"BEGIN IMMEDIATE;{_MIGRATIONS[step]};PRAGMA user_version={step + 1};COMMIT;"
        )
    if version == 0:
        db.execute("INSERT OR IGNORE INTO meta VALUES ('created_at', ?)", (now,))

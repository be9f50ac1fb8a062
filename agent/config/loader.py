"""Reads a configuration: text, shape, meaning, and every problem of all three."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.config.files import Files
from agent.config.model import Config, ConfigError, Problem, Secrets
from agent.config.paths import config_candidates, find_config
from agent.config.problems import Complaints
from agent.config.structure import structure
from agent.config.validation import meaning

_PLACE = re.compile(r"(.*) \(at (line [0-9]+, column [0-9]+|end of document)\)", re.DOTALL)

_COLUMN = re.compile(r"line ([0-9]+), column ([0-9]+)")


def load(
    path: Path | str | None = None,
    env: Mapping[str, str] = os.environ,
    *,
    secrets: Secrets = "needed",
) -> Config:
    """Read, check and freeze the configuration; None: the first of the usual places.

    Raises ConfigError with every problem found, never only the first.
    """
    path = Path(path) if path is not None else find_config(env)
    if path is None:
        places = " or ".join(str(candidate) for candidate in config_candidates(env))
        raise ConfigError(None, (Problem("--config", f"a configuration file ({places})", "none"),))
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        got = os.strerror(error.errno).lower() if error.errno else str(error)
        raise ConfigError(path, (Problem("file", "a file that can be read", got),)) from error
    except UnicodeDecodeError as error:
        got = f"the octet 0x{error.object[error.start]:02x} at offset {error.start}"
        raise ConfigError(path, (Problem("file", "UTF-8 text", got),)) from error
    return parse(text, path, env, secrets=secrets)


def parse(
    text: str,
    source: Path | None = None,
    env: Mapping[str, str] = os.environ,
    *,
    secrets: Secrets = "needed",
) -> Config:
    """Read a configuration from text; relative file names start at source's folder, else here.

    Raises ConfigError as load does.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        match = _PLACE.fullmatch(str(error))
        complaint, place = match.groups() if match else (str(error), "file")
        complaint = complaint[:1].lower() + complaint[1:]
        problem = Problem(place, "TOML", complaint + _misleading(text, place))
        raise ConfigError(source, (problem,)) from error
    except RecursionError:
        raise ConfigError(source, (Problem("file", "TOML", "too deep a nesting"),)) from None
    return load_document(document, source, env, secrets=secrets)


def _misleading(text: str, place: str) -> str:
    """Name the character at a place where it does not show what it is: a typographic quote, say."""
    at = _COLUMN.fullmatch(place)
    if at is None:
        return ""
    line, column = (int(number) for number in at.groups())
    character = text.split("\n")[line - 1][column - 1 : column]
    return "" if character.isascii() else f": U+{ord(character):04X}"


def load_document(
    document: Mapping[str, Any],
    source: Path | None,
    env: Mapping[str, str] = os.environ,
    *,
    secrets: Secrets = "needed",
) -> Config:
    """Load parsed TOML; raises ConfigError."""
    complaints = Complaints()
    sections = structure(document, complaints)
    base = source.absolute().parent if source is not None else Path.cwd()
    config = meaning(sections, source, Files(base, env, complaints, secrets), complaints)
    if complaints.errors or config is None:
        raise ConfigError(source, complaints.in_order(document))
    return config

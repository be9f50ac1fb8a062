"""All handlers of this installation: built in, installed, configured."""

from __future__ import annotations

from agent.config import Config
from agent.handlers import exec as configured
from agent.handlers import get as get_property
from agent.handlers import set as set_property
from agent.handlers.help import HELP
from agent.handlers.info import INFO
from agent.handlers.ping import PING
from agent.handlers.registry import Registry
from agent.handlers.status import STATUS

__all__ = ["build"]

BUILT_IN = (PING, HELP, INFO, STATUS)


def build(config: Config) -> Registry:
    """Return the registry for a configuration."""
    handlers = {handler.name: handler for handler in BUILT_IN}
    for kind in (get_property, set_property):
        handler = kind.from_config(config.properties)
        handlers[handler.name] = handler
    for name, command in config.commands.items():
        if command.exec:
            handlers[name] = configured.from_config(command)
    return Registry(handlers)

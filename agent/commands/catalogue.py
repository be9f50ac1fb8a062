"""All handlers of this installation: built in, installed, configured."""

from __future__ import annotations

from agent.commands import configured
from agent.commands.builtin import get as get_property
from agent.commands.builtin import set as set_property
from agent.commands.builtin.at import AT
from agent.commands.builtin.cancel import CANCEL
from agent.commands.builtin.help import HELP
from agent.commands.builtin.history import HISTORY
from agent.commands.builtin.info import INFO
from agent.commands.builtin.modem_reset import MODEM_RESET
from agent.commands.builtin.ping import PING
from agent.commands.builtin.reboot import REBOOT
from agent.commands.builtin.restart import RESTART
from agent.commands.builtin.sms import SMS
from agent.commands.builtin.status import STATUS
from agent.commands.registry import Handler, Registry
from agent.config.model import CommandConfig, Config
from agent.payload.arguments import check_spec

__all__ = ["build"]

BUILT_IN = (
    PING,
    HELP,
    INFO,
    STATUS,
    HISTORY,
    CANCEL,
    REBOOT,
    RESTART,
    MODEM_RESET,
    SMS,
    AT,
)
ENTRY_POINTS = "modem_agent.handlers"


class HandlerError(Exception):
    """An installed handler that cannot be used; name: the command's."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(reason)
        self.name = name


def build(config: Config) -> Registry:
    """Return the registry for a configuration."""
    handlers = {handler.name: handler for handler in BUILT_IN}
    for kind in (get_property, set_property):
        handler = kind.from_config(config.properties)
        handlers[handler.name] = handler
    for name, command in config.commands.items():
        if command.exec:
            handlers[name] = configured.from_config(command)
        elif name not in handlers:
            handlers[name] = _installed(command)
    return Registry(handlers)


def _installed(command: CommandConfig) -> Handler:
    """Load a handler that another distribution brings. Raises HandlerError."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - slow to import, seldom asked

    for point in entry_points(group=ENTRY_POINTS, name=command.name):
        try:
            loaded = point.load()
            handler = loaded if isinstance(loaded, Handler) else loaded(command)
        except (ImportError, AttributeError, LookupError, OSError, TypeError, ValueError) as error:
            raise HandlerError(
                command.name, f"{point.value} cannot be loaded: {type(error).__name__}: {error}"
            ) from error
        if not isinstance(handler, Handler) or handler.name != command.name:
            raise HandlerError(
                command.name,
                f"{point.value} must be an agent.commands.registry.Handler named {command.name}, "
                f"or a function that makes one of a CommandConfig",
            )
        for name, spec in handler.arguments.items():
            for problem in check_spec(spec):
                raise HandlerError(command.name, f"{point.value}: argument {name}: {problem}")
        return handler
    raise HandlerError(
        command.name, f"no installed handler {command.name} (entry-point group {ENTRY_POINTS})"
    )

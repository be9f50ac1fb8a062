"""TLS towards the broker; imported only where it is configured, as `ssl` costs memory."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from agent.channels.mqtt.retry import ConnectError, Failure

if TYPE_CHECKING:
    from pathlib import Path


class _TidySocket(ssl.SSLSocket):
    """Closes itself when its handshake fails; the MQTT library leaves that to the collector."""

    def do_handshake(self, block: bool = False) -> None:  # ssl's signature
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def client_context(ca: Path | None, cert: Path | None, key: Path | None) -> ssl.SSLContext:
    """A context that verifies the broker: by ca, else by the system's authorities.

    The files are readable. Raises ConnectError naming the setting whose content is no good.
    """
    try:
        context = ssl.create_default_context(cafile=ca)
    except ssl.SSLError as error:
        reason = f"mqtt.ca: {ca} holds no usable certificate ({error.reason or error})"
        raise ConnectError(Failure.DENIED, reason) from error
    if ca is not None:
        # Python 3.13 began to insist on extensions that private authorities often lack: a new
        # interpreter must not cut a gateway off. Signature, validity and host are checked as ever.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if cert is not None:
        try:
            # A password callback that gives none, or OpenSSL would ask at the terminal.
            context.load_cert_chain(cert, key, password=lambda: "")
        except ssl.SSLError as error:
            reason = f"mqtt.cert, mqtt.key: not a usable pair ({error.reason or error})"
            raise ConnectError(Failure.DENIED, reason) from error
    context.sslsocket_class = _TidySocket
    return context


def explained(where: str, error: OSError | ValueError) -> ConnectError | None:
    """What a failed handshake with `where` means; None where the error is not TLS's."""
    if isinstance(error, ssl.SSLCertVerificationError):
        detail = error.verify_message or str(error)
        reason = f"{where}: the broker's certificate was not accepted: {detail} (see mqtt.ca)"
        return ConnectError(Failure.DENIED, reason)
    if isinstance(error, ssl.SSLError):
        reason = f"{where}: no TLS: {error.reason or error} (is this the TLS port?)"
        return ConnectError(Failure.DENIED, reason)
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        reason = f"{where}: hung up during the TLS handshake (is this the TLS port?)"
        return ConnectError(Failure.UNREACHABLE, reason)
    return None

"""See whether a port is free, and say clearly who has it and what to do."""

from __future__ import annotations

import errno
import socket

import psutil

from include.errors import SetupFailed


def refuse_taken_port(port: int, variable: str, service: str, *, command: str = "make up") -> None:
    """Return when the port can be listened on.

    Raises:
        SetupFailed: somebody else has it; the message names the variable that moves us to another one.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OverflowError as error:
            raise SetupFailed(f"{port} is not a port for {service}; set {variable} to one below 65536") from error
        except OSError as error:
            if error.errno == errno.EACCES:
                raise SetupFailed(f"port {port} for {service} needs root; set {variable} to one above 1023") from error
            raise SetupFailed(
                f"port {port} for {service} is taken{_holder(port)}; stop that program, or choose another port:"
                f" {command} {variable}=…"
            ) from error


def _holder(port: int) -> str:
    """Return who listens there, where the system tells us."""
    try:
        for each in psutil.net_connections("tcp"):
            if each.laddr and each.laddr.port == port and each.status == psutil.CONN_LISTEN and each.pid:
                return f" by {psutil.Process(each.pid).name()} (pid {each.pid})"
    except psutil.Error:
        return ""
    return ""

"""A network backend that connects only where we may: the address is resolved, looked at, and then the one connected to.

Against requests that a receiver's address turns inward (SSRF). A host on private ground must be allowed by its name.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any

import httpcore2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


_NAT64 = IPv6Network("64:ff9b::/96")
"""RFC 6052: an IPv4 address in IPv6 clothes."""
_UNICAST = IPv6Network("2000::/3")
"""All that is assigned for the public net; the rest is local, or a disguise that leads somewhere else."""


class Forbidden(Exception):
    """The name leads to an address that notices are not sent to."""


class GuardedBackend(httpcore2.NetworkBackend):
    """Connects to public addresses, and to the private ones of hosts that the settings allow by name."""

    def __init__(self, allowed: Iterable[str], resolve: Callable[..., Sequence[Any]] = socket.getaddrinfo) -> None:
        """`allowed`: host names (or addresses, as they stand in the URL) that may be on private ground.

        `resolve`: as `socket.getaddrinfo`; asked once for each connection.
        """
        self._resolve = resolve
        self._allowed = frozenset(name.lower() for name in allowed)
        self._inner = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Resolve once, judge every address, connect to one of those very addresses."""
        try:
            found = self._resolve(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError(f"the host's name does not resolve: {error}") from error
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        if host.lower() not in self._allowed:
            inward = [address for address in addresses if not is_public(address)]
            if inward:
                # One inward address among public ones is a trap just the same.
                raise Forbidden("the host is on private ground: allow it by name in [alerts] allowed_private_hosts")
        last: Exception = httpcore2.ConnectError("the host has no address")
        for address in addresses:
            try:
                return self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as failed:
                last = failed
        raise last

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Never."""
        del path, timeout, socket_options
        raise Forbidden("notices are not sent to local sockets")


def is_public(address: str) -> bool:
    """Whether an address is one of the public net (also when it hides in an IPv6 address)."""
    found = ip_address(address.split("%", 1)[0])
    if found.is_multicast:
        return False
    if isinstance(found, IPv4Address):
        return found.is_global
    if found.teredo is not None:
        return False
    inner = found.ipv4_mapped or found.sixtofour
    if found in _NAT64:
        inner = IPv4Address(int(found) & 0xFFFF_FFFF)
    if inner is not None:
        return inner.is_global
    return found in _UNICAST and found.is_global

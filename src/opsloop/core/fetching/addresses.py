"""Which IP addresses may be connected to for somebody who could not reach all of them himself."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

# Said here, not left to `is_global` alone: what that knows differs between versions of Python.
_UNICAST_6 = ip_network("2000::/3")
# Ways to write an IPv4 address, or to lead to one, in an address of version 6 (RFC 4291, 6052, 8215, 3056, 4380);
# those that lie outside of 2000::/3 are refused with it.
_NOT_PUBLIC_6 = [
    ip_network(each)
    for each in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "2620:4f:8000::/48")  # RFC 6890, 9637, 7535
]
_NOT_PUBLIC_4 = [ip_network(each) for each in ("192.0.0.0/24", "192.88.99.0/24", "100.64.0.0/10")]
# Where clouds tell a machine its own keys: these are refused also where addresses inside are allowed.
_METADATA = frozenset(
    ip_address(each) for each in ("169.254.169.254", "fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "192.0.0.192")
)


def is_public(address: str) -> bool:
    """Whether it is one of the public web: none of this machine, of a private network, or of another meaning."""
    found = _parsed(address)
    if found.is_multicast or not found.is_global:
        return False
    if isinstance(found, IPv4Address):
        return not any(found in each for each in _NOT_PUBLIC_4)
    return found in _UNICAST_6 and not any(found in each for each in _NOT_PUBLIC_6)


def is_never_asked(address: str) -> bool:
    """Whether nobody has a reason to fetch from it: link-local, metadata of a cloud, no single machine's.

    A version 6 address that leads to a version 4 one is judged by that.
    """
    found = _parsed(address)
    if isinstance(found, IPv6Address) and (inner := _inside(found)) is not None:
        found = inner
    is_no_ones = found.is_unspecified or found.is_multicast or found.packed == b"\xff" * len(found.packed)
    return is_no_ones or found.is_link_local or found in _METADATA


def _inside(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if any(address in each for each in (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))):
        return IPv4Address(address.packed[-4:])
    is_compatible = address.packed[:12] == bytes(12) and int(address) > 1  # RFC 4291, 2.5.5.1; ::1 is the loopback
    return IPv4Address(address.packed[-4:]) if is_compatible else None


def _parsed(address: str) -> IPv4Address | IPv6Address:
    return ip_address(address.partition("%")[0])

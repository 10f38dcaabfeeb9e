//! Who may be reached at an address. A table of the ranges that are not the public internet, with
//! the IPv4 addresses that IPv6 ones carry taken out and looked at again.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::pattern::Access;

/// What an address leads to, from harmless to never. Of several readings the last one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// The internet.
    Public,
    /// This machine, this network, or a range that is nobody's.
    Private,
    /// A cloud's metadata service, which hands out the machine's own credentials.
    Metadata,
    /// No single host: unspecified, multicast, broadcast.
    Nowhere,
}

impl Reach {
    /// What the address leads to.
    pub(super) fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    /// Whether the access extends to it. Metadata needs a grant of exactly that address, which is
    /// looked at where addresses are written out in URLs: no name ever leads there.
    pub(super) fn is_within(self, access: Access) -> bool {
        match access {
            Access::Denied => false,
            Access::Public => self == Self::Public,
            Access::Private => self <= Self::Private,
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        if METADATA_V4.contains(&address) {
            return Self::Metadata;
        }
        let is_this_network = address.octets().starts_with(&[0]);
        if is_this_network || address.is_multicast() || address.is_broadcast() {
            return Self::Nowhere;
        }
        let bits = address.to_bits();
        let is_private = PRIVATE_V4.iter().any(|(network, length)| {
            bits.checked_shr(32 - length) == network.to_bits().checked_shr(32 - length)
        });
        if is_private { Self::Private } else { Self::Public }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        if METADATA_V6.contains(&address) {
            return Self::Metadata;
        }
        if address.is_unspecified() || address.is_multicast() {
            return Self::Nowhere;
        }
        let [a, b, c, d, e, f, g, h] = address.segments();
        let last = v4(g, h);
        match [a, b, c, d, e, f] {
            [0, 0, 0, 0, 0, 0xffff] => return Self::of_v4(last),
            // The NAT64 of networks without IPv4, where every name of the old internet is so.
            [0x64, 0xff9b, 0, 0, 0, 0] => return Self::of_v4(last),
            // A network's own NAT64, by whichever of the layouts it uses: not the internet.
            [0x64, 0xff9b, 1, ..] => {
                let middle = v4(d, (e & 0xff) << 8 | f >> 8);
                return Self::of_either(last, middle);
            }
            [0, 0, 0, 0, 0, 0] if last != Ipv4Addr::new(0, 0, 0, 1) => {
                return Self::Private.max(Self::of_v4(last));
            }
            // 6to4 and Teredo: tunnels that end at an address of the sender's choice.
            [0x2002, ..] => return Self::Private.max(Self::of_v4(v4(b, c))),
            [0x2001, 0, ..] => return Self::of_either(v4(c, d), v4(!g, !h)),
            _ => {}
        }
        let bits = address.to_bits();
        let is_private = PRIVATE_V6.iter().any(|(network, length)| {
            bits.checked_shr(128 - length) == network.to_bits().checked_shr(128 - length)
        });
        // Only 2000::/3 has been given out, so loopback, local and link addresses are all outside.
        if a & 0xe000 == 0x2000 && !is_private { Self::Public } else { Self::Private }
    }

    /// A tunnel to the one or to the other address, or to neither.
    fn of_either(one: Ipv4Addr, other: Ipv4Addr) -> Self {
        let is_metadata = METADATA_V4.contains(&one) || METADATA_V4.contains(&other);
        if is_metadata { Self::Metadata } else { Self::Private }
    }
}

/// The IPv4 address in two segments of an IPv6 one.
fn v4(high: u16, low: u16) -> Ipv4Addr {
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Ipv4Addr::new(a, b, c, d)
}

/// Metadata services by address: most clouds, containers of AWS (two), Alibaba, Oracle, Azure.
const METADATA_V4: [Ipv4Addr; 6] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 170, 2),
    Ipv4Addr::new(169, 254, 170, 23),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
    Ipv4Addr::new(168, 63, 129, 16),
];

/// The same over IPv6: AWS (two), Google.
const METADATA_V6: [Ipv6Addr; 3] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

/// Networks and the lengths of their prefixes, from IANA's registry of special addresses.
const PRIVATE_V4: [(Ipv4Addr, u32); 13] = [
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    // Carriers' NAT.
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    // Relays of 6to4.
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    // Benchmarks.
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    // Documentation.
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Reserved.
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The exceptions within 2000::/3.
const PRIVATE_V6: [(Ipv6Addr, u32); 3] = [
    // Protocol assignments: benchmarks, ORCHID, anycast services.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // Documentation.
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

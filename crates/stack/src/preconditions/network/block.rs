//! Blocks of IPv4 addresses. Functions have no IPv6 addresses: we never set `Ipv6AllowedForDualStack`.

use std::net::Ipv4Addr;

/// A block of addresses: `10.0.1.0/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    first: u32,
    /// Number of bits that all its addresses share.
    pub(super) length: u32,
}

/// Blocks that no address of a public service is in (RFC 1918, 6598, 3927, 1122).
const PRIVATE: [(Ipv4Addr, u32); 6] = [
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
];

impl Block {
    /// Returns the block that a text names; `None` if it is none of IPv4.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, length) = text.trim().split_once('/')?;
        let (address, length) =
            (address.parse::<Ipv4Addr>().ok()?, length.parse().ok().filter(|length| *length <= 32)?);
        Some(Self::of(address, length))
    }

    fn of(address: Ipv4Addr, length: u32) -> Self {
        Self { first: u32::from(address) & mask(length), length }
    }

    /// Returns `true` if an address is in the block.
    pub(super) fn has(self, address: Ipv4Addr) -> bool {
        u32::from(address) & mask(self.length) == self.first
    }

    /// Returns `true` if the blocks share an address: one of them is in the other.
    pub(super) fn meets(self, other: Self) -> bool {
        let mask = mask(self.length.min(other.length));
        self.first & mask == other.first & mask
    }

    /// Returns `true` if no public service has an address in the block.
    pub(super) fn is_private(self) -> bool {
        PRIVATE.iter().any(|(address, length)| self.length >= *length && Self::of(*address, *length).meets(self))
    }
}

fn mask(length: u32) -> u32 {
    u32::MAX.checked_shl(32 - length).unwrap_or(0)
}

/// Returns the address that a host is; `None` for a name, and for an address of IPv6.
pub(super) fn address(host: &str) -> Option<Ipv4Addr> {
    host.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_has_its_addresses_and_meets_those_that_share_some() {
        let block = |text: &str| Block::parse(text).unwrap();
        assert!(
            block("10.0.1.0/24").has(Ipv4Addr::new(10, 0, 1, 255))
                && !block("10.0.1.0/24").has(Ipv4Addr::new(10, 0, 2, 0))
        );
        assert!(block("0.0.0.0/0").has(Ipv4Addr::BROADCAST) && block("10.0.0.5/32").has(Ipv4Addr::new(10, 0, 0, 5)));
        assert!(block("10.0.0.5/16").meets(block("10.0.9.0/24")) && block("10.0.9.0/24").meets(block("10.0.0.0/16")));
        assert!(!block("10.1.0.0/16").meets(block("10.0.9.0/24")) && block("0.0.0.0/0").meets(block("1.2.3.4/32")));
        for (text, expected) in [
            ("10.0.0.0/8", true),
            ("10.9.0.0/16", true),
            ("172.31.0.0/16", true),
            ("192.168.1.7/32", true),
            ("8.0.0.0/6", false),
            ("0.0.0.0/0", false),
            ("172.32.0.0/16", false),
            ("52.94.0.0/16", false),
        ] {
            assert_eq!(block(text).is_private(), expected, "{text}");
        }
        for wrong in ["", "10.0.0.0", "10.0.0.0/33", "::/0", "10.0.0/8", "fd00::/8"] {
            assert_eq!(Block::parse(wrong), None, "{wrong}");
        }
    }
}

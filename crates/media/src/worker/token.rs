//! What the poll calls a worker's sockets.

use mio::Token;

pub(crate) const UDP: Token = Token(0);
pub(crate) const WAKER: Token = Token(1);
pub(crate) const LISTENER: Token = Token(2);
/// Tokens of ICE-TCP connections: from here by their slots.
pub(crate) const TCP_FIRST: usize = 1 << 16;
/// Tokens of plain transports: two for each slot of the table of transports.
const PLAIN_FIRST: usize = 1 << 24;

pub(crate) fn is_tcp(token: Token) -> bool {
    (TCP_FIRST..PLAIN_FIRST).contains(&token.0)
}

/// The socket of a plain transport, for RTP (or both) or for RTCP alone.
pub(crate) fn of_plain(key: u32, is_rtcp: bool) -> Token {
    Token(PLAIN_FIRST + 2 * key as usize + usize::from(is_rtcp))
}

/// The transport of a plain socket, and whether the socket is for RTCP alone.
pub(crate) fn plain_of(token: Token) -> Option<(u32, bool)> {
    let offset = token.0.checked_sub(PLAIN_FIRST)?;
    Some((u32::try_from(offset / 2).ok()?, offset % 2 == 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_sockets_token_leads_back_to_its_transport() {
        for (key, is_rtcp) in [(0, false), (0, true), (77, false), (4_095, true)] {
            assert_eq!(plain_of(of_plain(key, is_rtcp)), Some((key, is_rtcp)));
            assert!(!is_tcp(of_plain(key, is_rtcp)));
        }
        assert_eq!(plain_of(LISTENER), None);
    }
}

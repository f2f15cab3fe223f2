//! The lite agent: always controlled, never sends checks of its own, follows where it is nominated.

use std::time::Duration;

use taoyao_ortc::transport::IceParameters;
use taoyao_types::Instant;
use taoyao_types::limits::ICE_ADDRESSES_MAX;

use super::RemoteAddress;
use super::stun::{self, Class, Key, Message};

/// Without a valid check for this long the peer no longer wants what we send (RFC 7675, section 5.1).
pub const CONSENT_KEPT: Duration = Duration::from_secs(30);

/// One transport's agent.
pub struct Agent {
    local: Credentials,
    /// Those before a restart, until the new ones are used.
    previous: Option<Credentials>,
    /// Where valid checks came from; the one that was silent for longest makes room.
    reached: Vec<Reached>,
    selected: Option<RemoteAddress>,
    is_nominated: bool,
    last_check: Option<Instant>,
    is_lost: bool,
}

struct Credentials {
    ufrag: String,
    key: Key,
}

struct Reached {
    address: RemoteAddress,
    last_check: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IceState {
    /// No valid check yet.
    New,
    /// There is an address; none is nominated yet.
    Connected,
    /// The peer has nominated an address.
    Completed,
    /// No valid check for [`CONSENT_KEPT`].
    Disconnected,
}

/// What came of a datagram.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Bytes of the answer in `out`, for the source of the request; 0: none.
    pub answer: usize,
    /// An address that is the peer's from now on.
    pub reached: Option<RemoteAddress>,
    /// An address that is the peer's no longer.
    pub left: Option<RemoteAddress>,
    /// Where we send to has changed.
    pub is_moved: bool,
    /// Why it was not followed.
    pub refusal: Option<Refusal>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No request of a check, cut short, or without user name or signature.
    Malformed,
    /// Not for us, or not signed with our password.
    Forged,
    /// The peer believes to be controlled; so are we.
    RoleConflict,
    /// It holds an attribute that must be understood.
    UnknownAttribute,
}

impl Agent {
    pub fn new(local: &IceParameters) -> Agent {
        Agent {
            local: Credentials::new(local),
            previous: None,
            reached: Vec::new(),
            selected: None,
            is_nominated: false,
            last_check: None,
            is_lost: false,
        }
    }

    /// New credentials. The old ones stay valid until the new ones are used (RFC 8445, section 9).
    /// Returns the user name fragment that is valid no longer, if that is not the first restart in a row.
    pub fn restart(&mut self, local: &IceParameters) -> Option<String> {
        let old = std::mem::replace(&mut self.local, Credentials::new(local));
        self.previous.replace(old).map(|forgotten| forgotten.ufrag)
    }

    /// Takes a STUN datagram. An answer, if any, is written to `out` of at least [`stun::ANSWER_BYTES_MAX`] bytes.
    pub fn handle(
        &mut self,
        now: Instant,
        source: RemoteAddress,
        datagram: &[u8],
        out: &mut [u8],
    ) -> Outcome {
        let Some(message) = Message::read(datagram) else {
            return refused(Refusal::Malformed, 0);
        };
        match message.class {
            Class::Request => self.handle_request(now, source, &message, out),
            // Indications keep bindings of NATs alive; we ask nothing, so that answers are nobody's.
            Class::Indication => Outcome::default(),
            Class::Success | Class::Error => refused(Refusal::Malformed, 0),
        }
    }

    /// Where to send; none before the first valid check.
    pub fn selected(&self) -> Option<RemoteAddress> {
        self.selected
    }

    /// Whether a valid check came from there.
    pub fn knows(&self, address: RemoteAddress) -> bool {
        self.selected == Some(address) || self.reached.iter().any(|reached| reached.address == address)
    }

    /// All addresses of the peer.
    pub fn addresses(&self) -> impl Iterator<Item = RemoteAddress> {
        self.reached.iter().map(|reached| reached.address)
    }

    pub fn state(&self) -> IceState {
        match (self.is_lost, self.selected, self.is_nominated) {
            (true, _, _) => IceState::Disconnected,
            (_, None, _) => IceState::New,
            (_, Some(_), false) => IceState::Connected,
            (_, Some(_), true) => IceState::Completed,
        }
    }

    /// When consent ends unless another check comes.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.is_lost { None } else { self.last_check.map(|at| at + CONSENT_KEPT) }
    }

    /// Whether consent has just ended.
    pub fn handle_timeout(&mut self, now: Instant) -> bool {
        let has_ended = self.poll_timeout().is_some_and(|end| now >= end);
        self.is_lost |= has_ended;
        has_ended
    }

    fn handle_request(
        &mut self,
        now: Instant,
        source: RemoteAddress,
        request: &Message<'_>,
        out: &mut [u8],
    ) -> Outcome {
        let transaction = request.transaction;
        let Some((local, _)) = request.username().and_then(|name| name.split_once(':')) else {
            return refused(Refusal::Malformed, stun::write_error(transaction, 400, None, None, out));
        };
        if !request.has_integrity() {
            return refused(Refusal::Malformed, stun::write_error(transaction, 400, None, None, out));
        }
        let Some((key, is_new_session)) = self.verify(local, request) else {
            return refused(Refusal::Forged, stun::write_error(transaction, 401, None, None, out));
        };
        if let Some(kind) = request.unknown_attribute() {
            let answer = stun::write_error(transaction, 420, Some(kind), Some(key), out);
            return refused(Refusal::UnknownAttribute, answer);
        }
        if request.is_of_controlled() {
            return refused(Refusal::RoleConflict, stun::write_error(transaction, 487, None, Some(key), out));
        }
        let answer = stun::write_success(transaction, source.addr, key, out);
        if is_new_session {
            self.previous = None;
            self.is_nominated = false;
        }
        self.last_check = Some(now);
        let (reached, left) = self.note(now, source);
        let is_moved = self.follow(source, request.has_use_candidate());
        Outcome { answer, reached, left, is_moved, refusal: None }
    }

    /// The key that a request is signed with, and whether it is the first use of new credentials.
    fn verify(&self, local: &str, request: &Message<'_>) -> Option<(&Key, bool)> {
        if local == self.local.ufrag && request.is_signed_with(&self.local.key) {
            return Some((&self.local.key, self.previous.is_some()));
        }
        let previous = self.previous.as_ref()?;
        let is_good = local == previous.ufrag && request.is_signed_with(&previous.key);
        is_good.then_some((&previous.key, false))
    }

    fn note(
        &mut self,
        now: Instant,
        source: RemoteAddress,
    ) -> (Option<RemoteAddress>, Option<RemoteAddress>) {
        if let Some(reached) = self.reached.iter_mut().find(|reached| reached.address == source) {
            reached.last_check = now;
            return (None, None);
        }
        let left = if self.reached.len() >= ICE_ADDRESSES_MAX { self.leave_the_most_silent() } else { None };
        self.reached.push(Reached { address: source, last_check: now });
        (Some(source), left)
    }

    /// The selected one stays: it is in use.
    fn leave_the_most_silent(&mut self) -> Option<RemoteAddress> {
        let others =
            self.reached.iter().enumerate().filter(|(_, reached)| Some(reached.address) != self.selected);
        let (at, _) = others.min_by_key(|(_, reached)| reached.last_check)?;
        Some(self.reached.swap_remove(at).address)
    }

    /// The first address serves until one is nominated; the last nominated one wins. Returns whether it has changed.
    fn follow(&mut self, source: RemoteAddress, is_nominating: bool) -> bool {
        if !is_nominating && self.is_nominated {
            return false;
        }
        // Between two restarts the address in use stays until another one answers.
        self.is_nominated |= is_nominating;
        self.selected.replace(source) != Some(source)
    }
}

impl Credentials {
    fn new(parameters: &IceParameters) -> Credentials {
        Credentials { ufrag: parameters.username_fragment.clone(), key: Key::new(&parameters.password) }
    }
}

fn refused(refusal: Refusal, answer: usize) -> Outcome {
    Outcome { answer, refusal: Some(refusal), ..Outcome::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ice::stun::{Check, WRITTEN_BYTES_MAX};
    use crate::ice::ufrag_of;

    fn parameters(ufrag: &str, password: &str) -> IceParameters {
        IceParameters { username_fragment: ufrag.into(), password: password.into(), ice_lite: true }
    }

    fn agent() -> Agent {
        Agent::new(&parameters("ours", "secret"))
    }

    fn from(port: u16) -> RemoteAddress {
        RemoteAddress { addr: ([192, 0, 2, 1], port).into(), is_tcp: false }
    }

    fn at(seconds: u64) -> Instant {
        Instant(seconds * 1_000_000)
    }

    fn check(username: &str, password: &str, is_nominating: bool) -> Vec<u8> {
        let mut out = [0; WRITTEN_BYTES_MAX];
        let check = Check { transaction: [3; 12], username, priority: 1, tie_breaker: 2, is_nominating };
        let len = stun::write_check(&check, &Key::new(password), &mut out);
        out[..len].to_vec()
    }

    fn send(agent: &mut Agent, now: Instant, source: RemoteAddress, datagram: &[u8]) -> (Outcome, Vec<u8>) {
        let mut out = [0; WRITTEN_BYTES_MAX];
        let outcome = agent.handle(now, source, datagram, &mut out);
        (outcome, out[..outcome.answer].to_vec())
    }

    fn error_of(answer: &[u8]) -> Option<u16> {
        Message::read(answer).and_then(|message| message.error_code())
    }

    #[test]
    fn a_valid_check_is_answered_and_its_address_selected() {
        let mut agent = agent();
        let datagram = check("ours:theirs", "secret", false);
        assert_eq!(ufrag_of(&datagram), Some("ours"));
        let (outcome, answer) = send(&mut agent, at(1), from(9), &datagram);
        assert_eq!((outcome.reached, outcome.is_moved, outcome.refusal), (Some(from(9)), true, None));
        let answer = Message::read(&answer).unwrap();
        assert_eq!((answer.class, answer.mapped_address()), (Class::Success, Some(from(9).addr)));
        assert!(answer.is_signed_with(&Key::new("secret")));
        assert_eq!((agent.selected(), agent.state()), (Some(from(9)), IceState::Connected));
        let (again, _) = send(&mut agent, at(2), from(9), &check("ours:theirs", "secret", true));
        assert_eq!((again.reached, again.is_moved), (None, false));
        assert_eq!(agent.state(), IceState::Completed);
    }

    #[test]
    fn a_wrong_password_or_user_name_changes_nothing() {
        let mut agent = agent();
        for datagram in [check("ours:theirs", "guess", true), check("others:theirs", "secret", true)] {
            let (outcome, answer) = send(&mut agent, at(1), from(9), &datagram);
            assert_eq!(outcome.refusal, Some(Refusal::Forged));
            assert_eq!(error_of(&answer), Some(401));
            assert!(answer.len() < datagram.len(), "an answer to a stranger is no amplifier");
        }
        assert_eq!((agent.selected(), agent.state(), agent.poll_timeout()), (None, IceState::New, None));
    }

    #[test]
    fn a_check_of_a_controlled_agent_is_a_role_conflict() {
        let mut agent = Agent::new(&parameters("evtj", "VOkJxbRl1RmTxUk/WvJxBt"));
        let sample = "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74\
                      002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020\
                      000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf";
        let bytes: Vec<u8> = (0..sample.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&sample[at..at + 2], 16).unwrap())
            .collect();
        let (outcome, answer) = send(&mut agent, at(1), from(9), &bytes);
        assert_eq!((outcome.refusal, error_of(&answer)), (Some(Refusal::RoleConflict), Some(487)));
        assert_eq!(agent.selected(), None);
    }

    #[test]
    fn garbage_is_refused_without_an_answer() {
        let mut agent = agent();
        let good = check("ours:theirs", "secret", true);
        for cut in 0..good.len() {
            assert_eq!(send(&mut agent, at(1), from(9), &good[..cut]).0.refusal, Some(Refusal::Malformed));
        }
        for byte in 0..good.len() {
            let mut bad = good.clone();
            bad[byte] ^= 0x41;
            assert!(send(&mut agent, at(1), from(9), &bad).0.refusal.is_some(), "byte {byte}");
        }
        assert_eq!(agent.selected(), None);
    }

    #[test]
    fn the_last_nomination_is_followed_and_other_checks_are_not() {
        let mut agent = agent();
        send(&mut agent, at(1), from(1), &check("ours:theirs", "secret", true));
        send(&mut agent, at(2), from(2), &check("ours:theirs", "secret", false));
        assert_eq!(agent.selected(), Some(from(1)));
        let (outcome, _) = send(&mut agent, at(3), from(2), &check("ours:theirs", "secret", true));
        assert!(outcome.is_moved);
        assert_eq!(agent.selected(), Some(from(2)));
        assert!(agent.knows(from(1)) && agent.knows(from(2)) && !agent.knows(from(3)));
    }

    #[test]
    fn old_credentials_are_valid_until_new_ones_are_used() {
        let mut agent = agent();
        send(&mut agent, at(1), from(1), &check("ours:theirs", "secret", true));
        assert_eq!(agent.restart(&parameters("new", "fresh")), None);
        assert!(send(&mut agent, at(2), from(1), &check("ours:theirs", "secret", true)).0.refusal.is_none());
        assert!(send(&mut agent, at(3), from(2), &check("new:theirs", "fresh", false)).0.is_moved);
        let late = send(&mut agent, at(4), from(1), &check("ours:theirs", "secret", true)).0;
        assert_eq!(late.refusal, Some(Refusal::Forged));
        assert_eq!(agent.selected(), Some(from(2)));
    }

    #[test]
    fn two_restarts_in_a_row_end_the_first_credentials() {
        let mut agent = agent();
        assert_eq!(agent.restart(&parameters("second", "2")), None);
        assert_eq!(agent.restart(&parameters("third", "3")).as_deref(), Some("ours"));
        assert!(send(&mut agent, at(1), from(1), &check("second:x", "2", true)).0.refusal.is_none());
        assert!(send(&mut agent, at(1), from(1), &check("ours:x", "secret", true)).0.refusal.is_some());
    }

    #[test]
    fn consent_ends_thirty_seconds_after_the_last_check() {
        let mut agent = agent();
        send(&mut agent, at(10), from(1), &check("ours:theirs", "secret", true));
        send(&mut agent, at(15), from(1), &check("ours:theirs", "secret", false));
        assert_eq!(agent.poll_timeout(), Some(at(45)));
        assert!(!agent.handle_timeout(at(44)));
        assert!(agent.handle_timeout(at(45)));
        assert_eq!((agent.state(), agent.poll_timeout()), (IceState::Disconnected, None));
        assert!(!agent.handle_timeout(at(46)), "it ends once");
    }

    #[test]
    fn a_wanderer_leaves_its_oldest_addresses_behind() {
        let mut agent = agent();
        for port in 1..=ICE_ADDRESSES_MAX as u16 {
            let outcome =
                send(&mut agent, at(port.into()), from(port), &check("ours:theirs", "secret", port == 1)).0;
            assert_eq!(outcome.left, None);
        }
        let outcome = send(&mut agent, at(99), from(99), &check("ours:theirs", "secret", false)).0;
        assert_eq!((outcome.reached, outcome.left), (Some(from(99)), Some(from(2))), "1 is in use");
        assert_eq!(agent.addresses().count(), ICE_ADDRESSES_MAX);
    }
}

//! What one terminal noted, and what of it the mesh must never let happen.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A terminal gives up after this long (reference section 2.6).
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// What a machine that is busy with other things may add to that. Nodes keep a deadline of 4.75 s; a request that misses it
/// for any other reason waits for far longer.
const GRACE: Duration = Duration::from_secs(2);

/// The words by which a failure of the mesh is known; `client::status` answers without a body where nobody is known.
const NAMED: [&str; 6] =
    ["unreachable at ", "interrupted at ", "busy at ", "终端没有响应", "邀请对象无效", NOBODY];
/// What is noted of a status without a body.
pub(crate) const NOBODY: &str = "no such terminal";

/// One terminal's notes, over all its connections.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// The numbers that each sender sent, in the order in which they came.
    pub(crate) heard: BTreeMap<String, Vec<u64>>,
    /// Who is there, by the ids that this terminal is shown.
    pub(crate) sees: BTreeSet<String>,
    /// Everybody whom it was told to be offline, ever, and how long after it was made.
    pub(crate) told_offline: BTreeMap<String, Duration>,
    pub(crate) requests: Vec<Asked>,
    pub(crate) registrations: u32,
}

/// A request and how it ended.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) what: &'static str,
    pub(crate) to: String,
    pub(crate) end: End,
    pub(crate) took: Duration,
    /// How long this process stood still meanwhile; nobody can be punctual for a clock that does.
    pub(crate) stalled: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    Answered,
    /// With the text of its error.
    Refused(String),
    /// The connection ended before: the node was killed.
    Lost,
    /// Neither answer nor refusal.
    Silence,
}

impl Notes {
    pub(crate) fn count(&self, is_wanted: impl Fn(&End) -> bool) -> usize {
        self.requests.iter().filter(|asked| is_wanted(&asked.end)).count()
    }

    /// Everything that is wrong with them, in sentences.
    pub(crate) fn faults(&self, own: &str) -> Vec<String> {
        let numbers = self.heard.iter().flat_map(|(from, numbers)| out_of_order(from, numbers));
        let requests = self.requests.iter().filter_map(Asked::fault);
        numbers.chain(requests).map(|fault| format!("{own} {fault}")).collect()
    }
}

/// A sender counts up, so a number that is not above the one before came twice or was overtaken.
fn out_of_order(from: &str, numbers: &[u64]) -> Vec<String> {
    let pairs = numbers.windows(2).filter(|pair| pair[0] >= pair[1]);
    pairs.map(|pair| format!("heard {} and then {} from {from}", pair[0], pair[1])).collect()
}

impl Asked {
    fn fault(&self) -> Option<String> {
        let Self { what, to, end, took, stalled } = self;
        let is_named = |text: &String| NAMED.iter().any(|name| text.contains(name));
        let wrong = match end {
            End::Silence => "was not answered at all".to_owned(),
            End::Answered | End::Refused(_) if *took > ANSWER_WITHIN + GRACE + *stalled => {
                format!("was answered only after {took:?}: {end:?}")
            }
            End::Refused(text) if !is_named(text) => format!("was refused without a reason: {text}"),
            End::Answered | End::Refused(_) | End::Lost => return None,
        };
        Some(format!("asked {what} of {to}, which {wrong}"))
    }
}

#[test]
fn a_number_that_comes_twice_or_too_late_is_noticed() {
    assert_eq!(out_of_order("a", &[1, 2, 5]), [""; 0]);
    assert_eq!(out_of_order("a", &[1, 2, 2]).len(), 1);
    assert_eq!(out_of_order("a", &[1, 5, 2, 6]).len(), 1);
}

#[test]
fn late_silent_and_nameless_ends_are_noticed() {
    let asked = |end: End, seconds| Asked {
        what: "a call",
        to: "b".to_owned(),
        end,
        took: Duration::from_secs(seconds),
        stalled: Duration::from_secs(1),
    };
    let refused = |text: &str| End::Refused(text.to_owned());
    assert_eq!(asked(End::Answered, 1).fault(), None);
    assert_eq!(asked(refused("服务无效：unreachable at cn/east: gone"), 1).fault(), None);
    assert_eq!(asked(End::Lost, 9).fault(), None);
    assert!(asked(End::Answered, 9).fault().is_some());
    assert!(asked(refused("服务错误"), 1).fault().is_some());
    assert!(asked(End::Silence, 9).fault().is_some());
}

//! The place of the soak: its length and size, and seven nodes with their accounts.

use std::env;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::mesh::Mesh;
use crate::ports;
use crate::shape::SEVEN;

/// Terminals connect here.
pub(super) const SITES: [&str; 4] = ["sh", "hz", "bj", "tj"];
/// Accounts that mean no good. Three together could fill a list of alarms if each had more than its share.
pub(super) const MALLORIES: usize = 3;
/// Their partition; it has no people, whom everything that is told there would reach as well.
pub(super) const ELSEWHERE: &str = "elsewhere.cn";
/// The account of one camera that reports a fire, once.
pub(super) const FIRE: &str = "fire";
/// Files of this process besides its terminals.
const OTHER_FILES: u64 = 1_000;

/// Length and size of a soak.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) calm: Duration,
    pub(super) storm: Duration,
    pub(super) terminals: usize,
    pub(super) accounts: usize,
    /// A 99th percentile below it is good whatever it was before: a machine that does other things makes such numbers.
    pub(super) floor: Duration,
    /// Between two rounds of one kind by one of those who do mischief: the machine is theirs and the people's.
    pub(super) pause: Duration,
    /// Only this mischief is done, if any is named: to find out which one it is that does harm.
    pub(super) mischief: Vec<String>,
}

impl Plan {
    /// The quick form, or the one that `SOAK_MINUTES`, `SOAK_TERMINALS` and `SOAK_ACCOUNTS` describe.
    pub(super) fn from_environment() -> Self {
        let minutes = number("SOAK_MINUTES");
        let total = minutes.map_or(Duration::from_secs(32), |minutes| Duration::from_secs(60 * minutes));
        let calm = if minutes.is_some() { total / 4 } else { Duration::from_secs(12) };
        let size = |name, quick| number(name).map_or(quick, |number| usize::try_from(number).unwrap());
        let mischief = env::var("SOAK_MISCHIEF").unwrap_or_default();
        Self {
            calm,
            storm: total - calm,
            terminals: size("SOAK_TERMINALS", 60),
            accounts: size("SOAK_ACCOUNTS", 10),
            floor: Duration::from_millis(if minutes.is_some() { 50 } else { 2_000 }),
            pause: Duration::from_millis(if minutes.is_some() { 200 } else { 400 }),
            mischief: mischief.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        }
    }

    /// Between two things that one terminal does: some hundred in a second, of however many terminals.
    pub(super) fn pace(&self) -> Duration {
        Duration::from_millis((self.terminals as u64 * 2).clamp(400, 4_000))
    }

    /// The number of those who do each mischief.
    pub(super) fn strength(&self) -> usize {
        1 + self.terminals / 250
    }
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{name}={text}: {error}")))
}

/// The name of one of the people's accounts.
pub(super) fn account(number: usize) -> String {
    format!("person-{number}")
}

/// The name of one of the other accounts.
pub(super) fn mallory(number: usize) -> String {
    format!("mallory-{}", number % MALLORIES)
}

/// Seven nodes that carry media where there are rooms, and everybody's accounts.
pub(super) async fn start(plan: &Plan) -> Mesh {
    allow_files(plan);
    let mut mesh = Mesh::plan(SEVEN);
    // Terminals of their own attach everywhere, and their rooms are at the root.
    mesh.change_all("\"mobile.cn\"]", &format!("\"mobile.cn\", \"{ELSEWHERE}\"]"));
    for node in SITES.into_iter().chain(["cn"]) {
        let name = format!("name = \"{node}\"\n");
        let media = format!("media = {{ listen = \"127.0.0.1:{}\", workers = 1 }}\n", ports::free());
        mesh.change(&name, &format!("{name}{media}"));
    }
    let people = (0..plan.accounts).map(account);
    let others = (0..MALLORIES).map(mallory);
    for name in people.chain(others).chain([FIRE.to_owned()]) {
        // Terminals of the people roam.
        mesh.add_account(&name, &["--anywhere"]);
    }
    mesh.start_all().await;
    mesh
}

/// Lets this process open as many files as its terminals need.
fn allow_files(plan: &Plan) {
    let wanted = plan.terminals as u64 + OTHER_FILES;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < wanted) {
        let raised = Rlimit { current: limit.maximum, ..limit };
        setrlimit(Resource::Nofile, raised).unwrap();
        let allowed = limit.maximum.unwrap_or(u64::MAX);
        assert!(allowed >= wanted, "{wanted} open files are needed, {allowed} are allowed (ulimit -Hn)");
    }
}

//! What a registered terminal takes that says nothing: TLS, WebSocket, directory and all.

use std::fs;
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use super::Plan;
use super::error::BenchError;
use super::figure::{Figure, Target, Unit};
use super::site::Site;
use super::terminal::{Terminal, tls};

const TERMINALS: usize = 5_000;
/// Terminals that see each other. What they tell each other when they come is not idle, and grows with its square.
const PER_PARTITION: usize = 50;
/// Descriptors that the node and the benchmark need besides the terminals' sockets.
const OTHER_FILES: usize = 200;
/// After the last registration: whatever is still on its way arrives.
const SETTLE: Duration = Duration::from_secs(2);

pub(super) fn measure(plan: &Plan) -> Result<Vec<Figure>, BenchError> {
    let count = plan.count(TERMINALS);
    let files = files_max();
    if files < count + OTHER_FILES {
        let needed = count + OTHER_FILES;
        return Err(BenchError::Lacking(format!(
            "{count} terminals need {needed} open files and {files} are allowed: `ulimit -n {needed}` first"
        )));
    }
    let partitions = count.div_ceil(PER_PARTITION);
    let names: Vec<String> = (0..partitions).map(|number| format!("\"p{number}.n1\"")).collect();
    let owned = format!("partitions = [\"n1\", {}]", names.join(", "));
    let site = Site::line(1, "policy = { between_partitions = [] }\n", &owned)?;
    let mut node = site.start(plan, "n1")?;
    site.wait_ready("n1", &mut node)?;
    let tls = tls(&site.topology.certs().authority())?;
    let register = |number: usize| -> Result<TcpStream, BenchError> {
        let name = format!("t{number}@p{}.n1", number % partitions);
        Ok(Terminal::register(site.terminals("n1"), &tls, &name)?.into_socket())
    };
    let _first = register(0)?;
    sleep(SETTLE);
    let before = node.resident_bytes()?;
    let sockets = (1..=count).map(register).collect::<Result<Vec<_>, BenchError>>()?;
    sleep(SETTLE);
    node.check()?;
    let grown = node.resident_bytes()?.saturating_sub(before);
    let held = site.status("n1")?.terminals;
    if held != count as u64 + 1 {
        return Err(BenchError::Answer(format!("{held} of {} terminals are registered", count + 1)));
    }
    drop(sockets);
    let each = vec![grown as f64 / count as f64];
    let name = format!("{count} idle terminals, resident each");
    Ok(vec![Figure::new(name, Unit::Bytes, Some(Target::AtMost(24.0 * 1024.0)), each)])
}

/// How many files this process, and so its children, may open.
fn files_max() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next());
    // "unlimited", or a system without /proc.
    soft.and_then(|text| text.parse().ok()).unwrap_or(usize::MAX)
}

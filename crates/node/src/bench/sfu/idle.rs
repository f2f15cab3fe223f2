//! What a consumer takes that is sent nothing: ICE, DTLS, SRTP, congestion control and a paused consumer. The other ends are in
//! a process of their own.

use std::io::{BufRead, BufReader, Write, stdin, stdout};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use taoyao_media::load::Link;
use taoyao_media::peer::Certificate;
use taoyao_ortc::{DtlsParameters, Fingerprint, IceParameters, TransportId};

use super::super::Plan;
use super::super::error::{BenchError, io};
use super::super::figure::{Figure, Target, Unit};
use super::own;
use super::room::{Room, load};

const CONSUMERS: usize = 1_000;
/// Connected and counted before: what the first ones bring along is not counted.
const FIRST: usize = 20;
const BYTES_MAX: f64 = 40.0 * 1024.0;
/// Handshakes that are under way at the same time.
const TOGETHER: usize = 50;
/// Whatever the handshakes left to be done is done then.
const SETTLE: Duration = Duration::from_secs(3);
/// How often the idle ends look at their clocks.
const PAUSE: Duration = Duration::from_millis(100);

/// Ends to connect, as a line of JSON.
#[derive(Serialize, Deserialize)]
struct Told {
    to: std::net::SocketAddr,
    ends: Vec<(IceParameters, DtlsParameters)>,
}

/// The process with the other ends.
struct Ends {
    child: Child,
    say: ChildStdin,
    hear: BufReader<ChildStdout>,
}

pub(in super::super) fn measure(plan: &Plan) -> Result<Vec<Figure>, BenchError> {
    let count = plan.count(CONSUMERS);
    let mut ends = Ends::start(plan)?;
    let fingerprint: Fingerprint = ends.read()?;
    let mut room = Room::open()?;
    let mut connect = |room: &mut Room, count: usize| -> Result<Vec<TransportId>, BenchError> {
        let (ids, told) = room.invite(count, &fingerprint)?.into_iter().unzip();
        ends.tell(&Told { to: room.address(), ends: told })?;
        let _connected: bool = ends.read()?;
        Ok(ids)
    };
    let first = connect(&mut room, FIRST)?;
    let producer = room.produce(first[0], load::video())?;
    let consume = |room: &mut Room, ids: Vec<TransportId>| -> Result<(), BenchError> {
        ids.into_iter().try_for_each(|id| room.consume(id, producer).map(|_| ()))
    };
    consume(&mut room, first)?;
    sleep(SETTLE);
    let before = own::resident_bytes()?;
    for start in (0..count).step_by(TOGETHER) {
        let ids = connect(&mut room, TOGETHER.min(count - start))?;
        consume(&mut room, ids)?;
    }
    sleep(SETTLE);
    let grown = own::resident_bytes()?.saturating_sub(before);
    let each = vec![grown as f64 / count as f64];
    let name = format!("{count} idle consumers, resident each");
    Ok(vec![Figure::new(name, Unit::Bytes, Some(Target::AtMost(BYTES_MAX)), each)])
}

/// The process with the other ends: connects those that it is told of and keeps them, until nobody tells it anything any more.
///
/// # Errors
/// See [`BenchError`].
pub fn run_ends() -> Result<(), BenchError> {
    let certificate = Certificate::generate().map_err(|error| BenchError::Lacking(error.to_string()))?;
    answer(certificate.fingerprint())?;
    let (sender, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in stdin().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let mut links = Vec::new();
    loop {
        match told.recv_timeout(PAUSE) {
            Ok(line) => {
                let told: Told =
                    serde_json::from_str(&line).map_err(|error| BenchError::Answer(error.to_string()))?;
                links.extend(Link::connect(told.to, &certificate, &told.ends)?);
                answer(&true)?;
            }
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return Ok(()),
        }
        links.iter_mut().for_each(Link::rest);
    }
}

fn answer(what: &impl Serialize) -> Result<(), BenchError> {
    let mut line = serde_json::to_string(what).map_err(|error| BenchError::Answer(error.to_string()))?;
    line.push('\n');
    stdout().write_all(line.as_bytes()).map_err(io("the output"))?;
    stdout().flush().map_err(io("the output"))
}

impl Ends {
    fn start(plan: &Plan) -> Result<Self, BenchError> {
        let mut child = Command::new(&plan.program)
            .args(["bench", "sfu-ends"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(io("the process of the ends cannot be started"))?;
        let gone = || BenchError::Lacking("the process of the ends has no pipes".to_owned());
        let say = child.stdin.take().ok_or_else(gone)?;
        let hear = BufReader::new(child.stdout.take().ok_or_else(gone)?);
        Ok(Self { child, say, hear })
    }

    fn tell(&mut self, told: &Told) -> Result<(), BenchError> {
        let mut line = serde_json::to_string(told).map_err(|error| BenchError::Answer(error.to_string()))?;
        line.push('\n');
        self.say.write_all(line.as_bytes()).map_err(io("the process of the ends"))
    }

    fn read<T: for<'a> Deserialize<'a>>(&mut self) -> Result<T, BenchError> {
        let mut line = String::new();
        self.hear.read_line(&mut line).map_err(io("the process of the ends"))?;
        serde_json::from_str(&line)
            .map_err(|error| BenchError::Answer(format!("the process of the ends: {error}")))
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        // Fails only for a process that is over already.
        let _over = self.child.kill().is_err();
        let _reaped = self.child.wait();
    }
}

//! Where an SFU listens and how much it takes on.

use std::io;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use taoyao_ortc::Capacity;
use taoyao_types::limits;

/// What one process' SFU is started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where UDP and TCP are listened on (reference section 6.1: `0.0.0.0`).
    pub listen: IpAddr,
    /// The first worker's port; each further worker has the next one. 0: any free ones.
    pub port: u16,
    /// Threads; 0: one for each core.
    pub workers: usize,
    /// The addresses or host names of the candidates that terminals are told. Empty: the address listened on.
    pub announced: Vec<String>,
    /// The port that terminals are told of the first worker, of each further one the next. None: those listened on.
    pub announced_port: Option<u16>,
    /// Ports of plain transports, each with sockets of its own. `0..=0`: any free ones.
    pub plain_ports: RangeInclusive<u16>,
    /// Whether ICE-TCP is offered beside UDP, on the same port numbers.
    pub enable_tcp: bool,
    /// Bits per second that a WebRTC transport is asked to stay below, all its producers together.
    pub max_incoming_bitrate: Option<u64>,
    /// Bits per second that a new WebRTC transport is thought to carry until it is known better.
    pub initial_outgoing_bitrate: u64,
    /// DSCP of everything sent (RFC 8837), 0 to 63; 0: none.
    pub dscp: u8,
    /// Rooms of one worker. Beyond it a new room is refused as full.
    pub rooms_per_worker: usize,
    /// Transports of one room. Beyond it a new one is refused as full.
    pub transports_per_room: usize,
    /// Transports of one room at one worker. Beyond it further ones go to other workers, if there are.
    pub room_transports_per_worker: usize,
    /// Transports of one worker. Beyond it a new one is refused as full.
    pub transports_per_worker: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: IpAddr::from([0, 0, 0, 0]),
            port: 44_444,
            workers: 0,
            announced: Vec::new(),
            announced_port: None,
            plain_ports: 40_000..=44_443,
            enable_tcp: true,
            max_incoming_bitrate: Some(1_600_000),
            initial_outgoing_bitrate: 400_000,
            dscp: 0,
            rooms_per_worker: limits::MEDIA_ROOMS_PER_WORKER_MAX,
            transports_per_room: limits::MEDIA_TRANSPORTS_PER_ROOM_MAX,
            room_transports_per_worker: limits::MEDIA_ROOM_TRANSPORTS_PER_WORKER,
            transports_per_worker: limits::MEDIA_TRANSPORTS_PER_WORKER_MAX,
        }
    }
}

impl Config {
    /// How many threads it makes.
    pub fn worker_count(&self) -> usize {
        match self.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            count => count,
        }
    }

    /// What all its workers carry together.
    pub fn capacity(&self) -> Capacity {
        let workers = self.worker_count();
        let plain_ports = if self.plain_ports == (0..=0) { usize::MAX } else { self.plain_ports.len() };
        Capacity {
            rooms: workers.saturating_mul(self.rooms_per_worker),
            transports: workers.saturating_mul(self.transports_per_worker),
            plain_ports,
        }
    }

    /// The port of one worker; 0 where any will do. None: there is no such port, or none that can be told.
    pub(crate) fn port_of(&self, worker: usize) -> Option<u16> {
        if self.port == 0 {
            return Some(0);
        }
        let worker = u16::try_from(worker).ok()?;
        self.announced_port.unwrap_or_default().checked_add(worker)?;
        self.port.checked_add(worker)
    }

    /// What terminals are told of the worker that listens at this port.
    pub(crate) fn announced_port_of(&self, port: u16) -> u16 {
        let worker = port.checked_sub(self.port).filter(|_| self.port != 0);
        let announced = self.announced_port.zip(worker).and_then(|(first, worker)| first.checked_add(worker));
        announced.unwrap_or(port)
    }
}

/// Why an SFU did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("worker {worker} cannot listen on {listen}, port {port}: choose another port or address")]
    Listen { worker: usize, listen: IpAddr, port: u16, source: io::Error },
    #[error(
        "there are not enough port numbers from {0} on for the workers: choose a smaller port or fewer workers"
    )]
    Ports(u16),
    #[error("worker {worker} has no thread")]
    Thread { worker: usize, source: io::Error },
    #[error("no random numbers can be had from the system")]
    Random,
}

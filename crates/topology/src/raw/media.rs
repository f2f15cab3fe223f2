//! `[node.media]` as it was written.

use std::ops::RangeInclusive;

use super::node::{RawListener, read_address};
use crate::media::Media;
use crate::mistake::At;
use crate::read::Table;

const EXAMPLE: &str = "listen = \"0.0.0.0:44444\"";
const PORTS_EXAMPLE: &str = "plain_ports = \"40000-44443\"";

/// The media forwarder as it was written.
#[derive(Debug)]
pub(crate) struct RawMedia {
    pub(crate) listener: RawListener,
    pub(crate) workers: Option<u16>,
    pub(crate) tcp: bool,
    /// `None`: the default, as far as it is free.
    pub(crate) plain_ports: Option<At<RangeInclusive<u16>>>,
    pub(crate) bitrate_in_max: u64,
    pub(crate) room_transports_per_worker: Option<usize>,
}

impl RawMedia {
    pub(crate) fn read(mut table: Table<'_>) -> Option<Self> {
        let workers = table.integer("workers", "workers = 2", 1..=WORKERS_MAX);
        let tcp = table.flag("tcp", "tcp = true").is_none_or(|tcp| tcp.value);
        let plain_ports = table.parsed("plain_ports", PORTS_EXAMPLE, read_ports);
        let bitrate_in_max =
            table.integer("bitrate_in_max", "bitrate_in_max = 1600000", BITRATE_IN_MIN..=BITRATE_IN_LIMIT);
        let room_transports_per_worker = table.integer(
            "room_transports_per_worker",
            "room_transports_per_worker = 100",
            1..=ROOM_TRANSPORTS_LIMIT,
        );
        let listener = read_address(&mut table, EXAMPLE);
        let workers = workers.and_then(|workers| u16::try_from(workers).ok());
        if let Some(listener) = &listener {
            check_enough_ports(&table, listener, workers.unwrap_or(1));
        }
        table.finish();
        Some(Self {
            listener: listener?,
            workers,
            tcp,
            plain_ports,
            bitrate_in_max: bitrate_in_max.unwrap_or(Media::BITRATE_IN_MAX),
            room_transports_per_worker: room_transports_per_worker
                .and_then(|transports| usize::try_from(transports).ok()),
        })
    }
}

impl RawMedia {
    /// The ports of the workers that the file names; of one worker for each core, the first: whose cores is not known here.
    pub(crate) fn worker_ports(&self, first: u16) -> RangeInclusive<u16> {
        first..=first.saturating_add(self.workers.unwrap_or(1) - 1)
    }
}

fn check_enough_ports(table: &Table<'_>, listener: &RawListener, workers: u16) {
    let ports = [
        ("listen", &listener.listen.span, listener.listen.value.port()),
        ("advertise", &listener.advertise.span, listener.advertise.value.port),
    ];
    for (key, span, first) in ports {
        if first.checked_add(workers - 1).is_none() {
            let what = format!("the ports of {workers} workers do not fit behind {first} of `{key}`");
            return table.add(span, what, format!("a port up to {}", u16::MAX - (workers - 1)));
        }
    }
}

/// More threads than cores only cost.
const WORKERS_MAX: u64 = 256;
/// Less than this carries no picture.
const BITRATE_IN_MIN: u64 = 30_000;
const BITRATE_IN_LIMIT: u64 = 1_000_000_000;
/// More than any room has.
const ROOM_TRANSPORTS_LIMIT: u64 = 1_000_000;

fn read_ports(text: &str) -> Result<RangeInclusive<u16>, String> {
    let port = |text: &str| text.trim().parse::<u16>().ok().filter(|port| *port > 0);
    let ports = text.split_once('-').and_then(|(first, last)| Some((port(first)?, port(last)?)));
    match ports {
        None => Err("it is not two ports with a dash between them".to_owned()),
        Some((first, last)) if first > last => Err("the first port is above the last".to_owned()),
        Some((first, last)) => Ok(first..=last),
    }
}

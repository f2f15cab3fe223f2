//! How a node is, told from what its driver knows.

use taoyao_admin::Sample;
use taoyao_core::{NeighbourStatus, NotTaken};
use taoyao_gateway::GatewayStats;
use taoyao_link::LinkStats;
use taoyao_types::Now;
use taoyao_wire::link::sync::RefusedReason;

use crate::driver::Driver;
use crate::expiry::InUse;
use crate::instruments::{self, Link, NodeGauges, Readings};
use crate::report::{AlarmsReport, LinkReport, StatusReport, TerminalAlarm};
use crate::telemetry;

impl Driver {
    /// What `taoyao status` shows.
    pub(crate) fn status(&mut self, now: Now) -> StatusReport {
        let neighbours = self.node.neighbours();
        self.readiness.look(&neighbours, now.mono.since(taoyao_types::Instant(0)));
        let topology = &self.place.topology;
        let own = topology.node(self.place.own).expect("the machine was made for a node of this topology");
        StatusReport {
            node: own.name.clone(),
            org: topology.org().to_owned(),
            tier: own.tier,
            partitions: own.partitions.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            generation: topology.generation(),
            epoch: self.place.life.get().0,
            uptime_seconds: now.mono.0 / 1_000_000,
            clock_ahead_ms: self.node.clock_ahead_ms(now),
            not_ready: self.readiness.missing().into_iter().chain(self.not_taken()).collect(),
            terminals: self.node.terminals().stats().registered,
            directory_records: self.node.router().directory().len() as u64,
            alarms: self.node.terminals().stats().alarms_kept,
            links: neighbours.iter().map(|peer| self.link_report(peer)).collect(),
            certificates: self.place.certificates.iter().map(InUse::report).collect(),
        }
    }

    /// Why nobody elsewhere finds terminals of this node, if that concerns the node as a whole: then it should not be given any.
    fn not_taken(&self) -> Option<String> {
        let not_taken = self.node.router().not_taken()?;
        let remedy = match not_taken.reason {
            RefusedReason::ClockAhead => "they are told anew within seconds of the parent's telling the time",
            RefusedReason::PastLife => {
                "another node runs under its name, or the two took turns: end one, and start the other again"
            }
            _ => return None,
        };
        let NotTaken { terminals, reason } = not_taken;
        Some(format!("the parent does not take {terminals} terminals of this node: {reason}; {remedy}"))
    }

    /// What `taoyao alarms` shows.
    pub(crate) fn alarms(&self, limit: usize) -> AlarmsReport {
        let terminals = self.node.terminals();
        let alarms = terminals.alarms().take(limit).map(|report| TerminalAlarm {
            terminal: report.from.clone(),
            node: report.node.clone(),
            raised_at_ms: report.at,
            message: report.message.clone(),
            terminal_time: report.datetime.clone(),
        });
        AlarmsReport { alarms: alarms.collect(), waiting: terminals.stats().alarms_waiting }
    }

    /// What `/metrics` shows.
    pub(crate) fn samples(&mut self, now: Now, gateway: &GatewayStats) -> Vec<Sample> {
        let status = self.status(now);
        let neighbours = self.node.neighbours();
        let router = self.node.router();
        let gauges = NodeGauges {
            epoch: u64::from(status.epoch),
            uptime_seconds: status.uptime_seconds,
            clock_off_ms: status.clock_ahead_ms.unsigned_abs(),
            is_ready: status.not_ready.is_empty(),
            directory_records: status.directory_records,
            tombstones: router.directory().tombstones() as u64,
            requests_pending: router.pending() as u64,
            requests_running: router.running() as u64,
        };
        let links: Vec<Link> = neighbours
            .iter()
            .map(|peer| Link {
                peer: peer.name.to_string(),
                is_up: peer.is_up,
                is_synced: peer.is_synced,
                stats: self.links.stats(peer.id),
            })
            .collect();
        instruments::samples(&Readings {
            node: &gauges,
            driver: &self.stats,
            logins: &self.logins.stats(),
            terminals: self.node.terminals().stats(),
            router: router.stats(),
            gateway,
            recordings: &self.recordings.stats(),
            log: &telemetry::stats(),
            links: &links,
            certificates: &self.place.certificates,
        })
    }

    fn link_report(&self, peer: &NeighbourStatus) -> LinkReport {
        let stats = self.links.stats(peer.id);
        let reason = if peer.is_up { "" } else { self.links.trouble(peer.id).unwrap_or(&peer.reason) };
        let sum = |of: fn(&LinkStats) -> u64| stats.as_ref().map_or(0, of);
        LinkReport {
            peer: peer.name.clone(),
            is_parent: peer.is_parent,
            is_up: peer.is_up,
            is_synced: peer.is_synced,
            reason: reason.to_owned(),
            round_trip_us: stats.map(|stats| u64::try_from(stats.rtt.as_micros()).unwrap_or(u64::MAX)),
            sent_bytes: sum(|stats| stats.signal.sent_bytes + stats.bulk.sent_bytes),
            received_bytes: sum(|stats| stats.signal.received_bytes + stats.bulk.received_bytes),
            queued_bytes: sum(queued_bytes),
        }
    }
}

/// Bytes of all classes that wait for a link.
pub(crate) fn queued_bytes(stats: &LinkStats) -> u64 {
    let bytes = stats.queued_control_bytes
        + stats.queued_signal_bytes
        + stats.queued_directory_bytes
        + stats.queued_broadcast_bytes
        + stats.queued_bulk_bytes;
    bytes as u64
}

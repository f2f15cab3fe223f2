//! The middle of three nodes while terminals at the two ends send each other unicasts.

use super::Plan;
use super::error::BenchError;
use super::figure::Figure;
use super::latency::{ends, name_at, unicast};
use super::load::{self, Load, PAIRS, Subject};
use super::site::Chain;

const NODES: usize = 3;

pub(super) fn measure(plan: &Plan) -> Result<Vec<Figure>, BenchError> {
    let chain = Chain::up(plan, NODES)?;
    let pairs = (0..PAIRS)
        .map(|pair| {
            let (mut near, mut far) = ends(&chain, NODES, &pair.to_string())?;
            near.converse(&unicast(&name_at(NODES, &format!("far{pair}"))), "client::unicast");
            far.converse(&unicast(&name_at(1, &format!("near{pair}"))), "client::unicast");
            Ok((near, far))
        })
        .collect::<Result<Vec<_>, BenchError>>()?;
    let load = Load::start(pairs)?;
    let (name, process) = ("3 nodes, terminals at both ends", &chain.nodes[1]);
    let subject = Subject { name, server: "middle", process, target: None };
    Ok(load::measure(plan, &subject, &load)?.into())
}

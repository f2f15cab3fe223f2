//! The floor with its producer and its consumers: what a packet costs if it is only opened, sealed and sent.

use taoyao_media::load::{Audience, Floor, Load, Producer};
use taoyao_media::peer::srtp::{MasterKey, key_bytes, salt_bytes};
use taoyao_ortc::SrtpSuite;

use super::super::error::{BenchError, io};
use super::room::LOOPBACK;

pub(super) struct Base {
    pub(super) floor: Floor,
    pub(super) producer: Producer,
    _audience: Audience,
}

impl Base {
    /// The producer begins paused.
    pub(super) fn new(consumers: usize, load: Load, suite: SrtpSuite) -> Result<Self, BenchError> {
        let audience = Audience::start_bare(LOOPBACK, consumers).map_err(io("the audience"))?;
        let from = key(suite, 0)?;
        let to = (1..).zip(audience.addresses()).map(|(number, address)| Ok((key(suite, number)?, *address)));
        let to = to.collect::<Result<Vec<_>, BenchError>>()?;
        let floor = Floor::start(LOOPBACK, &from, &to).map_err(io("the floor"))?;
        let producer = Producer::start_bare(&from, floor.address(), load).map_err(io("a producer"))?;
        Ok(Self { floor, producer, _audience: audience })
    }
}

fn key(suite: SrtpSuite, number: u32) -> Result<MasterKey, BenchError> {
    let mut bytes = vec![0x5a; key_bytes(suite) + salt_bytes(suite)];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    MasterKey::new(suite, &bytes).ok_or_else(|| BenchError::Lacking(format!("no key for {suite:?}")))
}

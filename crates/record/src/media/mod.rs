//! From RTP packets to frames with a place in time. Pure: packets and their arrival come in, frames go out.

pub(crate) mod assemble;
pub(crate) mod bits;
pub(crate) mod codec;
pub(crate) mod depacketise;
pub(crate) mod describe;
pub(crate) mod h264;
pub(crate) mod h265;
pub(crate) mod reorder;
pub(crate) mod rtp;
pub(crate) mod sets;
pub(crate) mod stillness;
pub(crate) mod timeline;
pub(crate) mod track;

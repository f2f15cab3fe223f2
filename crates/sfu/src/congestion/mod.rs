//! How much can be sent and received, and what becomes of it: the feedback, the estimate, the pace, the shares.
//!
//! Receiving: [`NackGenerator`] asks for what is missing, [`Arrivals`] tells senders when their packets came, and
//! [`ReceiveEstimator`] estimates for those senders who cannot, and
//! [`Policer`] leaves out what is too much. Sending: [`Estimator`] makes a bitrate of feedback and
//! probes for more, [`Pacer`] spreads bursts, [`allocate`] makes layers of the bitrate.

mod aimd;
mod allocate;
mod arrivals;
mod cluster;
mod delay;
mod estimator;
mod groups;
mod history;
mod limited;
mod loss;
mod nack;
mod pacer;
mod policer;
mod prober;
mod receive;
mod standing;
mod throughput;
mod trend;

pub use allocate::{Demand, allocate, total};
pub use arrivals::Arrivals;
pub use estimator::{Estimator, EstimatorConfig};
pub use nack::{NackGenerator, Seen};
pub use pacer::Pacer;
pub use policer::{Policer, Verdict};
pub use receive::ReceiveEstimator;

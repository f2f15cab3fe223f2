//! The operator's topology file: parsed, checked once, then a tree that nothing has to check again.
//!
//! [`Topology::parse`] takes the file's text and gives either a [`Topology`] or all [`Mistakes`] in it, each with its
//! line and with what to write instead. The crate is pure: reading the file, and looking whether certificates exist
//! ([`Topology::check_files`]), is the caller's. `docs/topology.md` describes every key.

mod address;
mod certs;
mod check;
mod draw;
mod guard;
mod media;
mod mistake;
mod nearest;
mod network;
mod node;
mod parse;
mod paths;
mod raw;
mod read;
mod recordings;
mod rewrite;
mod script;
mod settings;
mod suggest;
mod summary;
mod tcp;
mod topology;
mod way;

pub use address::{BadHostPort, HostPort};
pub use certs::Certs;
pub use check::{CertFault, CertFiles, CertUse};
pub use guard::Guard;
pub use media::Media;
pub use mistake::{Mistake, Mistakes};
pub use nearest::{Candidate, Candidates, Nearest, Reason};
pub use node::{Geo, Listener, Near, Node, Terminals, TlsFiles};
pub use recordings::{Bucket, KeepFree, Recordings, WhenFull};
pub use rewrite::{Rewrite, RewriteRule};
pub use script::{Argument, BadArguments, Script};
pub use settings::{Ice, Limits, Login, Password, SharedAccount, Turn};
pub use suggest::closest;
pub use summary::{
    ListenerSummary, NodeSummary, PartitionSummary, PolicySummary, RecordingsSummary, RewriteRuleSummary,
    RewriteSummary, RuleSummary, Summary, TcpSummary,
};
pub use tcp::{BadSecret, OldCipher, Secret, SecretKey, Tcp, TcpMode};
pub use topology::{Partition, Policy, Topology};

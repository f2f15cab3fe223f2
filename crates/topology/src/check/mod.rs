//! The rules that compare one part of the file with another; each takes what it needs and reports every breach.

mod addresses;
mod files;
mod ids;
mod listens;
mod partitions;
mod policy;
mod scripts;
mod tree;

pub(crate) use addresses::check_addresses;
pub use files::{CertFault, CertFiles, CertUse};
pub(crate) use files::{FileSpans, Look, NodeFileSpans, check_files};
pub(crate) use ids::check_ids;
pub(crate) use listens::default_plain_ports;
pub(crate) use partitions::{Delegation, check_partitions};
pub(crate) use policy::check_policy;
pub(crate) use scripts::check_scripts;
pub(crate) use tree::{Place, check_tree};

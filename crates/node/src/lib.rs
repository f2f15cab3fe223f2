//! The taoyao program: command line, assembly, the driver loop around core, supervision and drain.
//!
//! [`NodeApp::build`] puts one node of a topology together, [`NodeApp::spawn`] runs it, [`RunningNode`] is its handle.
//! [`Mesh`] does that for all nodes of a file. Nothing here is global but the log.

mod app;
pub mod bench;
pub mod certificates;
mod clock;
mod configuration;
mod credentials;
mod deeds;
mod descriptors;
mod desk;
mod dev_certs;
mod driver;
mod expiry;
mod forwarder;
mod guests;
mod instruments;
mod links;
mod login_queue;
mod logins;
mod machine;
mod mesh;
mod nearest;
mod operators;
mod passwords;
mod question;
mod readiness;
mod recordings;
pub mod report;
mod rooms;
mod running;
mod runtime;
mod scripts;
mod sockets;
mod state_dir;
mod status;
mod supervisor;
pub mod telemetry;
mod users_file;

pub use app::{NodeApp, NodeOptions, StartError};
pub use credentials::CredentialsError;
pub use dev_certs::{CertsError, ensure_certificates};
pub use driver::SourceGone;
pub use expiry::REMIND_BEFORE;
pub use mesh::{Mesh, MeshRow, Progress, SYNC_MAX, UpError};
pub use running::RunningNode;
pub use runtime::node_runtime;
pub use state_dir::{StateError, token_path};
pub use supervisor::{DRAIN_DEADLINE, DrainReport, NodeFailure};
pub use users_file::UsersError;

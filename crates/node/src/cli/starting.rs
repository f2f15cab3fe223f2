//! Why something did not start, as exit codes.

use std::error::Error;
use std::io;

use taoyao_node::{StartError, StateError, UpError};

use super::exit::{Exit, Failed};

/// A node that cannot be built.
pub(crate) fn node_failed(error: StartError) -> Failed {
    let exit = start_exit(&error);
    Failed::new(exit, error)
}

/// A mesh that does not come up.
pub(crate) fn mesh_failed(error: UpError) -> Failed {
    let exit = match &error {
        UpError::Start { source, .. } => start_exit(source),
        UpError::Certificates(certificates) => io_exit(certificates).unwrap_or(Exit::Configuration),
        UpError::NotSynced { .. } => Exit::Unreachable,
        UpError::Failed(_) => Exit::Bug,
    };
    Failed::new(exit, error)
}

fn start_exit(error: &StartError) -> Exit {
    match error {
        StartError::State(StateError::Taken { .. }) => Exit::Io,
        other => io_exit(other).unwrap_or(Exit::Configuration),
    }
}

/// What the first IO error in the chain of causes means; none if there is none.
fn io_exit(error: &(dyn Error + 'static)) -> Option<Exit> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(match error.kind() {
                io::ErrorKind::PermissionDenied => Exit::Permission,
                // What should be text is none.
                io::ErrorKind::InvalidData => Exit::Configuration,
                _ => Exit::Io,
            });
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_decides_about_the_exit() {
        let port = |kind: io::ErrorKind| StartError::Admin {
            address: "127.0.0.1:80".parse().unwrap(),
            source: kind.into(),
        };
        assert_eq!(start_exit(&port(io::ErrorKind::PermissionDenied)), Exit::Permission);
        assert_eq!(start_exit(&port(io::ErrorKind::AddrInUse)), Exit::Io);
        assert_eq!(start_exit(&port(io::ErrorKind::InvalidData)), Exit::Configuration);
        assert_eq!(start_exit(&StartError::State(StateError::Taken { path: "state/lock".into() })), Exit::Io);
        let late = UpError::NotSynced { missing: vec!["  cn/east to cn: refused".to_owned()] };
        assert_eq!(mesh_failed(late).exit, Exit::Unreachable);
    }
}

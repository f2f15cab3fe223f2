//! How many files and sockets the process may have open.

use rustix::process::{Resource, getrlimit, setrlimit};
use taoyao_types::limits::DESCRIPTORS_KEPT;

/// Lets the process open as many as the system allows it, and returns how many that is. What it is started with is often
/// 1,024, for programs that use `select`.
pub(crate) fn raise() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = rustix::process::Rlimit { current: limit.maximum, ..limit };
        match setrlimit(Resource::Nofile, raised) {
            Ok(()) => limit = getrlimit(Resource::Nofile),
            Err(error) => tracing::warn!(%error, "the limit of open files cannot be raised"),
        }
    }
    limit.current.and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX)
}

/// Connections that terminals may have at once, of `wanted`, in a process that may open so many files: links, files and
/// operators need some as well.
pub(crate) fn connections(wanted: usize, files: usize) -> usize {
    let most = files.saturating_sub(DESCRIPTORS_KEPT.min(files / 2));
    if most < wanted {
        tracing::warn!(
            files,
            connections = most,
            wanted,
            "the limit of open files (ulimit -n) keeps terminals from having all the connections that they may"
        );
    }
    most.min(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_may_open_what_the_system_allows() {
        let files = raise();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
        assert!(limit.current.is_none_or(|count| count == files as u64));
    }

    #[test]
    fn terminals_leave_descriptors_to_others() {
        assert_eq!(connections(120_000, 1_000_000), 120_000);
        assert_eq!(connections(120_000, 4_096), 4_096 - DESCRIPTORS_KEPT);
        assert_eq!(connections(120_000, 64), 32, "a process with hardly any still serves some");
    }
}

//! How a command ends: exit codes after `sysexits.h`, and what is said when it fails.

use std::fmt::Display;
use std::io;
use std::path::Path;

use anstyle::{AnsiColor, Style};

use super::output;

/// How a command ended, for scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Fine = 0,
    NotWell = 1,
    Usage = 64,
    Unreachable = 69,
    Bug = 70,
    Io = 74,
    Permission = 77,
    Configuration = 78,
}

impl Exit {
    pub(crate) const ALL: [Exit; 8] = [
        Exit::Fine,
        Exit::NotWell,
        Exit::Usage,
        Exit::Unreachable,
        Exit::Bug,
        Exit::Io,
        Exit::Permission,
        Exit::Configuration,
    ];

    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Exit::Fine => "done, and what was asked about is well",
            Exit::NotWell => {
                "answered, but what was asked about is not well: not ready, mistakes found, expired"
            }
            Exit::Usage => "the command line is wrong, or names something that does not exist",
            Exit::Unreachable => "no node could be asked, or the mesh did not come up",
            Exit::Bug => "a fault in taoyao itself; please report it with what was printed",
            Exit::Io => "a file or a socket could not be read, written or opened",
            Exit::Permission => "not allowed: a file's mode, a port, or an admin token that is not accepted",
            Exit::Configuration => "the topology file, the certificates or the user table have to be changed",
        }
    }
}

/// A command that could not do what it was asked: the exit code for scripts and the sentence for people.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) exit: Exit,
    what: String,
}

impl Failed {
    pub(crate) fn new(exit: Exit, what: impl Display) -> Self {
        Self { exit, what: what.to_string() }
    }

    /// An operation on a file failed; `doing` says which, as in "cannot be {doing}".
    pub(crate) fn file(path: &Path, doing: &str, error: &io::Error) -> Self {
        let shown = path.display();
        match error.kind() {
            io::ErrorKind::NotFound => {
                Self::new(Exit::Io, format!("{shown}: there is no such file or directory"))
            }
            io::ErrorKind::PermissionDenied => Self::new(
                Exit::Permission,
                format!("{shown}: cannot be {doing}: not allowed; check its owner and mode"),
            ),
            io::ErrorKind::InvalidData => Self::new(
                Exit::Configuration,
                format!(
                    "{shown}: is not text in UTF-8; editors that call UTF-16 \"Unicode\" write such files: \
                     save it as UTF-8"
                ),
            ),
            _ => Self::new(Exit::Io, format!("{shown}: cannot be {doing}: {error}")),
        }
    }

    /// Says on stderr what went wrong. Sentences of several lines (mistakes of a file) bring their own headings.
    pub(crate) fn tell(&self) {
        let bad = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        let heading = if self.what.starts_with("error:") { "" } else { "error: " };
        output::remark(format!("{bad}{heading}{bad:#}{}\n", self.what));
    }

    /// The sentence, as people are told it.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_sysexits_and_each_has_a_meaning() {
        assert_eq!(Exit::ALL.map(Exit::code), [0, 1, 64, 69, 70, 74, 77, 78]);
        assert!(Exit::ALL.iter().all(|exit| !exit.meaning().is_empty()));
    }

    #[test]
    fn what_may_not_be_read_is_another_exit_than_what_is_not_there() {
        let of = |kind: io::ErrorKind| Failed::file(Path::new("users.toml"), "read", &kind.into());
        assert_eq!(of(io::ErrorKind::NotFound).exit, Exit::Io);
        assert_eq!(of(io::ErrorKind::PermissionDenied).exit, Exit::Permission);
        assert_eq!(of(io::ErrorKind::InvalidData).exit, Exit::Configuration);
        assert!(of(io::ErrorKind::InvalidData).what.contains("save it as UTF-8"));
        assert!(of(io::ErrorKind::Other).what.starts_with("users.toml: cannot be read"));
    }
}

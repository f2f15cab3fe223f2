//! The table of users on disk, read again when it has changed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use taoyao_auth::{BadUserTable, Users};

/// How often a login may make the file be looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Why a table of users cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    #[error("{path}: cannot be read: {source}; check its owner and mode")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{path}: {source}")]
    Bad { path: PathBuf, source: BadUserTable },
}

/// The users of a node as the file has them now, or had them when it was last in order.
#[derive(Debug)]
pub(crate) struct UsersFile {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    users: Arc<Users>,
    /// `None` while there is no file.
    modified: Option<SystemTime>,
    looked_at: Instant,
}

impl UsersFile {
    /// Reads the file; one that is not there yet has no users.
    pub(crate) fn open(path: &Path) -> Result<Self, UsersError> {
        let (modified, users) = (modified(path), read(path)?);
        let state = State { users: Arc::new(users), modified, looked_at: Instant::now() };
        Ok(Self { path: path.to_owned(), state: Mutex::new(state) })
    }

    /// The users now. Looks at the file at most once a second, and keeps the last good table if it is damaged.
    /// Blocks on the disk.
    pub(crate) fn current(&self) -> Arc<Users> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked_at.elapsed() >= LOOK_EVERY {
            state.looked_at = Instant::now();
            self.look(&mut state);
        }
        Arc::clone(&state.users)
    }

    fn look(&self, state: &mut State) {
        let modified = modified(&self.path);
        if modified == state.modified {
            return;
        }
        state.modified = modified;
        match read(&self.path) {
            Ok(users) => {
                tracing::info!(path = %self.path.display(), accounts = users.list().len(), "users read again");
                state.users = Arc::new(users);
            }
            Err(error) => {
                tracing::warn!(%error, "the changed table of users is not used; the last good one is")
            }
        }
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|found| found.modified()).ok()
}

fn read(path: &Path) -> Result<Users, UsersError> {
    match fs::read_to_string(path) {
        Ok(text) => Users::parse(&text).map_err(|source| UsersError::Bad { path: path.to_owned(), source }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Users::default()),
        Err(source) => Err(UsersError::Unreadable { path: path.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_is_read_again_and_a_damaged_one_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("users.toml");
        let file = UsersFile::open(&path).unwrap();
        assert_eq!(file.current().list().len(), 0);

        let mut users = Users::default();
        users.add("ann", "a long password", [7; 16]).unwrap();
        fs::write(&path, users.to_toml()).unwrap();
        assert_eq!(look_again(&file).list().len(), 1);

        fs::write(&path, "[user.ann]\nhash = 7\n").unwrap();
        touch(&path, 10);
        assert_eq!(look_again(&file).list().len(), 1);

        fs::remove_file(&path).unwrap();
        assert_eq!(look_again(&file).list().len(), 0);
    }

    #[test]
    fn a_damaged_file_at_the_start_is_an_error_without_its_text() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("users.toml");
        fs::write(&path, "[user.ann]\nhash = \"secret\"\n").unwrap();
        let error = UsersFile::open(&path).unwrap_err().to_string();
        assert!(
            error.contains("users.toml") && error.contains("ann") && !error.contains("secret"),
            "{error}"
        );
    }

    /// As if a second had passed since the last look.
    fn look_again(file: &UsersFile) -> Arc<Users> {
        file.look(&mut file.state.lock().unwrap());
        file.current()
    }

    /// Moves the file's time on, for file systems that keep coarse times.
    fn touch(path: &Path, seconds: u64) {
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() + Duration::from_secs(seconds)).unwrap();
    }
}

//! The table of users on disk, and news of it when it has changed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use taoyao_auth::{BadUserTable, Users};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// How often the file is looked at: a change takes effect within a second.
const LOOK_EVERY: Duration = Duration::from_millis(400);

/// Why a table of users cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    #[error("{path}: cannot be read: {source}; check its owner and mode")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{path}: {source}")]
    Bad { path: PathBuf, source: BadUserTable },
}

/// The users of a node's file, as it is now or was when it was last in order.
#[derive(Debug)]
pub(crate) struct UsersFile {
    path: PathBuf,
    users: Arc<Users>,
    seen: Seen,
}

/// What tells one state of the file from another; none while there is no file.
type Seen = Option<(SystemTime, u64)>;

/// Looks at a file of users beside the driver, until it is dropped.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) users: watch::Receiver<Arc<Users>>,
    looking: AbortHandle,
}

impl UsersFile {
    /// Reads the file; one that is not there yet has no users. Blocks on the disk.
    pub(crate) fn open(path: &Path) -> Result<Self, UsersError> {
        let seen = seen(path);
        Ok(Self { path: path.to_owned(), users: Arc::new(read(path)?), seen })
    }

    /// The users as they were read last.
    pub(crate) fn users(&self) -> &Arc<Users> {
        &self.users
    }

    /// Reads the file again if it has changed, and keeps the last good table if it is damaged; whether there are other users
    /// now. Blocks on the disk.
    pub(crate) fn look(&mut self) -> bool {
        let seen = seen(&self.path);
        if seen == self.seen {
            return false;
        }
        self.seen = seen;
        match read(&self.path) {
            Ok(users) if users == *self.users => false,
            Ok(users) => {
                tracing::info!(path = %self.path.display(), accounts = users.list().len(), "users read again");
                self.users = Arc::new(users);
                true
            }
            Err(error) => {
                tracing::warn!(%error, "the changed table of users is not used; the last good one is");
                false
            }
        }
    }

    /// Looks at the file from now on. Within a tokio runtime only.
    pub(crate) fn watch(self) -> Watched {
        let (sender, users) = watch::channel(Arc::clone(&self.users));
        Watched { users, looking: tokio::spawn(look_on(self, sender)).abort_handle() }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.looking.abort();
    }
}

async fn look_on(mut file: UsersFile, sender: watch::Sender<Arc<Users>>) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let looked = tokio::task::spawn_blocking(move || {
            let has_changed = file.look();
            (file, has_changed)
        });
        let Ok((back, has_changed)) = looked.await else {
            tracing::error!("looking at the table of users failed; changes of it need a restart");
            return;
        };
        file = back;
        if has_changed && sender.send(Arc::clone(file.users())).is_err() {
            return;
        }
    }
}

/// The time alone may be too coarse, and an editor may set it back.
fn seen(path: &Path) -> Seen {
    use std::os::unix::fs::MetadataExt;
    let found = fs::metadata(path).ok()?;
    let modified = found.modified().ok()?;
    Some((modified, found.ino() ^ found.len().rotate_left(32)))
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
        let mut file = UsersFile::open(&path).unwrap();
        assert_eq!((file.look(), file.users().list().len()), (false, 0));

        let mut users = Users::default();
        users.add("ann", "a long password", [7; 16]).unwrap();
        fs::write(&path, users.to_toml()).unwrap();
        assert_eq!((file.look(), file.users().list().len()), (true, 1));
        assert!(!file.look());

        fs::write(&path, "[user.ann]\nhash = 7\n").unwrap();
        assert_eq!((file.look(), file.users().list().len()), (false, 1));

        fs::remove_file(&path).unwrap();
        assert_eq!((file.look(), file.users().list().len()), (true, 0));
    }

    #[tokio::test]
    async fn a_change_is_told_within_a_second() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("users.toml");
        let mut watched = UsersFile::open(&path).unwrap().watch();
        let mut users = Users::default();
        users.add("ann", "a long password", [7; 16]).unwrap();
        fs::write(&path, users.to_toml()).unwrap();
        tokio::time::timeout(Duration::from_secs(10), watched.users.changed()).await.unwrap().unwrap();
        assert_eq!(watched.users.borrow().list().len(), 1);
        assert!(LOOK_EVERY < Duration::from_millis(500));
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
}

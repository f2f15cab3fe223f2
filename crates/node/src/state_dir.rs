//! What a node keeps on disk: its count of lives, the operators' token, and a lock so that it runs once.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use taoyao_types::{NodeEpoch, Wall};

const LOCK: &str = "lock";
const EPOCH: &str = "epoch";
const TOKEN: &str = "admin.token";
const TICKET_KEY: &str = "tickets.key";
const READER_TOKEN: &str = "admin.read.token";
/// Space that is kept back, so that a disk which others have filled does not keep a node from starting.
const SPARE: &str = "spare";
const SPARE_BYTES: usize = 64 * 1024;

/// Why a node's state directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("{path}: cannot be written: {source}; check the directory's owner, mode and free space")]
    Unwritable { path: PathBuf, source: io::Error },
    #[error(
        "{path}: another process runs this node already; stop it first, or give this one another `state`"
    )]
    Taken { path: PathBuf },
    #[error(
        "{path}: does not hold a number; write into it one that is higher than any epoch its neighbours saw, or delete it and the next start takes the clock"
    )]
    BadEpoch { path: PathBuf },
    #[error("{path}: the last epoch there is; delete the file and the next start takes the clock")]
    LastEpoch { path: PathBuf },
    #[error("{path}: is no key; delete the file, and terminals log in with their passwords once")]
    BadKey { path: PathBuf },
    #[error("no random numbers from the system: {0}")]
    Random(getrandom::Error),
}

/// A node's state directory, which no other process has while this value lives.
#[derive(Debug)]
pub(crate) struct StateDir {
    path: PathBuf,
    _lock: File,
}

impl StateDir {
    /// Makes the directory (mode 0700) if need be and locks it.
    pub(crate) fn open(path: &Path) -> Result<Self, StateError> {
        let unwritable = |at: &Path| {
            let path = at.to_owned();
            move |source| StateError::Unwritable { path, source }
        };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unwritable(path))?;
        let lock_path = path.join(LOCK);
        let mut options = OpenOptions::new();
        let options = options.create(true).truncate(false).write(true).mode(0o600);
        let lock = options.open(&lock_path).map_err(unwritable(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {
                let own = Self { path: path.to_owned(), _lock: lock };
                own.keep_spare();
                Ok(own)
            }
            Err(TryLockError::WouldBlock) => Err(StateError::Taken { path: lock_path }),
            Err(TryLockError::Error(source)) => Err(StateError::Unwritable { path: lock_path, source }),
        }
    }

    /// Counts this start and returns its number, higher than the last, on disk before it is used.
    ///
    /// No life is below the seconds of the clock. A node whose disk was replaced, or restored from a backup, then still comes
    /// back in a higher life than its neighbours remember, which would otherwise ignore everything it says.
    pub(crate) fn next_epoch(&self, now: Wall) -> Result<NodeEpoch, StateError> {
        let path = self.path.join(EPOCH);
        let seconds = u32::try_from(now.0 / 1000).unwrap_or(u32::MAX / 2);
        let epoch = match fs::read_to_string(&path) {
            Ok(text) => {
                let last: u32 =
                    text.trim().parse().map_err(|_| StateError::BadEpoch { path: path.clone() })?;
                self.next_after(last)?.max(seconds)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => seconds,
            Err(source) => return Err(StateError::Unwritable { path, source }),
        };
        self.count_epoch(epoch)
    }

    /// Counts a life above `last`, of which a neighbour remembers that this node has had it.
    pub(crate) fn epoch_above(&self, last: NodeEpoch) -> Result<NodeEpoch, StateError> {
        self.count_epoch(self.next_after(last.0)?)
    }

    fn next_after(&self, last: u32) -> Result<u32, StateError> {
        last.checked_add(1).ok_or_else(|| StateError::LastEpoch { path: self.path.join(EPOCH) })
    }

    /// On disk before it is used.
    fn count_epoch(&self, epoch: u32) -> Result<NodeEpoch, StateError> {
        self.replace(EPOCH, &format!("{epoch}\n"))?;
        Ok(NodeEpoch(epoch))
    }

    /// Writes a fresh token for the admin API and returns it: 64 hex digits, readable by this user alone.
    pub(crate) fn new_token(&self) -> Result<String, StateError> {
        self.new_secret(TOKEN)
    }

    /// The same for the token that only reads, which may be given away with less thought.
    pub(crate) fn new_reader_token(&self) -> Result<String, StateError> {
        self.new_secret(READER_TOKEN)
    }

    fn new_secret(&self, name: &str) -> Result<String, StateError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(StateError::Random)?;
        let token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        self.replace(name, &token)?;
        Ok(token)
    }

    /// The key that seals tickets and passes, made at the first start: tickets are good for a while after a restart.
    pub(crate) fn ticket_key(&self) -> Result<[u8; 32], StateError> {
        let path = self.path.join(TICKET_KEY);
        match fs::read_to_string(&path) {
            Ok(text) => from_hex(text.trim()).ok_or(StateError::BadKey { path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut key = [0; 32];
                getrandom::fill(&mut key).map_err(StateError::Random)?;
                let text: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
                self.replace(TICKET_KEY, &format!("{text}\n"))?;
                Ok(key)
            }
            Err(source) => Err(StateError::Unwritable { path, source }),
        }
    }

    /// Without space there is none, and what is to be written has to find some.
    fn keep_spare(&self) {
        let is_there = fs::metadata(self.path.join(SPARE)).is_ok_and(|meta| meta.len() == SPARE_BYTES as u64);
        if !is_there && let Err(error) = self.write(SPARE, &[b'\n'; SPARE_BYTES]) {
            tracing::warn!(path = %self.path.display(), %error, "no space can be kept back for the node's state");
        }
    }

    /// Puts a complete file in the place of the old one, and returns once it is on disk.
    fn replace(&self, name: &str, text: &str) -> Result<(), StateError> {
        let path = self.path.join(name);
        let mut written = self.write(name, text.as_bytes());
        if written.as_ref().is_err_and(is_for_want_of_space) && fs::remove_file(self.path.join(SPARE)).is_ok()
        {
            tracing::warn!(path = %path.display(), "the disk is full; this takes the space that was kept back for it");
            written = self.write(name, text.as_bytes());
        }
        written.map_err(|source| StateError::Unwritable { path, source })
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let permissions = fs::Permissions::from_mode(0o600);
        let mut file =
            tempfile::Builder::new().prefix(".new-").permissions(permissions).tempfile_in(&self.path)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(self.path.join(name))?;
        File::open(&self.path)?.sync_all()
    }
}

fn is_for_want_of_space(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    if text.len() != 2 * key.len() {
        return None;
    }
    for (place, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(key)
}

/// Where a node with this state directory writes the token that opens its admin API.
pub fn token_path(state_dir: &Path) -> PathBuf {
    state_dir.join(TOKEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Wall = Wall(1_800_000_000_000);

    #[test]
    fn every_start_has_a_higher_epoch_than_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().join("deep/state");
        let first = StateDir::open(&at).unwrap().next_epoch(NOW).unwrap();
        assert_eq!(first, NodeEpoch(1_800_000_000));
        // The clock went back a year in between.
        let second = StateDir::open(&at).unwrap().next_epoch(Wall(NOW.0 - 31_536_000_000)).unwrap();
        assert_eq!(second, NodeEpoch(first.0 + 1));
    }

    #[test]
    fn a_directory_serves_one_process_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let first = StateDir::open(dir.path()).unwrap();
        assert!(matches!(StateDir::open(dir.path()), Err(StateError::Taken { .. })));
        drop(first);
        assert!(StateDir::open(dir.path()).is_ok());
    }

    #[test]
    fn a_damaged_count_is_told_and_not_guessed() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(dir.path()).unwrap();
        fs::write(dir.path().join(EPOCH), "twelve").unwrap();
        assert!(matches!(state.next_epoch(NOW), Err(StateError::BadEpoch { .. })));
        fs::write(dir.path().join(EPOCH), u32::MAX.to_string()).unwrap();
        assert!(matches!(state.next_epoch(NOW), Err(StateError::LastEpoch { .. })));
    }

    #[test]
    fn the_token_is_new_at_each_start_and_for_this_user_alone() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(dir.path()).unwrap();
        let (first, second) = (state.new_token().unwrap(), state.new_token().unwrap());
        assert_ne!(first, second);
        assert_ne!(state.new_reader_token().unwrap(), second);
        let path = token_path(dir.path());
        assert_eq!(fs::read_to_string(&path).unwrap(), second);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    const SMALL_DISK: &str = "TAOYAO_TEST_SMALL_DISK";

    /// On a disk of its own, in a namespace where everybody may mount one.
    #[test]
    fn a_disk_that_others_have_filled_does_not_keep_a_node_from_starting() {
        let may_mount = std::process::Command::new("unshare").args(["-rm", "true"]).status();
        if !may_mount.is_ok_and(|status| status.success()) {
            eprintln!("this system lets nobody make a namespace; nothing was tested");
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let own = std::env::current_exe().unwrap();
        let script = "mount -t tmpfs -o size=512k none \"$TAOYAO_TEST_SMALL_DISK\" && exec \"$0\" \"$@\"";
        let ended = std::process::Command::new("unshare")
            .args(["-rm", "sh", "-c", script])
            .arg(own)
            .args(["--ignored", "--exact", "state_dir::tests::starts_on_a_full_disk"])
            .env(SMALL_DISK, dir.path())
            .status();
        assert!(ended.unwrap().success());
    }

    #[test]
    #[ignore = "is run by the test above, on a disk of its own"]
    fn starts_on_a_full_disk() {
        let disk = PathBuf::from(std::env::var_os(SMALL_DISK).expect("the other test sets it"));
        let own = disk.join("state");
        let first = StateDir::open(&own).unwrap().next_epoch(NOW).unwrap();
        let mut ballast = File::create(disk.join("ballast")).unwrap();
        while ballast.write_all(&[0; 4_096]).is_ok() {}
        // A file that is open keeps its space even when it is removed.
        drop(ballast);
        let state = StateDir::open(&own).unwrap();
        assert_eq!(state.next_epoch(NOW).unwrap(), NodeEpoch(first.0 + 1));
        state.new_token().unwrap();
        drop(state);
        fs::remove_file(disk.join("ballast")).unwrap();
        StateDir::open(&own).unwrap();
        assert!(own.join(SPARE).exists(), "space is kept back again when there is some");
    }
}

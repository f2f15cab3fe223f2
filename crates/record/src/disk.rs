//! The disk under the recordings: how much of it is left, and files that are nobody else's to read.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// What of a disk is left to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepFree {
    Bytes(u64),
    /// 0 to 100, of all that the disk has.
    Percent(u8),
}

/// Bytes of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Space {
    pub(crate) all: u64,
    /// For those who are not root.
    pub(crate) free: u64,
}

impl KeepFree {
    /// Whether so much is still free.
    pub(crate) fn is_kept(self, space: Space) -> bool {
        let kept = match self {
            Self::Bytes(bytes) => u128::from(bytes),
            Self::Percent(percent) => u128::from(space.all) * u128::from(percent) / 100,
        };
        u128::from(space.free) > kept
    }
}

impl Space {
    /// Of the disk that has this folder.
    pub(crate) fn of(folder: &Path) -> io::Result<Self> {
        let told = rustix::fs::statvfs(folder)?;
        let bytes = |blocks: u64| blocks.saturating_mul(told.f_frsize);
        Ok(Self { all: bytes(told.f_blocks), free: bytes(told.f_bavail) })
    }
}

/// Makes the folder, or takes from others what they could do in it before: recordings are evidence.
pub(crate) fn private_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mode = fs::metadata(folder)?.permissions().mode();
    if mode & 0o077 != 0 {
        fs::set_permissions(folder, Permissions::from_mode(mode & 0o700))?;
    }
    Ok(())
}

/// A new file of mode 0600.
pub(crate) fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Writes a file so that it is there whole or as it was; of mode 0600.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let beside = Path::new(&name);
    // One that a killed node has left.
    match fs::remove_file(beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = private_file(beside).and_then(|mut file| file.write_all(bytes));
    let replaced = written.and_then(|()| fs::rename(beside, path));
    if replaced.is_err() {
        let _never_made = fs::remove_file(beside).is_err();
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_the_disk_is_left_to_others() {
        let space = Space { all: 1_000, free: 50 };
        assert!(KeepFree::Bytes(49).is_kept(space) && !KeepFree::Bytes(50).is_kept(space));
        assert!(KeepFree::Percent(4).is_kept(space) && !KeepFree::Percent(5).is_kept(space));
        assert!(!KeepFree::Percent(0).is_kept(Space { all: 1_000, free: 0 }));
        let here = Space::of(Path::new("/")).unwrap();
        assert!(here.all >= here.free && here.all > 0);
    }

    #[test]
    fn nobody_else_reads_what_is_written() {
        let kept = tempfile::tempdir().unwrap();
        let folder = kept.path().join("a/b");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        private_folder(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700);
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        private_folder(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700, "also one that others could look into before");
        let file = folder.join("x.json");
        fs::write(folder.join("x.json.new"), "left behind").unwrap();
        replace(&file, b"1").unwrap();
        replace(&file, b"2").unwrap();
        assert_eq!((fs::read(&file).unwrap(), mode(&file)), (b"2".to_vec(), 0o600));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }
}

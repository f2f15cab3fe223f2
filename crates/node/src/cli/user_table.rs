//! The user table's file: read whole, written whole or not at all, never readable by others.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use taoyao_auth::Users;

use super::exit::{Exit, Failed};

const SUPERUSER: u32 = 0;

/// A user table and the file it is kept in.
#[derive(Debug)]
pub(crate) struct UserTable {
    pub(crate) path: PathBuf,
    pub(crate) users: Users,
}

impl UserTable {
    /// Reads the table; one that does not exist yet is empty.
    pub(crate) fn read(path: &Path) -> Result<Self, Failed> {
        let users = match fs::read_to_string(path) {
            Ok(text) => Users::parse(&text)
                .map_err(|bad| Failed::new(Exit::Configuration, format!("{}: {bad}", path.display())))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Users::default(),
            Err(error) => return Err(Failed::file(path, "read", &error)),
        };
        Ok(Self { path: path.to_owned(), users })
    }

    /// Puts the table in the place of the file that may be there, with mode 0600.
    ///
    /// A superuser leaves the file to the owner of the old one, or of the directory: the node has to read it.
    pub(crate) fn write(&self) -> Result<(), Failed> {
        self.replace().map_err(|error| Failed::file(&self.path, "written", &error))
    }

    fn replace(&self) -> io::Result<()> {
        let dir = match self.path.parent() {
            Some(dir) if dir != Path::new("") => dir,
            _ => Path::new("."),
        };
        fs::create_dir_all(dir)?;
        let mut file = tempfile::Builder::new()
            .prefix(".new-")
            .permissions(Permissions::from_mode(0o600))
            .tempfile_in(dir)?;
        file.write_all(self.users.to_toml().as_bytes())?;
        self.leave_to_reader(dir, file.as_file())?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        File::open(dir)?.sync_all()
    }

    fn leave_to_reader(&self, dir: &Path, file: &File) -> io::Result<()> {
        let own = file.metadata()?.uid();
        let reader = match fs::metadata(&self.path) {
            Ok(old) => old,
            Err(_) if own == SUPERUSER => fs::metadata(dir)?,
            Err(_) => return Ok(()),
        };
        if reader.uid() == own { Ok(()) } else { fchown(file, Some(reader.uid()), Some(reader.gid())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_written_for_its_owner_alone_and_nothing_else_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("topology/users.toml");
        let mut table = UserTable::read(&path).unwrap();
        table.users.add("ann", "correct horse", [7; 16]).unwrap();
        table.write().unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        table.users.add("bob", "battery staple", [8; 16]).unwrap();
        table.write().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no half-written file stays");
        assert_eq!(UserTable::read(&path).unwrap().users.list().len(), 2);
    }

    #[test]
    fn a_damaged_table_is_not_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("users.toml");
        fs::write(&path, "[user.ann]\nhash = \"plain\"\n").unwrap();
        assert_eq!(UserTable::read(&path).unwrap_err().exit, Exit::Configuration);
    }
}

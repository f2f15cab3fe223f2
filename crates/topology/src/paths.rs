//! Paths in the file mean: seen from the file's own directory.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

/// The directory of the topology file.
#[derive(Debug, Clone)]
pub(crate) struct Base(PathBuf);

impl Base {
    pub(crate) fn of_file(file: &str) -> Self {
        Self(Path::new(file).parent().unwrap_or(Path::new("")).to_owned())
    }

    /// The path that `text` means, with `..` taken back by spelling alone: `topology` and `../certs` give `certs`.
    pub(crate) fn resolve(&self, text: &str) -> PathBuf {
        let mut path = PathBuf::new();
        for part in self.0.join(text).components() {
            match part {
                Component::ParentDir
                    if matches!(path.components().next_back(), Some(Component::Normal(_))) =>
                {
                    path.pop();
                }
                Component::CurDir => {}
                part => path.push(<Component<'_> as AsRef<OsStr>>::as_ref(&part)),
            }
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_seen_from_the_files_directory() {
        let resolve = |file, text| Base::of_file(file).resolve(text);
        assert_eq!(resolve("topology/demo.toml", "../certs"), Path::new("certs"));
        assert_eq!(resolve("demo.toml", "../certs"), Path::new("../certs"));
        assert_eq!(resolve("./a/demo.toml", "x/./y"), Path::new("a/x/y"));
        assert_eq!(resolve("a/demo.toml", "/etc/certs"), Path::new("/etc/certs"));
        assert_eq!(resolve("../demo.toml", "../certs"), Path::new("../../certs"));
    }
}

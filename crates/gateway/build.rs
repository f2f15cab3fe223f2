//! Writes the table of the files under `assets/`, so that each is a part of the binary and none is forgotten.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("assets");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    collect(&root, "", &mut files)?;
    // The table is searched by halving.
    files.sort();
    let rows = files.iter().map(|(url, file)| format!("    ({url:?}, include_bytes!({file:?})),\n"));
    let table = format!("&[\n{}]\n", rows.collect::<String>());
    fs::write(Path::new(&env::var_os("OUT_DIR").expect("cargo sets it")).join("assets.rs"), table)
}

/// The files below a folder with their URL's paths.
fn collect(folder: &Path, url: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let url = format!("{url}/{}", entry.file_name().display());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &url, files)?;
        } else {
            files.push((url, entry.path()));
        }
    }
    Ok(())
}

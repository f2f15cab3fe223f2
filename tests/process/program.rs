//! The `taoyao` program under test: the one that `TAOYAO_BIN` names, or one that is built beside this test.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Where the program is. The first call may build it, which takes a while after a change.
pub(crate) fn taoyao() -> &'static Path {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let program =
        PROGRAM.get_or_init(|| env::var_os("TAOYAO_BIN").map_or_else(build, |path| Ok(named(path.as_ref()))));
    program.as_ref().unwrap_or_else(|error| panic!("{error}"))
}

/// A relative path is meant from where one types `cargo test`; cargo starts tests in the folder of their package.
fn named(path: &Path) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Cargo gives the path of a program only to tests of the program's own package, so it is asked to build it again, which
/// it has done already wherever the whole workspace is tested.
fn build() -> Result<PathBuf, String> {
    let test = env::current_exe().map_err(|error| format!("this test does not know where it is: {error}"))?;
    let profile = test.ancestors().nth(2).expect("tests lie in target/PROFILE/deps");
    let target = profile.parent().expect("a profile lies in the target folder");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--quiet", "--package", "taoyao-node", "--bin", "taoyao", "--target-dir"])
        .arg(target);
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let built = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let built = built.map_err(|error| format!("cargo cannot be started: {error}"))?;
    if built.status.success() {
        return Ok(profile.join("taoyao"));
    }
    Err(format!("taoyao cannot be built:\n{}", String::from_utf8_lossy(&built.stderr)))
}

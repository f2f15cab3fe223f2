//! `taoyao completion`: what a shell needs to complete the command line.

use std::io;

use clap::Args;
use clap_complete::Shell;

use super::exit::{Exit, Failed};
use super::{help, output};

/// Print what a shell needs to complete commands and options
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  taoyao completion bash > ~/.local/share/bash-completion/completions/taoyao
  taoyao completion zsh > \"${fpath[1]}/_taoyao\"
  taoyao completion fish > ~/.config/fish/completions/taoyao.fish")]
pub(crate) struct Completion {
    /// The shell
    shell: Shell,
}

impl Completion {
    pub(crate) fn run(self) -> Result<Exit, Failed> {
        let mut script = io::Cursor::new(Vec::new());
        clap_complete::generate(self.shell, &mut help::command(), "taoyao", &mut script);
        output::say(String::from_utf8_lossy(&script.into_inner()).trim_end())?;
        Ok(Exit::Fine)
    }
}

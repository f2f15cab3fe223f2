//! The help of `taoyao` itself: commands in groups, what happens without one, and the exit codes.

use std::fmt::Write as _;

use anstyle::Style;
use clap::CommandFactory;

use super::Cli;
use super::exit::Exit;

/// The groups of commands in the order of the help.
const GROUPS: [(&str, &[&str]); 4] = [
    ("Run a mesh", &["up", "node"]),
    ("Prepare one", &["topology", "cert", "user"]),
    (
        "Look into a running one",
        &[
            "status",
            "terminals",
            "terminal",
            "links",
            "alarms",
            "rooms",
            "room",
            "recordings",
            "recording",
            "trace",
        ],
    ),
    ("Other", &["bench", "completion", "help"]),
];

const EXAMPLES: [(&str, &str); 4] = [
    ("taoyao", "the demo mesh on this machine"),
    ("taoyao topology check my.toml", "every mistake, and what to write"),
    ("taoyao status", "how every node is"),
    ("taoyao trace ann@sh.east.cn bob@bj.north.cn", "the way of a signal"),
];

/// Narrow enough for any terminal.
const LINE_CHARS: usize = 80;

/// The whole command line with its help.
pub(crate) fn command() -> clap::Command {
    let command = Cli::command();
    let body = body(&command);
    command.help_template("{about-with-newline}\n{usage-heading} {usage}{after-help}").after_help(body)
}

fn body(command: &clap::Command) -> String {
    let heading = Style::new().bold().underline();
    let mut text = String::from(
        "Without a command it does `taoyao up topology/demo.toml`.\n`taoyao COMMAND --help` explains a command, with examples.\n",
    );
    for (title, names) in GROUPS {
        write!(text, "\n{heading}{title}:{heading:#}\n").expect("a String takes all");
        for name in names {
            line(&mut text, name, &about(command, name), 12);
        }
    }
    write!(text, "\n{heading}Examples:{heading:#}\n").expect("a String takes all");
    for (example, what) in EXAMPLES {
        line(&mut text, example, what, 46);
    }
    write!(text, "\n{heading}Exit codes:{heading:#}\n").expect("a String takes all");
    for exit in Exit::ALL {
        line(&mut text, &exit.code().to_string(), exit.meaning(), 4);
    }
    text.push_str("\nColours are for terminals only and NO_COLOR switches them off.");
    text
}

/// A line of two columns, the right one wrapped in itself.
fn line(text: &mut String, left: &str, right: &str, width: usize) {
    let bold = Style::new().bold();
    let gap = " ".repeat(width.saturating_sub(left.chars().count()));
    let right = wrapped(right, LINE_CHARS - 2 - width).join(&format!("\n  {}", " ".repeat(width)));
    writeln!(text, "  {bold}{left}{bold:#}{gap}{right}").expect("a String takes all");
}

/// Lines of at most `chars` characters, unless a word is longer.
fn wrapped(text: &str, chars: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut().filter(|line| line.chars().count() + 1 + word.chars().count() <= chars) {
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

fn about(command: &clap::Command, name: &str) -> String {
    let about = command.find_subcommand(name).and_then(|found| found.get_about());
    about.map_or_else(|| "Explain a command".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    #[test]
    fn every_command_stands_in_exactly_one_group() {
        let grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let distinct: BTreeSet<&str> = grouped.iter().copied().collect();
        assert_eq!(grouped.len(), distinct.len());
        let command = command();
        let there: BTreeSet<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        assert_eq!(distinct.difference(&there).copied().collect::<Vec<_>>(), ["help"]);
        assert_eq!(there.difference(&distinct).count(), 0, "{there:?}");
    }

    #[test]
    fn the_help_fits_any_terminal() {
        let text = anstream::adapter::strip_str(&body(&command())).to_string();
        let long: Vec<&str> = text.lines().filter(|line| line.chars().count() > LINE_CHARS).collect();
        assert!(long.is_empty(), "{long:?}");
    }

    #[test]
    fn the_command_line_is_consistent_and_every_command_teaches_by_example() {
        command().debug_assert();
        for (path, command) in verbs(&command(), "taoyao") {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains(&format!("  {path}")), "`{path} --help` has no example of `{path}`");
            assert!(command.get_about().is_some(), "{path}");
        }
    }

    #[test]
    fn the_documents_name_every_command_option_and_exit_code() {
        for file in ["docs/cli.md", "docs/zh/cli.md"] {
            let text = document(file);
            for (path, command) in verbs(&command(), "taoyao") {
                assert!(text.contains(&format!("`{path}")), "{file} does not name `{path}`");
                for option in command.get_arguments().filter_map(clap::Arg::get_long) {
                    assert!(
                        text.contains(&format!("--{option}")),
                        "{file} does not name --{option} of `{path}`"
                    );
                }
            }
            for exit in Exit::ALL {
                assert!(text.contains(&format!("| {} |", exit.code())), "{file}: exit code {}", exit.code());
            }
        }
    }

    /// The commands that do something, with all their words; not those that the program only calls itself by.
    fn verbs(command: &clap::Command, path: &str) -> Vec<(String, clap::Command)> {
        let mut found = Vec::new();
        for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
            let path = format!("{path} {}", below.get_name());
            if below.has_subcommands() {
                found.extend(verbs(below, &path))
            } else {
                found.push((path, below.clone()))
            }
        }
        found
    }

    fn document(file: &str) -> String {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

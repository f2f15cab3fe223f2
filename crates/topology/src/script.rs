//! `[[script]]`: what accounts may have a node run, and with which arguments. No shell reads any of it.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use taoyao_types::NodeId;

/// A program that the operator lets accounts run by `platform::script`, or by the signal of its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// One word, or one of [`Script::ORDERS`].
    pub name: String,
    /// An absolute path.
    pub program: PathBuf,
    /// Arguments that come before those of the account.
    pub fixed: Vec<String>,
    /// What the account has to give, in this order.
    pub arguments: Vec<Argument>,
    /// Where it runs; default `/`.
    pub dir: PathBuf,
    /// After this it is killed; default `limits::SCRIPT_TIMEOUT`.
    pub timeout: Duration,
    /// The nodes that have it; empty: all.
    pub nodes: Vec<NodeId>,
}

/// What an account may give as one argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// One of these words.
    OneOf(Vec<String>),
    /// A whole number, written in decimal digits.
    Number(RangeInclusive<u64>),
    /// 1 to 64 of a–z, 0–9 and `-`, no `-` first: it can be no option and no path.
    Name,
}

/// The arguments are not what the script takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} takes {takes}")]
pub struct BadArguments {
    name: String,
    takes: String,
}

impl Script {
    /// The signals that run a script of their own name.
    pub const ORDERS: [&str; 3] = ["platform::reboot", "system::reboot", "system::shutdown"];

    /// Whether it is run by a signal of its own, and by no other.
    pub fn is_order(&self) -> bool {
        Self::ORDERS.contains(&self.name.as_str())
    }

    pub fn is_at(&self, node: NodeId) -> bool {
        self.nodes.is_empty() || self.nodes.contains(&node)
    }

    /// Everything behind the program's name, if the account's arguments are what the script takes.
    pub fn command_line(&self, given: &[String]) -> Result<Vec<String>, BadArguments> {
        let is_taken = given.len() == self.arguments.len()
            && self.arguments.iter().zip(given).all(|(argument, word)| argument.takes(word));
        if is_taken {
            return Ok([self.fixed.as_slice(), given].concat());
        }
        let takes: Vec<String> = self.arguments.iter().map(ToString::to_string).collect();
        let takes = if takes.is_empty() { "no arguments".to_owned() } else { takes.join(", then ") };
        Err(BadArguments { name: self.name.clone(), takes })
    }
}

impl Argument {
    fn takes(&self, word: &str) -> bool {
        match self {
            Self::OneOf(words) => words.iter().any(|known| known == word),
            Self::Number(range) => {
                let is_plain = word.bytes().all(|byte| byte.is_ascii_digit());
                is_plain && word.parse().is_ok_and(|number| range.contains(&number))
            }
            Self::Name => is_name(word),
        }
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneOf(words) => write!(f, "{}", words.join("|")),
            Self::Number(range) => write!(f, "a number from {} to {}", range.start(), range.end()),
            Self::Name => write!(f, "a name of a-z, 0-9 and -"),
        }
    }
}

/// What a script may be called, and what [`Argument::Name`] takes.
pub(crate) fn is_name(word: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&word.len())
        && !word.starts_with('-')
        && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

const NAME_BYTES_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn script(arguments: Vec<Argument>) -> Script {
        Script {
            name: "lights".into(),
            program: "/bin/lights".into(),
            fixed: vec!["--quick".into()],
            arguments,
            dir: "/".into(),
            timeout: Duration::from_secs(4),
            nodes: Vec::new(),
        }
    }

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn arguments_that_fit_come_behind_the_fixed_ones() {
        let on_off = Argument::OneOf(words("on off"));
        let script = script(vec![on_off, Argument::Number(1..=16), Argument::Name]);
        assert_eq!(script.command_line(&words("on 16 hall-2")), Ok(words("--quick on 16 hall-2")));
    }

    #[test]
    fn others_are_refused_with_what_is_taken() {
        let on_off = Argument::OneOf(words("on off"));
        let script = script(vec![on_off, Argument::Number(1..=16), Argument::Name]);
        let too_long = format!("on 1 {}", "a".repeat(65));
        for given in [
            "",
            "on 1",
            "on 1 a b",
            "dim 1 a",
            "on 0 a",
            "on 17 a",
            "on +1 a",
            "on -1 a",
            "on 1 -a",
            "on 1 A",
            "on 1 a/b",
            "on 1 ..",
            "on 1 $(id)",
            "on 1 a;b",
            "on 99999999999999999999 a",
            &too_long,
        ] {
            let refused = script.command_line(&words(given)).unwrap_err().to_string();
            let takes = "lights takes on|off, then a number from 1 to 16, then a name of a-z, 0-9 and -";
            assert_eq!(refused, takes, "{given:?}");
        }
    }

    #[test]
    fn a_script_without_arguments_takes_none() {
        let script = script(Vec::new());
        assert_eq!(script.command_line(&[]), Ok(words("--quick")));
        assert_eq!(script.command_line(&words("x")).unwrap_err().to_string(), "lights takes no arguments");
    }
}

//! The three kinds of names: a node's path, a partition's dotted path, a terminal in its partition.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::limits;

/// Why a text is not a name. The text itself is not repeated: whoever shows the error has it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    #[error("it is empty")]
    Empty,
    #[error("it is longer than {max} bytes")]
    TooLong { max: usize },
    #[error("it has more than {max} parts")]
    TooDeep { max: usize },
    #[error("the part {part:?} is not 1 to 63 of a-z, 0-9 and inner '-'")]
    BadLabel { part: String },
    #[error("it contains the character {found:?}")]
    BadCharacter { found: char },
    #[error("it is not of the form clientId@partition")]
    NoPartition,
}

macro_rules! text_name {
    ($name:ident) => {
        impl $name {
            /// The text as it is written on the wire and in files.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
        impl TryFrom<String> for $name {
            type Error = BadName;
            fn try_from(text: String) -> Result<Self, BadName> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0.as_ref().to_owned()
            }
        }
    };
}

/// A node's place in the tree, root first: `cn/east/sh`. At most [`limits::TIERS_MAX`] parts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeName(Arc<str>);
text_name!(NodeName);

impl FromStr for NodeName {
    type Err = BadName;
    fn from_str(text: &str) -> Result<Self, BadName> {
        check_path(text, '/', limits::TIERS_MAX)?;
        Ok(Self(text.into()))
    }
}

impl NodeName {
    /// The node's own short name, the last part of its path: `sh`.
    pub fn short(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The partition that a node owns when its topology names none: its path read backwards, `sh.east.cn`.
    pub fn default_partition(&self) -> PartitionName {
        let labels: Vec<&str> = self.0.rsplit('/').collect();
        PartitionName(labels.join(".").into())
    }
}

/// A namespace of terminals and rooms, most specific label first: `sh.east.cn`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PartitionName(Arc<str>);
text_name!(PartitionName);

impl FromStr for PartitionName {
    type Err = BadName;
    fn from_str(text: &str) -> Result<Self, BadName> {
        check_path(text, '.', limits::PARTITION_LABELS_MAX)?;
        Ok(Self(text.into()))
    }
}

impl PartitionName {
    /// Whether this partition lies inside `other` (or is it): `sh.east.cn` is within `east.cn` and `cn`.
    pub fn is_within(&self, other: &PartitionName) -> bool {
        match self.0.strip_suffix(other.as_str()) {
            Some(rest) => rest.is_empty() || rest.ends_with('.'),
            None => false,
        }
    }
}

/// The id that a terminal chooses for itself; unique inside its partition.
///
/// Any text of 1 to [`limits::CLIENT_ID_BYTES_MAX`] bytes without control characters and without `@`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientId(Arc<str>);
text_name!(ClientId);

impl FromStr for ClientId {
    type Err = BadName;
    fn from_str(text: &str) -> Result<Self, BadName> {
        if text.is_empty() {
            return Err(BadName::Empty);
        }
        if text.len() > limits::CLIENT_ID_BYTES_MAX {
            return Err(BadName::TooLong { max: limits::CLIENT_ID_BYTES_MAX });
        }
        if let Some(found) = text.chars().find(|c| *c == '@' || c.is_control()) {
            return Err(BadName::BadCharacter { found });
        }
        Ok(Self(text.into()))
    }
}

/// A terminal's full name across the mesh: `cam-7@sh.east.cn`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TerminalName {
    pub partition: PartitionName,
    pub client: ClientId,
}

impl TerminalName {
    /// Reads what a terminal wrote into a client id field: a bare id means `home`'s partition.
    pub fn resolve(text: &str, home: &PartitionName) -> Result<Self, BadName> {
        if text.contains('@') {
            return text.parse();
        }
        Ok(Self { partition: home.clone(), client: text.parse()? })
    }

    /// How a terminal of partition `viewer` is shown this name: bare at home, in full elsewhere.
    pub fn seen_from(&self, viewer: &PartitionName) -> String {
        if self.partition == *viewer { self.client.to_string() } else { self.to_string() }
    }
}

impl fmt::Display for TerminalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.client, self.partition)
    }
}

impl fmt::Debug for TerminalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for TerminalName {
    type Err = BadName;
    fn from_str(text: &str) -> Result<Self, BadName> {
        let (client, partition) = text.split_once('@').ok_or(BadName::NoPartition)?;
        Ok(Self { partition: partition.parse()?, client: client.parse()? })
    }
}

impl TryFrom<String> for TerminalName {
    type Error = BadName;
    fn try_from(text: String) -> Result<Self, BadName> {
        text.parse()
    }
}

impl From<TerminalName> for String {
    fn from(name: TerminalName) -> String {
        name.to_string()
    }
}

/// Whether `text` may be one part of a node's or a partition's name.
pub fn check_label(text: &str) -> Result<(), BadName> {
    let body = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let ends = !text.starts_with('-') && !text.ends_with('-');
    if text.is_empty() || text.len() > 63 || !body || !ends {
        return Err(BadName::BadLabel { part: text.chars().take(80).collect() });
    }
    Ok(())
}

fn check_path(text: &str, separator: char, parts_max: usize) -> Result<(), BadName> {
    if text.is_empty() {
        return Err(BadName::Empty);
    }
    if text.len() > limits::NAME_BYTES_MAX {
        return Err(BadName::TooLong { max: limits::NAME_BYTES_MAX });
    }
    if text.split(separator).count() > parts_max {
        return Err(BadName::TooDeep { max: parts_max });
    }
    text.split(separator).try_for_each(check_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_path_reads_backwards_as_its_partition() {
        let node: NodeName = "cn/east/sh".parse().unwrap();
        assert_eq!(node.default_partition().as_str(), "sh.east.cn");
        assert_eq!(node.short(), "sh");
    }

    #[test]
    fn a_partition_is_within_its_ancestors_only_at_label_borders() {
        let sh: PartitionName = "sh.east.cn".parse().unwrap();
        assert!(sh.is_within(&"east.cn".parse().unwrap()));
        assert!(sh.is_within(&sh));
        assert!(!sh.is_within(&"st.cn".parse().unwrap()));
        assert!(!sh.is_within(&"north.cn".parse().unwrap()));
    }

    #[test]
    fn a_terminal_is_bare_at_home_and_full_elsewhere() {
        let home: PartitionName = "sh.east.cn".parse().unwrap();
        let name = TerminalName::resolve("cam-7", &home).unwrap();
        assert_eq!(name.seen_from(&home), "cam-7");
        assert_eq!(name.seen_from(&"bj.north.cn".parse().unwrap()), "cam-7@sh.east.cn");
        assert_eq!(TerminalName::resolve("cam-7@sh.east.cn", &"cn".parse().unwrap()).unwrap(), name);
    }

    #[test]
    fn names_out_of_bounds_say_why() {
        assert_eq!("".parse::<PartitionName>(), Err(BadName::Empty));
        assert!(
            matches!("East.cn".parse::<PartitionName>(), Err(BadName::BadLabel { part }) if part == "East")
        );
        assert!(matches!("a@b@c".parse::<TerminalName>(), Err(BadName::BadLabel { .. })));
        assert!(matches!("a\nb".parse::<ClientId>(), Err(BadName::BadCharacter { found: '\n' })));
        assert!(matches!("x".repeat(200).parse::<ClientId>(), Err(BadName::TooLong { .. })));
        assert!(matches!("a/b/c/d/e/f/g".parse::<NodeName>(), Err(BadName::TooDeep { max: 6 })));
    }
}

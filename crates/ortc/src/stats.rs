//! Statistics in the shapes of mediasoup's `getStats()`: lists of named values (reference section 6.5).

use serde::ser::{Serialize, SerializeMap, Serializer};

/// One object of a `status` array, its fields in the order in which they are written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stat(pub Vec<(&'static str, StatValue)>);

#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(untagged)]
pub enum StatValue {
    Count(u64),
    Number(f64),
    Text(String),
    Flag(bool),
    Nested(Stat),
}

impl Stat {
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<StatValue>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    pub fn get(&self, name: &str) -> Option<&StatValue> {
        self.0.iter().find(|(field, _)| *field == name).map(|(_, value)| value)
    }

    /// What is counted or measured under a name; none if it is not there, or is no number.
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.get(name)? {
            StatValue::Count(count) => Some(*count as f64),
            StatValue::Number(number) => Some(*number),
            StatValue::Text(_) | StatValue::Flag(_) | StatValue::Nested(_) => None,
        }
    }
}

impl Serialize for Stat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl From<u64> for StatValue {
    fn from(value: u64) -> Self {
        Self::Count(value)
    }
}

impl From<u32> for StatValue {
    fn from(value: u32) -> Self {
        Self::Count(value.into())
    }
}

impl From<f64> for StatValue {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<bool> for StatValue {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

impl From<&str> for StatValue {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for StatValue {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Stat> for StatValue {
    fn from(value: Stat) -> Self {
        Self::Nested(value)
    }
}

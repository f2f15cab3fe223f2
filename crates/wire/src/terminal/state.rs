//! The state of a terminal (reference section 3.4): kept by its node, shown to others as JSON text.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use taoyao_types::{NodeName, PartitionName, limits};

use super::client_type::ClientType;
use super::fields::Fields;
use super::nulls;
use super::outgoing::push_text;

/// What a terminal may report about itself when it registers and with each heartbeat. Absent fields change nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Readings {
    pub latitude: Option<f64>,
    pub longitude: Option<f64>,
    /// Percent.
    pub humidity: Option<f64>,
    /// Degrees Celsius.
    pub temperature: Option<f64>,
    /// Percent.
    pub signal: Option<i32>,
    /// Percent.
    pub battery: Option<i32>,
    pub alarming: Option<bool>,
    pub charging: Option<bool>,
    pub client_recording: Option<bool>,
    /// Free entries as JSON text, merged key by key.
    pub status: BTreeMap<String, String>,
    /// Free entries as JSON text, merged key by key.
    pub config: BTreeMap<String, String>,
}

impl Readings {
    pub fn of(fields: &Fields<'_>) -> Self {
        Self {
            latitude: fields.number("latitude"),
            longitude: fields.number("longitude"),
            humidity: fields.number("humidity"),
            temperature: fields.number("temperature"),
            signal: fields.whole("signal"),
            battery: fields.whole("battery"),
            alarming: fields.flag("alarming"),
            charging: fields.flag("charging"),
            client_recording: fields.flag("clientRecording"),
            status: free_entries(fields, "status"),
            config: free_entries(fields, "config"),
        }
    }
}

fn free_entries(fields: &Fields<'_>, name: &str) -> BTreeMap<String, String> {
    let inner = fields.inner(name);
    let entries = inner.iter().filter(|(_, json)| *json != "null");
    entries.map(|(key, json)| (key.to_owned(), nulls::without_nulls(json).into_owned())).collect()
}

/// The state of one terminal.
///
/// As text between nodes it has every property but `clientId` and `proxy`: these two depend on who looks, and
/// [`shown`] adds them.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientState {
    /// The address that the node sees.
    pub ip: String,
    pub name: Option<String>,
    pub client_type: ClientType,
    pub partition: PartitionName,
    /// The node that the terminal is connected to.
    pub node: NodeName,
    pub readings: Readings,
    pub server_recording: Option<bool>,
    /// `yyyy-MM-dd HH:mm:ss`, local time of the node.
    pub last_heartbeat: String,
}

impl ClientState {
    /// Takes over what a terminal reported. Free entries stop being taken at [`limits::FREE_STATE_BYTES_MAX`].
    pub fn merge(&mut self, new: Readings) {
        let old = &mut self.readings;
        replace(&mut old.latitude, new.latitude);
        replace(&mut old.longitude, new.longitude);
        replace(&mut old.humidity, new.humidity);
        replace(&mut old.temperature, new.temperature);
        replace(&mut old.signal, new.signal);
        replace(&mut old.battery, new.battery);
        replace(&mut old.alarming, new.alarming);
        replace(&mut old.charging, new.charging);
        replace(&mut old.client_recording, new.client_recording);
        merge_free(&mut old.status, new.status);
        merge_free(&mut old.config, new.config);
    }

    /// The state as JSON text, without the properties that depend on who looks.
    pub fn to_json(&self) -> String {
        serde_json::to_string(&Written::of(self)).expect("a state always encodes as JSON")
    }
}

fn replace<T>(old: &mut Option<T>, new: Option<T>) {
    if new.is_some() {
        *old = new;
    }
}

fn merge_free(old: &mut BTreeMap<String, String>, new: BTreeMap<String, String>) {
    let mut bytes: usize = old.iter().map(|(key, json)| key.len() + json.len()).sum();
    for (key, json) in new {
        let replaced = old.get(&key).map_or(0, |json| key.len() + json.len());
        let after = bytes - replaced + key.len() + json.len();
        if after <= limits::FREE_STATE_BYTES_MAX {
            bytes = after;
            old.insert(key, json);
        }
    }
}

/// A state's text as a viewer sees it: with the id that the terminal has for the viewer, and whether it is a proxy
/// (connected to another node than the viewer). None if `state`, which came from another node, is no JSON object.
pub fn shown(state: &str, client_id: &str, proxy: bool) -> Option<String> {
    let members = state.strip_prefix('{')?;
    serde_json::from_str::<BTreeMap<String, IgnoredAny>>(state).ok()?;
    let mut json = String::with_capacity(state.len() + client_id.len() + 32);
    json.push_str(r#"{"clientId":"#);
    push_text(&mut json, client_id);
    json.push_str(if proxy { r#","proxy":true"# } else { r#","proxy":false"# });
    if members.trim() != "}" {
        json.push(',');
    }
    json.push_str(members);
    Some(json)
}

/// The beginning of a state that came as text, `name` and `clientType`, for lists in which whole states have no place: no
/// longer than [`limits::BRIEF_NAME_BYTES_MAX`] and some words. The free maps are there, because clients look into them.
pub fn brief(state: &str) -> String {
    let fields = Fields::of_text(state);
    let mut json = String::from("{");
    if let Some(name) = fields.text("name") {
        json.push_str(r#""name":"#);
        push_short(&mut json, &name, limits::BRIEF_NAME_BYTES_MAX);
        json.push(',');
    }
    let kind = fields.text("clientType").and_then(|kind| kind.parse::<ClientType>().ok());
    if let Some(kind) = kind {
        json.push_str(r#""clientType":"#);
        push_text(&mut json, kind.as_str());
        json.push(',');
    }
    json.push_str(r#""status":{},"config":{}}"#);
    json
}

/// A text as JSON, cut so that it has no more than so many bytes.
fn push_short(json: &mut String, text: &str, bytes: usize) {
    let whole = json.len() + bytes;
    let before = json.len();
    let mut end = text.floor_char_boundary(bytes);
    loop {
        push_text(json, &text[..end]);
        if json.len() <= whole || end == 0 {
            return;
        }
        json.truncate(before);
        end = text.floor_char_boundary(end - end.div_ceil(8).max(1));
    }
}

/// The address that a terminal's node sees of it.
pub fn address(state: &str) -> Option<IpAddr> {
    #[derive(Deserialize)]
    struct Seen {
        ip: IpAddr,
    }
    serde_json::from_str::<Seen>(state).ok().map(|seen| seen.ip)
}

/// Whether a state that came from another node is a JSON object.
pub fn is_object(state: &str) -> bool {
    serde_json::from_str::<BTreeMap<String, IgnoredAny>>(state).is_ok()
}

/// The properties in the reference's order, then the mesh's.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    ip: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    client_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    latitude: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    longitude: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    humidity: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    battery: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alarming: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    charging: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_recording: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_recording: Option<bool>,
    status: BTreeMap<&'a str, &'a RawValue>,
    config: BTreeMap<&'a str, &'a RawValue>,
    last_heartbeat: &'a str,
    partition: &'a str,
    node: &'a str,
}

impl<'a> Written<'a> {
    fn of(state: &'a ClientState) -> Self {
        let readings = &state.readings;
        Self {
            ip: &state.ip,
            name: state.name.as_deref(),
            client_type: state.client_type.as_str(),
            latitude: readings.latitude,
            longitude: readings.longitude,
            humidity: readings.humidity,
            temperature: readings.temperature,
            signal: readings.signal,
            battery: readings.battery,
            alarming: readings.alarming,
            charging: readings.charging,
            client_recording: readings.client_recording,
            server_recording: state.server_recording,
            status: raw(&readings.status),
            config: raw(&readings.config),
            last_heartbeat: &state.last_heartbeat,
            partition: state.partition.as_str(),
            node: state.node.as_str(),
        }
    }
}

fn raw(entries: &BTreeMap<String, String>) -> BTreeMap<&str, &RawValue> {
    let mut written = BTreeMap::new();
    for (key, json) in entries {
        // Only texts that were cut out of valid JSON are in the map.
        if let Ok(value) = serde_json::from_str(json) {
            written.insert(key.as_str(), value);
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> ClientState {
        ClientState {
            ip: "192.168.1.50".into(),
            name: Some("Gate".into()),
            client_type: ClientType::Camera,
            partition: "sh.east.cn".parse().unwrap(),
            node: "cn/east/sh".parse().unwrap(),
            readings: Readings::default(),
            server_recording: None,
            last_heartbeat: "2023-06-01 12:00:00".into(),
        }
    }

    fn readings(json: &str) -> Readings {
        Readings::of(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn absent_values_are_left_out_and_the_free_maps_always_there() {
        let expected = concat!(
            r#"{"ip":"192.168.1.50","name":"Gate","clientType":"CAMERA","status":{},"config":{},"#,
            r#""lastHeartbeat":"2023-06-01 12:00:00","partition":"sh.east.cn","node":"cn/east/sh"}"#
        );
        assert_eq!(state().to_json(), expected);
    }

    #[test]
    fn a_heartbeat_changes_what_it_names_and_nothing_else() {
        let mut state = state();
        state.merge(readings(
            r#"{"battery":87.6,"alarming":true,"status":{"a":1,"b":[null]},"lastHeartbeat":"x"}"#,
        ));
        state.merge(readings(r#"{"latitude":30,"alarming":false,"charging":"x","status":{"a":{"n":null}}}"#));
        let json = state.to_json();
        assert!(json.contains(r#""latitude":30.0,"battery":87,"alarming":false,"status":"#), "{json}");
        assert!(json.contains(r#""status":{"a":{},"b":[null]}"#), "{json}");
        assert!(json.contains(r#""lastHeartbeat":"2023-06-01 12:00:00""#), "{json}");
    }

    #[test]
    fn free_entries_are_bounded() {
        let mut state = state();
        for i in 0..1_000 {
            let value = "x".repeat(100);
            state.merge(readings(&format!(r#"{{"status":{{"k{i}":"{value}"}}}}"#)));
        }
        assert!(state.to_json().len() < limits::FREE_STATE_BYTES_MAX * 2);
        let before = state.to_json();
        state.merge(readings(r#"{"status":{"k1":"y"}}"#));
        assert!(state.to_json().len() < before.len(), "an entry can be replaced by a smaller one");
    }

    #[test]
    fn a_brief_state_is_short_whatever_the_terminal_is_called() {
        let mut long = state();
        for name in ["\u{1}".repeat(256), "桃".repeat(85), "\"\\".repeat(128), String::new()] {
            long.name = Some(name);
            long.merge(readings(&format!(r#"{{"status":{{"k":"{}"}}}}"#, "x".repeat(4_000))));
            let brief = brief(&long.to_json());
            assert!(brief.len() <= limits::BRIEF_NAME_BYTES_MAX + 64, "{brief}");
            assert!(is_object(&brief), "{brief}");
        }
        let expected = r#"{"name":"Gate","clientType":"CAMERA","status":{},"config":{}}"#;
        assert_eq!(brief(&state().to_json()), expected);
        assert_eq!(brief(r#"{"clientType":"<b>"}"#), r#"{"status":{},"config":{}}"#);
        assert_eq!(brief("no object"), r#"{"status":{},"config":{}}"#);
    }

    #[test]
    fn a_viewer_sees_the_id_that_it_knows() {
        assert_eq!(
            shown(r#"{"ip":"1"}"#, "a@b", true).unwrap(),
            r#"{"clientId":"a@b","proxy":true,"ip":"1"}"#
        );
        assert_eq!(shown("{}", "a\"", false).unwrap(), r#"{"clientId":"a\"","proxy":false}"#);
        for broken in ["", "[]", "{", r#"{"a":1}}"#, r#"{"a":1},"b":2}"#] {
            assert_eq!(shown(broken, "a", true), None, "{broken}");
        }
    }
}

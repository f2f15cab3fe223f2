//! What `system::info` and `platform::script` are answered (reference section 4.5).

use serde::Serialize;

/// The machine that a node runs on, as of one moment. What could not be read is 0 or empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Machine {
    pub disks: Vec<Disk>,
    /// Bytes of main memory.
    pub memory_total: u64,
    /// Bytes of main memory that programs may still take.
    pub memory_free: u64,
    pub os_arch: String,
    pub os_name: String,
    pub os_version: String,
    pub processors: usize,
    /// What serves, in the place of the original's Java machine, and its version.
    pub program: String,
    pub version: String,
}

/// One file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// Where it is mounted.
    pub path: String,
    /// Bytes.
    pub free: u64,
    /// Bytes.
    pub total: u64,
}

impl Machine {
    /// The body of `system::info`. The original tells the memory of its Java machine, which has a bound of its own; a node
    /// has none, so `maxMemory` and `totalMemory` both are the machine's.
    pub fn to_json(&self) -> String {
        let Self { memory_total, memory_free, .. } = *self;
        let body = InfoBody {
            diskspace: self.disks.iter().map(DiskBody::of).collect(),
            max_memory: memory_total,
            free_memory: memory_free,
            total_memory: memory_total,
            max_memory_gracefully: gracefully(memory_total),
            free_memory_gracefully: gracefully(memory_free),
            total_memory_gracefully: gracefully(memory_total),
            os_arch: &self.os_arch,
            os_name: &self.os_name,
            os_version: &self.os_version,
            java_vm_name: &self.program,
            java_version: &self.version,
            cpu_processors: self.processors,
        };
        serde_json::to_string(&body).expect("texts and numbers always encode as JSON")
    }
}

/// The body of an answered `platform::script`, `{"result": text}`.
pub fn script_result(result: &str) -> String {
    #[derive(Serialize)]
    struct Body<'a> {
        result: &'a str,
    }
    serde_json::to_string(&Body { result }).expect("a text always encodes as JSON")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InfoBody<'a> {
    diskspace: Vec<DiskBody<'a>>,
    max_memory: u64,
    free_memory: u64,
    total_memory: u64,
    max_memory_gracefully: String,
    free_memory_gracefully: String,
    total_memory_gracefully: String,
    os_arch: &'a str,
    os_name: &'a str,
    os_version: &'a str,
    java_vm_name: &'a str,
    java_version: &'a str,
    cpu_processors: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DiskBody<'a> {
    path: &'a str,
    free: u64,
    total: u64,
    free_gracefully: String,
    total_gracefully: String,
}

impl<'a> DiskBody<'a> {
    fn of(disk: &'a Disk) -> Self {
        let Disk { ref path, free, total } = *disk;
        Self { path, free, total, free_gracefully: gracefully(free), total_gracefully: gracefully(total) }
    }
}

/// A size for people, such as `12.34GB`.
fn gracefully(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["B", "KB", "MB", "GB", "TB", "PB"];
    let (mut size, mut unit) = (bytes as f64, 0);
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        (size, unit) = (size / 1024.0, unit + 1);
    }
    format!("{size:.2}{}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_to_people_in_their_unit() {
        let shown = [0, 1023, 1024, 13_250_474_476, u64::MAX].map(gracefully);
        assert_eq!(shown, ["0.00B", "1023.00B", "1.00KB", "12.34GB", "16384.00PB"]);
    }

    #[test]
    fn a_machine_is_told_as_the_original_tells_its_own() {
        let machine = Machine {
            disks: vec![Disk { path: "/".into(), free: 1024, total: 2048 }],
            memory_total: 4096,
            memory_free: 512,
            os_arch: "x86_64".into(),
            os_name: "Linux".into(),
            os_version: "6.1".into(),
            processors: 2,
            program: "taoyao".into(),
            version: "0.1.0".into(),
        };
        let expected = concat!(
            r#"{"diskspace":[{"path":"/","free":1024,"total":2048,"freeGracefully":"1.00KB","totalGracefully":"2.00KB"}],"#,
            r#""maxMemory":4096,"freeMemory":512,"totalMemory":4096,"maxMemoryGracefully":"4.00KB","#,
            r#""freeMemoryGracefully":"512.00B","totalMemoryGracefully":"4.00KB","osArch":"x86_64","osName":"Linux","#,
            r#""osVersion":"6.1","javaVmName":"taoyao","javaVersion":"0.1.0","cpuProcessors":2}"#
        );
        assert_eq!(machine.to_json(), expected);
        assert_eq!(script_result("a\n\"b\""), r#"{"result":"a\n\"b\""}"#);
    }
}

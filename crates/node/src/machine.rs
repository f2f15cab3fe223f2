//! Looks at the machine that the node runs on: disks, memory, processors, kernel.

use std::fs;
use std::thread::available_parallelism;

use rustix::fs::statvfs;
use taoyao_wire::terminal::{Disk, Machine};

/// File systems that are told of; a machine with more of them shows the first.
const DISKS_MAX: usize = 64;

/// What can be read of it; the rest is 0 or empty. Blocks while the file systems answer.
pub(crate) fn look() -> Machine {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let memory = read("/proc/meminfo");
    Machine {
        disks: mounts(&read("/proc/self/mounts")).into_iter().filter_map(disk).collect(),
        memory_total: memory_bytes(&memory, "MemTotal:"),
        memory_free: memory_bytes(&memory, "MemAvailable:"),
        os_arch: std::env::consts::ARCH.to_owned(),
        os_name: read("/proc/sys/kernel/ostype").trim().to_owned(),
        os_version: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        processors: available_parallelism().map_or(0, usize::from),
        program: "taoyao".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

fn disk(path: String) -> Option<Disk> {
    let space = statvfs(path.as_str()).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(space.f_frsize);
    Some(Disk { path, free: bytes(space.f_bavail), total: bytes(space.f_blocks) })
}

/// `/`, and where each further device is mounted first. Others are no disks, and one of the network may not answer.
fn mounts(table: &str) -> Vec<String> {
    let mut devices = Vec::new();
    let mut paths = vec!["/".to_owned()];
    for line in table.lines() {
        let mut fields = line.split(' ');
        let (Some(device), Some(path)) = (fields.next(), fields.next()) else { continue };
        if !device.starts_with("/dev/") || devices.contains(&device) || paths.len() >= DISKS_MAX {
            continue;
        }
        devices.push(device);
        if path != "/" {
            paths.push(path.replace("\\040", " "));
        }
    }
    paths
}

/// A line of `/proc/meminfo`, which counts in KiB.
fn memory_bytes(table: &str, name: &str) -> u64 {
    let line = table.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_ascii_whitespace().next());
    number.and_then(|number| number.parse::<u64>().ok()).unwrap_or_default() * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_device_is_told_of_once_and_nothing_else() {
        let table = "/dev/vda1 / ext4 rw 0 0\nproc /proc proc rw 0 0\n/dev/vdb /my\\040data xfs rw 0 0\n\
                     /dev/vdb /again xfs rw 0 0\nserver:/x /nfs nfs4 rw 0 0\n";
        assert_eq!(mounts(table), ["/", "/my data"]);
        assert_eq!(mounts("overlay / overlay rw 0 0\n"), ["/"]);
    }

    #[test]
    fn memory_is_told_in_bytes() {
        let table = "MemTotal:       4030428 kB\nMemFree: 1 kB\nMemAvailable:    3000000 kB\n";
        assert_eq!(memory_bytes(table, "MemTotal:"), 4_030_428 * 1024);
        assert_eq!(memory_bytes(table, "SwapTotal:"), 0);
    }

    #[test]
    fn this_machine_has_a_root_memory_and_processors() {
        let machine = look();
        assert_eq!(machine.disks[0].path, "/");
        assert!(machine.disks[0].total > 0 && machine.memory_total > 0 && machine.processors > 0);
    }
}

//! How many threads a node's process runs on.

use std::io;
use std::num::NonZero;
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Runtime};

/// Up to this many cores one thread does all but checking passwords.
///
/// A signal passes three or four tasks of a node. On one thread each hand-over costs nothing; between threads it wakes a
/// sleeping core. Measured with three nodes on two cores, a request and its answer took a quarter to a third less time
/// on one thread, and a forwarded signal as much of the processor. With more cores, TLS for many terminals is worth them.
const ONE_THREAD_UP_TO_CORES: usize = 2;

/// The runtime for a process that is one node.
pub fn node_runtime() -> io::Result<Runtime> {
    let cores = available_parallelism().map_or(1, NonZero::get);
    let mut builder = if cores <= ONE_THREAD_UP_TO_CORES {
        Builder::new_current_thread()
    } else {
        Builder::new_multi_thread()
    };
    builder.enable_all().build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nodes_runtime_has_timers_and_sockets() {
        let runtime = node_runtime().unwrap();
        runtime.block_on(async {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        });
    }
}

//! Garbage on the ports of a node: bytes that mean nothing, and connections that say nothing.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::sleep;

use crate::shape::Place;

/// Pieces in one round on each port.
const PIECES: u64 = 20;
/// Time for which connections stay that say nothing.
const SILENT: Duration = Duration::from_millis(500);

/// Throws at every port of a node, and says how many pieces.
pub(super) async fn throw(place: &Place) -> Result<u64, String> {
    let thrown = at(place).await;
    thrown.map_err(|error| error.to_string())
}

async fn at(place: &Place) -> std::io::Result<u64> {
    let udp = UdpSocket::bind("127.0.0.1:0").await?;
    let mut silent = Vec::new();
    for _ in 0..PIECES {
        let mut piece = vec![0; fastrand::usize(1..1_400)];
        fastrand::fill(&mut piece);
        for port in [place.terminals, place.admin] {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
            // Closed as soon as its beginning is read.
            let _closed = stream.write_all(&piece).await.is_err();
            silent.push(stream);
        }
        // Nobody listens there at a site without children, which is told by an error the next time.
        for port in [place.links, place.terminals] {
            let _refused = udp.send_to(&piece, ("127.0.0.1", port)).await.is_err();
        }
    }
    sleep(SILENT).await;
    Ok(4 * PIECES)
}

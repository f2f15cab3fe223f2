//! Bad weather between a node and its parent: a UDP relay that delays, loses, and can be cut.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::task::JoinSet;

/// The largest UDP payload.
const PACKET_BYTES_MAX: usize = 65_535;

/// Passes packets on between one dialler at a time and a fixed acceptor. Ends when it is dropped.
pub(crate) struct Relay {
    pub(crate) port: u16,
    weather: Arc<Weather>,
    _passing: JoinSet<()>,
}

/// What happens to packets, both ways.
#[derive(Default)]
struct Weather {
    is_cut: AtomicBool,
    delay_us: AtomicU64,
    lost_per_mille: AtomicU64,
    dialler: std::sync::Mutex<Option<SocketAddr>>,
}

impl Relay {
    pub(crate) async fn to(acceptor: u16) -> Self {
        let front = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap());
        let back = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap());
        let port = front.local_addr().unwrap().port();
        let acceptor = SocketAddr::from((Ipv4Addr::LOCALHOST, acceptor));
        let weather = Arc::<Weather>::default();
        let mut passing = JoinSet::new();
        passing.spawn(up(front.clone(), back.clone(), acceptor, weather.clone()));
        passing.spawn(down(back, front, weather.clone()));
        Self { port, weather, _passing: passing }
    }

    /// From now on every packet takes this long each way, and so many of a thousand are lost.
    pub(crate) fn set(&self, delay: Duration, lost_per_mille: u64) {
        self.weather.delay_us.store(delay.as_micros() as u64, Relaxed);
        self.weather.lost_per_mille.store(lost_per_mille, Relaxed);
    }

    pub(crate) fn cut(&self) {
        self.weather.is_cut.store(true, Relaxed);
    }

    pub(crate) fn heal(&self) {
        self.weather.is_cut.store(false, Relaxed);
    }
}

async fn up(front: Arc<UdpSocket>, back: Arc<UdpSocket>, acceptor: SocketAddr, weather: Arc<Weather>) {
    let mut packet = vec![0; PACKET_BYTES_MAX];
    let mut dice = fastrand::Rng::with_seed(1);
    loop {
        // An error is what an earlier packet met (nobody listens there), and says nothing about the next one.
        let Ok((bytes, from)) = front.recv_from(&mut packet).await else { continue };
        *weather.dialler.lock().unwrap() = Some(from);
        pass(&weather, &mut dice, &back, &packet[..bytes], acceptor);
    }
}

async fn down(back: Arc<UdpSocket>, front: Arc<UdpSocket>, weather: Arc<Weather>) {
    let mut packet = vec![0; PACKET_BYTES_MAX];
    let mut dice = fastrand::Rng::with_seed(2);
    loop {
        let Ok((bytes, _)) = back.recv_from(&mut packet).await else { continue };
        let dialler = *weather.dialler.lock().unwrap();
        if let Some(dialler) = dialler {
            pass(&weather, &mut dice, &front, &packet[..bytes], dialler);
        }
    }
}

fn pass(weather: &Weather, dice: &mut fastrand::Rng, socket: &Arc<UdpSocket>, packet: &[u8], to: SocketAddr) {
    if weather.is_cut.load(Relaxed) || dice.u64(0..1000) < weather.lost_per_mille.load(Relaxed) {
        return;
    }
    let delay = Duration::from_micros(weather.delay_us.load(Relaxed));
    if delay.is_zero() {
        // What the system has no room for is lost, as on any line.
        let _lost = socket.try_send_to(packet, to).is_err();
        return;
    }
    let (socket, packet) = (socket.clone(), packet.to_vec());
    tokio::spawn(async move {
        tokio::time::sleep(delay).await;
        let _lost = socket.send_to(&packet, to).await.is_err();
    });
}

//! A clip as RTP: a picture that flashes and a sound that beeps at the same moments, made by ffmpeg, and its judge.

use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) const SECONDS: u32 = 8;
/// Every second a tenth of it is white and loud.
const PICTURE: &str = "color=black:s=320x240:r=30,drawbox=t=fill:color=white:enable='lt(mod(t,1),0.1)'";
const SOUND: &str = "aevalsrc='0.5*sin(6283*t)*lt(mod(t,1),0.1)':s=48000:c=stereo";
/// Nothing more comes.
const SILENCE: Duration = Duration::from_secs(3);

/// One stream's packets.
pub(crate) struct Stream {
    pub(crate) packets: Vec<Vec<u8>>,
    pub(crate) rate: u32,
}

/// Picture and sound.
pub(crate) fn make() -> [Stream; 2] {
    let sockets = [(); 2].map(|()| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    let [picture, sound] = [0, 1].map(|at| {
        let port = sockets[at].local_addr().unwrap().port();
        // Reports would go to the next port, which may be somebody's.
        format!("rtp://127.0.0.1:{port}?rtcpport=9")
    });
    let length = SECONDS.to_string();
    let mut ffmpeg = Command::new("ffmpeg")
        .args([
            "-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i", PICTURE, "-re", "-f", "lavfi", "-i", SOUND,
        ])
        .args(["-map", "0:v", "-t", &length, "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8"])
        .args(["-g", "30", "-b:v", "300k", "-payload_type", "101", "-f", "rtp", &picture])
        .args(["-map", "1:a", "-t", &length, "-c:a", "libopus", "-payload_type", "100", "-f", "rtp", &sound])
        .stdout(Stdio::null())
        .spawn()
        .expect("ffmpeg makes the clip");
    let readers = sockets.map(|socket| thread::spawn(move || read(&socket)));
    let [picture, sound] = readers.map(|reader| reader.join().unwrap());
    assert!(ffmpeg.wait().unwrap().success());
    [Stream { packets: picture, rate: 90_000 }, Stream { packets: sound, rate: 48_000 }]
}

fn read(socket: &UdpSocket) -> Vec<Vec<u8>> {
    // ffmpeg may take its time to begin.
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let (mut packets, mut buffer) = (Vec::new(), [0; 2_048]);
    while let Ok(length) = socket.recv(&mut buffer) {
        packets.push(buffer[..length].to_vec());
        socket.set_read_timeout(Some(SILENCE)).unwrap();
    }
    packets
}

/// Where RTP and RTCP of all streams of a sender go.
pub(crate) struct Way {
    rtp: UdpSocket,
    rtcp: UdpSocket,
}

impl Way {
    /// To these ports of this machine.
    pub(crate) fn to(rtp: u16, rtcp: u16) -> Self {
        let [rtp, rtcp] = [rtp, rtcp].map(|port| {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            socket.connect((Ipv4Addr::LOCALHOST, port)).unwrap();
            socket
        });
        Self { rtp, rtcp }
    }
}

impl Stream {
    pub(crate) fn ssrc(&self) -> u32 {
        u32_at(&self.packets[0], 8)
    }

    /// Sends the clip as it was made, `late` after `began`, with a sender report each second that knows nothing of the
    /// delay.
    pub(crate) fn play(&self, began: Instant, late: Duration, way: &Way) {
        let first = u32_at(&self.packets[0], 4);
        let mut reported = 0;
        for packet in &self.packets {
            let at = u32_at(packet, 4).wrapping_sub(first);
            let moment = Duration::from_secs_f64(f64::from(at) / f64::from(self.rate));
            thread::sleep((began + moment + late).saturating_duration_since(Instant::now()));
            way.rtp.send(packet).unwrap();
            if moment.as_secs() >= reported {
                reported = moment.as_secs() + 1;
                way.rtcp.send(&self.report(moment, first.wrapping_add(at))).unwrap();
            }
        }
    }

    /// Both streams began at one moment of the sender's clock.
    fn report(&self, moment: Duration, timestamp: u32) -> [u8; 28] {
        const BEGAN: u64 = 3_900_000_000;
        let ntp =
            ((BEGAN + moment.as_secs()) << 32) + (u64::from(moment.subsec_nanos()) << 32) / 1_000_000_000;
        let mut report = [0; 28];
        report[..4].copy_from_slice(&[0x80, 200, 0, 6]);
        report[4..8].copy_from_slice(&self.ssrc().to_be_bytes());
        report[8..16].copy_from_slice(&ntp.to_be_bytes());
        report[16..20].copy_from_slice(&timestamp.to_be_bytes());
        report
    }
}

/// What ffprobe says of a file.
pub(crate) fn probe(file: &Path) -> Value {
    let told = Command::new("ffprobe")
        .args(["-v", "error", "-show_streams", "-show_format", "-of", "json"])
        .arg(file)
        .output()
        .unwrap();
    assert!(told.status.success() && told.stderr.is_empty(), "{}", String::from_utf8_lossy(&told.stderr));
    serde_json::from_slice(&told.stdout).unwrap()
}

/// How long after each flash the beep next to it comes, in seconds.
pub(crate) fn drifts(file: &Path) -> Vec<f64> {
    let flashes = moments(file, &["-an", "-vf", "blackdetect=d=0.3:pix_th=0.4:pic_th=0.9"], "black_end:");
    let beeps = moments(file, &["-vn", "-af", "silencedetect=noise=-25dB:d=0.3"], "silence_end: ");
    // The last darkness may end with the file.
    let flashes = flashes.iter().take(flashes.len().saturating_sub(1));
    let nearest = |flash: &f64| {
        let drifts = beeps.iter().map(|beep| beep - flash);
        drifts.min_by(|one, other| one.abs().total_cmp(&other.abs())).unwrap_or(f64::INFINITY)
    };
    flashes.map(nearest).collect()
}

fn moments(file: &Path, filter: &[&str], name: &str) -> Vec<f64> {
    let told = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-i"])
        .arg(file)
        .args(filter)
        .args(["-f", "null", "-"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&told.stderr).into_owned();
    let values = text.split(name).skip(1);
    values.filter_map(|rest| rest.split_whitespace().next()?.parse().ok()).collect()
}

fn u32_at(packet: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(packet[at..at + 4].try_into().unwrap())
}

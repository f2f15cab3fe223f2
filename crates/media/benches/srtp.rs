//! Sealing and opening SRTP against the bare primitives: what headers, indices and windows cost on top.

use std::hint::black_box;

use aes::Aes128Enc;
use aes::cipher::{InnerIvInit, KeyInit, StreamCipher, StreamCipherCoreWrapper};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ctr::CtrCore;
use ctr::flavors::Ctr128BE;
use hmac::{Hmac, Mac};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sha1::Sha1;
use taoyao_media::peer::srtp::{MasterKey, Opener, Sealer, key_bytes, salt_bytes};
use taoyao_ortc::transport::SrtpSuite;

const HEADER: usize = 12;
/// A packet of video and one of sound.
const LENGTHS: [usize; 2] = [1_200, 160];

fn seal(c: &mut Criterion) {
    for len in LENGTHS {
        let mut group = c.benchmark_group(format!("seal {len} bytes"));
        group.throughput(Throughput::Elements(1));
        group.bench_function("bare AES-128-GCM", |b| {
            let key = gcm();
            let mut buffer = packet(len);
            b.iter(|| {
                let (header, payload) = buffer[..len].split_at_mut(HEADER);
                let nonce = Nonce::assume_unique_for_key([1; 12]);
                black_box(key.seal_in_place_separate_tag(nonce, Aad::from(&*header), payload).is_ok())
            });
        });
        group.bench_function("bare AES-CM and HMAC-SHA1", |b| {
            let (aes, hmac) = cm();
            let mut buffer = packet(len);
            b.iter(|| bare_cm(&aes, &hmac, &mut buffer[..len]));
        });
        for suite in [SrtpSuite::AeadAes128Gcm, SrtpSuite::AeadAes256Gcm, SrtpSuite::AesCm128HmacSha1_80] {
            group.bench_function(format!("{suite:?}"), |b| {
                let mut sealer = Sealer::new(&master(suite));
                let mut buffer = packet(len);
                let mut number = 0u16;
                b.iter(|| {
                    number = number.wrapping_add(1);
                    buffer[2..4].copy_from_slice(&number.to_be_bytes());
                    black_box(sealer.seal_rtp(&mut buffer, len).is_ok())
                });
            });
        }
        group.finish();
    }
}

fn open(c: &mut Criterion) {
    for len in LENGTHS {
        let mut group = c.benchmark_group(format!("open {len} bytes"));
        group.throughput(Throughput::Elements(1));
        for suite in [SrtpSuite::AeadAes128Gcm, SrtpSuite::AeadAes256Gcm, SrtpSuite::AesCm128HmacSha1_80] {
            let sealed = sealed_packets(suite, len);
            group.bench_function(format!("{suite:?}, with a copy"), |b| {
                let mut opener = Opener::new(&master(suite));
                let mut buffer = packet(len);
                let mut at = 0;
                b.iter(|| {
                    if at == sealed.len() {
                        at = 0;
                        opener = Opener::new(&master(suite));
                    }
                    let (bytes, count) = &sealed[at];
                    buffer[..*count].copy_from_slice(&bytes[..*count]);
                    at += 1;
                    assert!(opener.open_rtp(&mut buffer[..*count]).is_ok());
                });
            });
        }
        group.finish();
    }
}

fn sealed_packets(suite: SrtpSuite, len: usize) -> Vec<(Vec<u8>, usize)> {
    let mut sealer = Sealer::new(&master(suite));
    let seal = |number: u16| {
        let mut buffer = packet(len);
        buffer[2..4].copy_from_slice(&number.to_be_bytes());
        let count = sealer.seal_rtp(&mut buffer, len).expect("the packet is whole and has room");
        (buffer, count)
    };
    (0..4_096).map(seal).collect()
}

fn bare_cm(aes: &Aes128Enc, hmac: &Hmac<Sha1>, packet: &mut [u8]) {
    let core = CtrCore::<&Aes128Enc, Ctr128BE>::inner_iv_init(aes, &[1; 16].into());
    StreamCipherCoreWrapper::from_core(core).apply_keystream(&mut packet[HEADER..]);
    let mut hmac = hmac.clone();
    hmac.update(packet);
    black_box(hmac.finalize());
}

fn gcm() -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &[1; 16]).expect("16 bytes are a key"))
}

fn cm() -> (Aes128Enc, Hmac<Sha1>) {
    let hmac = Hmac::new_from_slice(&[2; 20]).expect("HMAC takes keys of any length");
    (Aes128Enc::new(&[1; 16].into()), hmac)
}

fn master(suite: SrtpSuite) -> MasterKey {
    let bytes = vec![5; key_bytes(suite) + salt_bytes(suite)];
    MasterKey::new(suite, &bytes).expect("the length is the suite's")
}

fn packet(len: usize) -> Vec<u8> {
    let mut packet = vec![0x5a; len + 32];
    packet[..HEADER].copy_from_slice(&[0x80, 96, 0, 0, 0, 0, 0, 1, 0, 0, 0, 9]);
    packet
}

criterion_group!(benches, seal, open);
criterion_main!(benches);

//! CRC-32 as in STUN's FINGERPRINT (RFC 8489, section 14.7; ISO 3309).

const POLYNOMIAL: u32 = 0xedb8_8320;
const TABLE: [u32; 256] = table();

pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| TABLE[usize::from(crc.to_le_bytes()[0] ^ byte)] ^ (crc >> 8);
    !bytes.iter().fold(u32::MAX, step)
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    while at < table.len() {
        table[at] = eight_steps(at as u32);
        at += 1;
    }
    table
}

const fn eight_steps(byte: u32) -> u32 {
    let mut crc = byte;
    let mut step = 0;
    while step < 8 {
        crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
        step += 1;
    }
    crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_check_value_comes_out() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}

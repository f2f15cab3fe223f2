//! Aggregation packets of H.264 and H.265: several units in one payload (RFC 6184, section 5.7; RFC 7798, section 4.4.2).

/// The units of an aggregation packet, each after its length in two bytes.
pub(super) fn units(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let (unit, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        rest = after;
        Some(unit)
    })
}

//! Takes an input apart into many: a fuzzer that has one string of bytes can so play a conversation.

/// One step of a conversation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<'a> {
    /// What is to be done with the bytes.
    pub(crate) choice: u8,
    pub(crate) bytes: &'a [u8],
}

/// Parts that are written one behind the other: a choice, a length, so many bytes. The last may be cut short.
pub(crate) fn parts(data: &[u8]) -> impl Iterator<Item = Part<'_>> {
    let mut rest = data;
    std::iter::from_fn(move || {
        let (&[choice, length], after) = rest.split_first_chunk::<2>()?;
        let (bytes, after) = after.split_at(after.len().min(length.into()));
        rest = after;
        Some(Part { choice, bytes })
    })
}

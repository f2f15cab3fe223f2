//! Packets without media, by which it is measured whether a way carries more (RFC 4588 streams, RFC 3550 padding).

use taoyao_ortc::MediaKind;
use taoyao_types::Instant;

use super::Router;
use super::consumer::Consumer;
use super::line::Line;
use crate::packet::{Form, Stamps, Tail};

/// A packet's last byte says how much padding it has.
const PADDING_MAX: usize = 255;
const HAS_PADDING: u8 = 0x20;

impl Router {
    /// The next packet of padding that a probe wants, if there is a stream that can carry it.
    pub(super) fn next_padding(
        &mut self,
        now: Instant,
        send_time: u32,
        index: usize,
        out: &mut [u8],
    ) -> Option<usize> {
        let transport = &mut self.transports[index];
        let estimator = &mut transport.line.control.as_mut()?.estimator;
        let Some(wanted) = estimator.poll_padding(now) else {
            let due = estimator.poll_probe();
            self.wake_by(due);
            return None;
        };
        let consumers = &mut self.consumers;
        let at = *transport.consumers.iter().find(|at| consumers[**at].can_pad())?;
        consumers[at].write_padding(now, send_time, wanted, &mut transport.line, out)
    }
}

impl Consumer {
    /// Padding goes under the numbers of retransmissions, where it leaves no gap in the media.
    fn can_pad(&self) -> bool {
        let can_carry = self.again.as_ref().is_some_and(|again| again.has_transport_cc());
        self.kind == MediaKind::Video && !self.is_paused && can_carry && self.numbers.aligned.is_some()
    }

    fn write_padding(
        &mut self,
        now: Instant,
        send_time: u32,
        wanted: usize,
        line: &mut Line,
        out: &mut [u8],
    ) -> Option<usize> {
        let again = self.again.as_ref()?;
        let stamps = Stamps {
            has_marker: false,
            sequence: self.rtx_sequence,
            timestamp: self.numbers.last_timestamp,
            send_time,
        };
        let written = again.write(out, &stamps, &Tail::EMPTY, &[])?;
        let count = wanted.clamp(1, PADDING_MAX);
        let length = written.bytes + count;
        let padding = out.get_mut(written.bytes..length)?;
        padding.fill(0);
        // At most 255.
        padding[count - 1] = count as u8;
        out[0] |= HAS_PADDING;
        let number = line.handle_sent(now, length, true);
        again.write_transport_number(out, Form::OneByte, number);
        self.rtx_sequence = self.rtx_sequence.wrapping_add(1);
        Some(length)
    }
}

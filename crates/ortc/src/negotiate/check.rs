//! Whether parameters and capabilities are well formed and within bounds.

use std::collections::BTreeSet;

use crate::bounds;
use crate::capabilities::RtpCapabilities;
use crate::control::Refused;
use crate::rtp::{Codec, Extension, Feedback, MediaKind, ParameterValue, Parameters, RtpParameters};

/// Whether capabilities are well formed and within bounds, whatever they say.
///
/// # Errors
/// What is wrong with them.
pub fn capabilities(capabilities: &RtpCapabilities) -> Result<(), Refused> {
    at_most("codecs", capabilities.codecs.len(), bounds::CODECS_MAX)?;
    at_most("header extensions", capabilities.header_extensions.len(), bounds::EXTENSIONS_MAX)?;
    for codec in &capabilities.codecs {
        mime_type(&codec.mime_type, codec.kind)?;
        payload_type(codec.preferred_payload_type)?;
        parameters_of(&codec.mime_type, &codec.parameters)?;
        feedback(&codec.rtcp_feedback)?;
    }
    capabilities.header_extensions.iter().try_for_each(|extension| text("a URI", &extension.uri))
}

/// Whether a producer's parameters are well formed and within bounds. Returns the codec in use.
///
/// # Errors
/// What is wrong with them.
pub(super) fn parameters(kind: MediaKind, rtp: &RtpParameters) -> Result<&Codec, Refused> {
    if let Some(mid) = &rtp.mid {
        stream_name("mid", mid)?;
    }
    if rtp.rtcp.cname.as_ref().is_some_and(|cname| cname.len() > bounds::CNAME_BYTES_MAX) {
        return invalid(format!("rtcp.cname is longer than {} bytes", bounds::CNAME_BYTES_MAX));
    }
    extensions(&rtp.header_extensions)?;
    let codec = codecs(kind, &rtp.codecs)?;
    encodings(kind, rtp)?;
    Ok(codec)
}

fn codecs(kind: MediaKind, codecs: &[Codec]) -> Result<&Codec, Refused> {
    at_most("codecs", codecs.len(), bounds::CODECS_MAX)?;
    let mut payload_types = BTreeSet::new();
    for codec in codecs {
        mime_type(&codec.mime_type, kind)?;
        payload_type(codec.payload_type)?;
        parameters_of(&codec.mime_type, &codec.parameters)?;
        feedback(&codec.rtcp_feedback)?;
        if codec.clock_rate == 0 {
            return invalid(format!("the clock rate of {} is 0", codec.mime_type));
        }
        if !payload_types.insert(codec.payload_type) {
            return invalid(format!("two codecs have the payload type {}", codec.payload_type));
        }
        if codec.is_rtx() {
            retransmits_one_of(codec, codecs)?;
        }
    }
    match codecs.iter().find(|codec| !codec.is_rtx()) {
        Some(codec) => Ok(codec),
        None => invalid("rtpParameters.codecs names no codec".to_owned()),
    }
}

fn retransmits_one_of(rtx: &Codec, codecs: &[Codec]) -> Result<(), Refused> {
    let is_meant = |codec: &&Codec| !codec.is_rtx() && rtx.integer("apt") == Some(codec.payload_type.into());
    match codecs.iter().find(is_meant) {
        Some(_) => Ok(()),
        None => invalid(format!(
            "the parameter apt of the codec rtx with the payload type {} is not the payload type of a codec beside it",
            rtx.payload_type
        )),
    }
}

fn extensions(extensions: &[Extension]) -> Result<(), Refused> {
    at_most("header extensions", extensions.len(), bounds::EXTENSIONS_MAX)?;
    let mut ids = BTreeSet::new();
    for extension in extensions {
        text("a URI", &extension.uri)?;
        at_most("parameters of a header extension", extension.parameters.len(), bounds::PARAMETERS_MAX)?;
        if extension.id == 0 || !ids.insert(extension.id) {
            return invalid(format!(
                "header extensions need numbers of their own, from 1; {} has {}",
                extension.uri, extension.id
            ));
        }
    }
    Ok(())
}

/// A stream that is the only one of its section is told by the section's name (RFC 8843, section 9.2).
fn encodings(kind: MediaKind, rtp: &RtpParameters) -> Result<(), Refused> {
    let encodings = &rtp.encodings;
    at_most("encodings", encodings.len(), bounds::ENCODINGS_MAX)?;
    match (encodings.len(), kind) {
        (0, _) => return invalid("rtpParameters.encodings is empty: write one for each stream".to_owned()),
        (2.., MediaKind::Audio) => {
            return Err(Refused::Unsupported(
                "audio has one encoding, there is no simulcast of it".to_owned(),
            ));
        }
        _ => {}
    }
    let (mut ssrcs, mut rids) = (BTreeSet::new(), BTreeSet::new());
    let is_named = encodings.len() == 1 && rtp.mid.is_some();
    for encoding in encodings {
        if encoding.ssrc.is_none() && encoding.rid.is_none() && !is_named {
            return invalid(
                "an encoding has neither ssrc nor rid; its packets could not be told apart".to_owned(),
            );
        }
        let again = encoding.rtx.map(|rtx| rtx.ssrc);
        if let Some(twice) = encoding.ssrc.into_iter().chain(again).find(|ssrc| !ssrcs.insert(*ssrc)) {
            return invalid(format!("two streams have the ssrc {twice}"));
        }
        if let Some(rid) = &encoding.rid {
            stream_name("rid", rid)?;
            if !rids.insert(rid) {
                return invalid(format!("two encodings have the rid {rid}"));
            }
        }
        if let Some(mode) = &encoding.scalability_mode {
            text("scalabilityMode", mode)?;
        }
    }
    Ok(())
}

fn mime_type(mime_type: &str, kind: MediaKind) -> Result<(), Refused> {
    text("a mimeType", mime_type)?;
    match mime_type.split_once('/') {
        Some((of, name)) if of.eq_ignore_ascii_case(kind.as_str()) && !name.is_empty() => Ok(()),
        _ => invalid(format!("{mime_type} is no codec of {0}: write {0}/NAME", kind.as_str())),
    }
}

fn payload_type(payload_type: u8) -> Result<(), Refused> {
    match payload_type {
        0..=bounds::PAYLOAD_TYPE_MAX => Ok(()),
        _ => invalid(format!("{payload_type} is no payload type: they end at {}", bounds::PAYLOAD_TYPE_MAX)),
    }
}

fn parameters_of(mime_type: &str, parameters: &Parameters) -> Result<(), Refused> {
    at_most("parameters of a codec", parameters.len(), bounds::PARAMETERS_MAX)?;
    for (name, value) in parameters {
        let bytes = match value {
            ParameterValue::Text(value) => value.len(),
            ParameterValue::Integer(_)
            | ParameterValue::Number(_)
            | ParameterValue::Flag(_)
            | ParameterValue::Null(()) => 0,
        };
        if name.len() + bytes > bounds::TEXT_BYTES_MAX {
            return invalid(format!(
                "a parameter of {mime_type} is longer than {} bytes",
                bounds::TEXT_BYTES_MAX
            ));
        }
    }
    Ok(())
}

fn feedback(feedback: &[Feedback]) -> Result<(), Refused> {
    at_most("rtcpFeedback of a codec", feedback.len(), bounds::FEEDBACK_MAX)?;
    feedback
        .iter()
        .flat_map(|one| [&one.what, &one.parameter])
        .try_for_each(|word| at_most("bytes of rtcpFeedback", word.len(), bounds::TEXT_BYTES_MAX))
}

fn stream_name(what: &str, name: &str) -> Result<(), Refused> {
    match name.len() {
        1..=bounds::STREAM_NAME_BYTES_MAX => Ok(()),
        _ => invalid(format!("a {what} has 1 to {} bytes", bounds::STREAM_NAME_BYTES_MAX)),
    }
}

fn text(what: &str, text: &str) -> Result<(), Refused> {
    match text.len() {
        1..=bounds::TEXT_BYTES_MAX => Ok(()),
        _ => invalid(format!("{what} has 1 to {} bytes", bounds::TEXT_BYTES_MAX)),
    }
}

fn at_most(what: &str, count: usize, max: usize) -> Result<(), Refused> {
    match count > max {
        true => invalid(format!("{count} {what} are too many: at most {max}")),
        false => Ok(()),
    }
}

fn invalid<T>(why: String) -> Result<T, Refused> {
    Err(Refused::Invalid(why))
}

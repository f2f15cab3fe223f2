//! Reads a text as the programs of the field write it: in more ways than the grammar has (RFC 8866, section 9).
//!
//! Nothing is lost by any of it: a mark of byte order, spaces around a value, line ends of any kind and lines that say
//! nothing to this end mean the same without them.

use sdp_types::{ParserError, Session};

use crate::error::BadSdp;

/// The lines that are understood here: version, sections and attributes. Times, bandwidths and addresses are of no use to an
/// end that is told by ICE where its peer is, and a mistake in them is no reason to refuse a stream.
const READ: [&str; 3] = ["v", "m", "a"];

/// Reads a session.
///
/// # Errors
/// There is a line that is none, or no version.
pub(crate) fn parse(text: &str) -> Result<Session, BadSdp> {
    Session::parse(tidied(text).as_bytes()).map_err(|why: ParserError| BadSdp::Syntax(why.to_string()))
}

/// One line for each line of the text, so that errors name the right one.
fn tidied(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut tidied = String::with_capacity(text.len());
    let unified = text.replace("\r\n", "\n").replace('\r', "\n");
    for line in unified.split('\n') {
        tidied.push_str(&tidied_line(line.trim_matches(is_blank)));
        tidied.push('\n');
    }
    tidied
}

fn is_blank(character: char) -> bool {
    character.is_whitespace() || character == '\0'
}

fn tidied_line(line: &str) -> String {
    match line.split_once('=') {
        Some((key, value)) if READ.contains(&key.trim()) => format!("{}={}", key.trim(), tidied_value(value)),
        Some((key, _)) if key.trim().chars().count() == 1 => String::new(),
        _ => line.to_owned(),
    }
}

/// Single spaces between words, none around the colon behind an attribute's name.
fn tidied_value(value: &str) -> String {
    let words: Vec<_> = value.split(is_blank).filter(|word| !word.is_empty()).collect();
    let value = words.join(" ");
    match value.split_once(':') {
        Some((name, rest)) if !name.trim_end().contains(' ') => {
            format!("{}:{}", name.trim_end(), rest.trim_start())
        }
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_nothing_is_passed_over() {
        let text = "\u{feff}v=0 \r\n\to=broken\r\nc=IN\r\nb=AS:x\r\nt=\r\r\na=mid: 0\r\nm=video  9 RTP/AVP  96 97 \n\
            a = fmtp : 96   a=b; c=d\t\r\na=x\0\n\n";
        assert_eq!(
            tidied(text).split('\n').filter(|line| !line.is_empty()).collect::<Vec<_>>(),
            ["v=0", "a=mid:0", "m=video 9 RTP/AVP 96 97", "a=fmtp:96 a=b; c=d", "a=x",]
        );
        assert!(parse(text).is_ok());
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let why = parse("v=0\r\no=x\r\nnonsense\r\n").unwrap_err().to_string();
        assert!(why.contains("line 3"), "{why}");
        assert!(parse("<html>\r\n").is_err());
        assert!(parse("").is_err());
    }

    #[test]
    fn a_colon_behind_several_words_is_left_as_it_is() {
        assert_eq!(tidied_value("fingerprint:sha-256  AB : CD"), "fingerprint:sha-256 AB : CD");
        assert_eq!(tidied_value("x y : z"), "x y : z");
    }
}

//! One `[[node.terminals.tcp]]` of the file as it was written.

use std::net::SocketAddr;

use taoyao_types::limits;

use super::node::read_listen;
use crate::mistake::{At, Span};
use crate::paths::Base;
use crate::read::Table;
use crate::tcp::{OldCipher, Secret, SecretKey, TcpMode};

/// The shortest bound that an operator may set: an error about a longer message still fits.
const FRAME_BYTES_MIN: u64 = 1024;

/// A listener for frames as it was written; what is unsafe in it was asked for.
#[derive(Debug)]
pub(crate) struct RawTcp {
    pub(crate) listen: At<SocketAddr>,
    pub(crate) mode: TcpMode,
    pub(crate) frame_bytes_max: Option<usize>,
    /// Where the file of the secret is named, if it is in a file.
    pub(crate) secret_file: Option<Span>,
}

#[derive(Debug, Clone, Copy)]
enum Mode {
    Tls,
    Plaintext,
    Keyed(OldCipher),
}

impl RawTcp {
    pub(crate) fn read(mut table: Table<'_>, base: &Base) -> Option<Self> {
        table.keep_secret();
        let listen = table.required("listen", TCP_EXAMPLE, read_listen);
        let mode = table.required("mode", "mode = \"tls\"", read_mode);
        let frame_bytes = FRAME_BYTES_MIN..=limits::TCP_FRAME_BYTES_MAX as u64;
        let frame_bytes_max = table.integer("frame_bytes_max", "frame_bytes_max = 15361", frame_bytes);
        let is_allowed = table.flag("allow_insecure_legacy", ALLOW_EXAMPLE).is_some_and(|flag| flag.value);
        let secret = WrittenSecret::read(&mut table);
        let mode = mode.and_then(|mode| {
            if !is_allowed {
                report_insecure(&table, &mode);
            }
            secret.of(&table, mode.value, base)
        });
        let secret_file = secret.file.map(|file| file.span);
        table.finish();
        let frame_bytes_max = frame_bytes_max.and_then(|bytes| usize::try_from(bytes).ok());
        Some(Self { listen: listen?, mode: mode?, frame_bytes_max, secret_file })
    }
}

pub(super) const TCP_EXAMPLE: &str = "tcp = [{ listen = \"0.0.0.0:9999\", mode = \"tls\" }]";
const ALLOW_EXAMPLE: &str = "allow_insecure_legacy = true";

fn read_mode(text: &str) -> Result<Mode, String> {
    match text {
        "tls" => Ok(Mode::Tls),
        "plaintext" => Ok(Mode::Plaintext),
        "des" => Ok(Mode::Keyed(OldCipher::Des)),
        "aes" => Ok(Mode::Keyed(OldCipher::Aes)),
        _ => Err("the modes are tls, plaintext, des and aes".to_owned()),
    }
}

fn report_insecure(table: &Table<'_>, mode: &At<Mode>) {
    let what = match mode.value {
        Mode::Tls => return,
        Mode::Plaintext => "mode `plaintext`: passwords and calls can be read and changed on their way",
        Mode::Keyed(OldCipher::Des) => {
            "mode `des`: its keys are found in hours and the published one is known, so passwords and calls can be read and changed on their way"
        }
        Mode::Keyed(OldCipher::Aes) => {
            "mode `aes` (ECB, without authentication): equal messages can be seen, and repeated or changed on their way"
        }
    };
    let advice = format!("mode = \"tls\"; or beside it, for old terminals that cannot: {ALLOW_EXAMPLE}");
    table.add(&mode.span, what, advice);
}

/// The two keys that a secret may be under.
struct WrittenSecret {
    given: Option<At<String>>,
    file: Option<At<String>>,
}

impl WrittenSecret {
    fn read(table: &mut Table<'_>) -> Self {
        let given = table.text("secret", "secret = \"…\"");
        Self { given, file: table.text("secret_file", SECRET_EXAMPLE) }
    }

    /// The mode with the secret that it needs; reports one that is missing, unfit or too much.
    fn of(&self, table: &Table<'_>, mode: Mode, base: &Base) -> Option<TcpMode> {
        let secret = match (mode, &self.given, &self.file) {
            (Mode::Tls, None, None) => return Some(TcpMode::Tls),
            (Mode::Plaintext, None, None) => return Some(TcpMode::Plaintext),
            (Mode::Tls | Mode::Plaintext, Some(at), _) | (Mode::Tls | Mode::Plaintext, None, Some(at)) => {
                table.add(&at.span, "a secret where none is used", "no such line, or mode = \"aes\"");
                return None;
            }
            (Mode::Keyed(_), None, None) => {
                table.missing("secret_file", SECRET_EXAMPLE);
                return None;
            }
            (Mode::Keyed(_), Some(given), Some(_)) => {
                table.add(&given.span, "a secret and a file of it", "one of the two");
                return None;
            }
            (Mode::Keyed(cipher), Some(given), None) => {
                (cipher, Secret::Given(read_key(table, given, cipher)?))
            }
            (Mode::Keyed(cipher), None, Some(file)) => (cipher, Secret::File(base.resolve(&file.value))),
        };
        let (cipher, secret) = secret;
        Some(TcpMode::Encrypted { cipher, secret })
    }
}

const SECRET_EXAMPLE: &str = "secret_file = \"tcp.secret\", a file with the key in Base64";

fn read_key(table: &Table<'_>, given: &At<String>, cipher: OldCipher) -> Option<SecretKey> {
    let read = SecretKey::read(&given.value, cipher);
    if let Err(why) = &read {
        let bytes = match cipher {
            OldCipher::Des => "8 bytes",
            OldCipher::Aes => "16, 24 or 32 bytes",
        };
        table.add(&given.span, format!("bad `secret`: {why}"), format!("{bytes} in Base64: secret = \"…\""));
    }
    read.ok()
}

//! Who is at the other end: the certificate's identity and the hello, on either side of a connection.

use quinn::{Connection, RecvStream, SendStream};
use rustls::pki_types::CertificateDer;
use taoyao_pki::{Identity, identity_of};
use taoyao_types::{NodeId, limits::HELLO_BYTES_MAX};
use taoyao_wire::link::hello::{BadHello, CloseCode, ConnectionKind, Hello};

use crate::handle::close_number;
use crate::local::Local;
use crate::{Ending, Side, explain};

/// A connection whose peer has said who it is.
#[derive(Debug)]
pub(crate) struct Greeted {
    pub(crate) connection: Connection,
    /// The only two-way stream; on a signal connection it becomes the control lane.
    pub(crate) send: SendStream,
    pub(crate) recv: RecvStream,
    /// What the peer said.
    pub(crate) hello: Hello,
}

/// The identity in the peer's certificate, which TLS has verified; it must be of our organisation.
pub(crate) fn peer_identity(connection: &Connection, local: &Local) -> Result<Identity, Ending> {
    let unknown = |reason: String| explain::here(CloseCode::UnknownNode, reason);
    let chain =
        connection.peer_identity().and_then(|any| any.downcast::<Vec<CertificateDer<'static>>>().ok());
    let Some(leaf) = chain.as_deref().and_then(|chain| chain.first()) else {
        return Err(unknown("the peer showed no certificate".to_owned()));
    };
    let identity =
        identity_of(leaf).map_err(|e| unknown(format!("the peer's certificate is no node's: {e}")))?;
    if identity.org() != local.org {
        let reason = format!("{identity} is of another organisation than {} of {}", local.own, local.org);
        return Err(unknown(reason));
    }
    Ok(identity)
}

pub(crate) async fn write_hello(send: &mut SendStream, hello: &Hello) -> Result<(), Ending> {
    let body = hello.encode();
    let mut bytes = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes().to_vec();
    bytes.extend_from_slice(&body);
    send.write_all(&bytes).await.map_err(|e| explain::write_failed(&e))
}

/// Reads a hello and checks it against the certificate, the kind of connection and the protocols of this build.
pub(crate) async fn read_hello(recv: &mut RecvStream, identity: &Identity) -> Result<Hello, Ending> {
    let mut length = [0; 4];
    recv.read_exact(&mut length).await.map_err(|e| explain::read_exact_failed(&e))?;
    let bytes = u32::from_be_bytes(length) as usize;
    if bytes > HELLO_BYTES_MAX {
        return Err(bad_hello(&BadHello::Size { bytes, max: HELLO_BYTES_MAX }));
    }
    let mut body = vec![0; bytes];
    recv.read_exact(&mut body).await.map_err(|e| explain::read_exact_failed(&e))?;
    let hello = Hello::decode(&body).map_err(|e| bad_hello(&e))?;
    if hello.node != NodeId::of(identity.node()) {
        let reason = format!("the hello is from another node than the certificate, which is {identity}");
        return Err(explain::here(CloseCode::Identity, reason));
    }
    hello.common_protocol().map_err(|e| bad_hello(&e))?;
    Ok(hello)
}

/// A hello for the wrong connection.
pub(crate) fn wrong_kind(expected: ConnectionKind) -> Ending {
    explain::here(CloseCode::Hello, format!("a hello that does not answer this connection ({expected:?})"))
}

/// Tells the peer why, unless the peer itself ended it.
pub(crate) fn turn_away(connection: &Connection, why: &Ending) {
    if why.by == Side::Here {
        connection.close(close_number(why.refusal.code), why.refusal.reason.as_bytes());
    }
}

fn bad_hello(error: &BadHello) -> Ending {
    let code = match error {
        BadHello::Version { .. } => CloseCode::Version,
        BadHello::Size { .. } | BadHello::Form(_) => CloseCode::Hello,
    };
    explain::here(code, error.to_string())
}

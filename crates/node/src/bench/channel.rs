//! What a measured client does, whatever protocol it speaks: it sends one prepared message, and counts what its partner
//! sends. The same loops drive terminals of the mesh and clients of the comparison.

use std::io;
use std::net::{Shutdown, TcpStream};
use std::thread::{self, JoinHandle};

/// One end of a conversation of two clients.
pub(super) trait Channel: Send + 'static {
    /// Sends the prepared message `count` times with one write.
    fn send(&mut self, count: usize) -> io::Result<()>;

    /// Waits for bytes; returns how many of the partner's messages were in them, which may be none.
    fn receive(&mut self) -> io::Result<usize>;

    /// The socket below; shutting it down ends a waiting [`Channel::receive`].
    fn socket(&self) -> &TcpStream;
}

/// A thread that answers every message with one message until it is dropped.
pub(super) struct Echo {
    socket: TcpStream,
    thread: Option<JoinHandle<()>>,
}

impl Echo {
    pub(super) fn start(mut channel: impl Channel) -> io::Result<Self> {
        let socket = channel.socket().try_clone()?;
        // Ends with the error of the socket that is shut down.
        let thread = thread::spawn(move || while echo_once(&mut channel).is_ok() {});
        Ok(Self { socket, thread: Some(thread) })
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        // Fails only if the other side has closed already.
        let _closed = self.socket.shutdown(Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

/// Answers what has come.
pub(super) fn echo_once(channel: &mut impl Channel) -> io::Result<usize> {
    let count = channel.receive()?;
    if count > 0 {
        channel.send(count)?;
    }
    Ok(count)
}

/// Sends once and waits for one message of the partner.
pub(super) fn round_trip(channel: &mut impl Channel) -> io::Result<()> {
    channel.send(1)?;
    while channel.receive()? == 0 {}
    Ok(())
}

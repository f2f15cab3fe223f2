//! What a measured client does, whatever protocol it speaks: it sends one prepared message again and again, and reads what
//! its partner sends. The same loops drive terminals of the mesh and clients of the comparison.

use std::io;
use std::net::{Shutdown, TcpStream};
use std::thread::{self, JoinHandle};

/// One end of a conversation of two clients.
pub(super) trait Channel: Send + 'static {
    /// The prepared message as it goes out.
    fn message(&self) -> &[u8];

    /// Sends messages with one write.
    fn write(&mut self, messages: &[u8]) -> io::Result<()>;

    /// Waits for bytes and shows each of the partner's messages that were in them; returns how many, which may be none.
    fn receive(&mut self, each: &mut dyn FnMut(&[u8])) -> io::Result<usize>;

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
    let count = channel.receive(&mut |_| ())?;
    if count > 0 {
        send(channel, count)?;
    }
    Ok(count)
}

/// Sends the prepared message `count` times with one write.
pub(super) fn send(channel: &mut impl Channel, count: usize) -> io::Result<()> {
    let messages = channel.message().repeat(count);
    channel.write(&messages)
}

/// Sends once and waits for one message of the partner.
pub(super) fn round_trip(channel: &mut impl Channel) -> io::Result<()> {
    send(channel, 1)?;
    while channel.receive(&mut |_| ())? == 0 {}
    Ok(())
}

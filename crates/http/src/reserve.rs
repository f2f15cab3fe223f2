//! Descriptors that a listener keeps back, so that it can accept when the process has none left.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::{Errno, dup2};
use tokio::net::TcpListener;

/// Spare descriptors: each is a duplicate of the listener's own, which costs nothing but its number.
#[derive(Debug)]
pub struct Reserve {
    spares: Vec<OwnedFd>,
    wanted: usize,
}

impl Reserve {
    /// Keeps back so many, as far as there are any.
    pub fn new(listener: &TcpListener, wanted: usize) -> Self {
        let mut reserve = Self { spares: Vec::with_capacity(wanted), wanted };
        reserve.fill(listener);
        reserve
    }

    /// Lets go of one for a connection that could not be accepted for want of it. False if that was not the reason, or none
    /// is left.
    pub fn release(&mut self, error: &io::Error) -> bool {
        is_exhausted(error) && self.spares.pop().is_some()
    }

    /// Takes back what was released, by a connection's own descriptor: it is closed and becomes a spare in one step, so that
    /// nobody else gets the number in between.
    pub fn take_back(&mut self, listener: &TcpListener, connection: impl Into<OwnedFd>) {
        let mut spare = connection.into();
        if self.spares.len() < self.wanted && dup2(listener.as_fd(), &mut spare).is_ok() {
            self.spares.push(spare);
        }
    }

    /// Keeps back what is missing, if the process has descriptors again.
    pub fn fill(&mut self, listener: &TcpListener) {
        while self.spares.len() < self.wanted {
            let Ok(spare) = listener.as_fd().try_clone_to_owned() else { return };
            self.spares.push(spare);
        }
    }
}

/// Whether the process, or the machine, has no descriptor left.
fn is_exhausted(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_released_is_taken_back_in_place() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut reserve = Reserve::new(&listener, 2);
        let exhausted = Errno::MFILE.into();
        assert!(!reserve.release(&io::ErrorKind::ConnectionReset.into()));
        assert!(reserve.release(&exhausted) && reserve.release(&exhausted) && !reserve.release(&exhausted));
        let client = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        reserve.take_back(&listener, server.into_std().unwrap());
        let mut end = [0];
        assert_eq!(client.peek(&mut end).await.unwrap(), 0, "the connection is closed");
        assert_eq!(reserve.spares.len(), 1);
        reserve.fill(&listener);
        assert_eq!(reserve.spares.len(), 2);
    }
}

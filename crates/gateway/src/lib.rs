//! The terminal-facing listener: TLS, HTTP, WebSocket, the web terminal's files.

//! Small programs that use a running mesh; see the binaries beside this file.

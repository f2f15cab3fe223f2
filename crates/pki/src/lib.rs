//! Certificates: the development CA, node identities, loading and reading them back.

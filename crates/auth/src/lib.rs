//! Credentials, password hashes and policy: who may do what, decided in one place.

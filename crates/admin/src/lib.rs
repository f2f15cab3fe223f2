//! The admin listener: health, readiness, metrics and the API behind the command line.

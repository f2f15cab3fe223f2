//! Credentials, password hashes and policy: who may do what, decided in one place.
//!
//! Four questions have their answer here and nowhere else: is this terminal or script who it says ([`Login`]), may it try
//! again already ([`LoginLimiter`]), may its account send this signal ([`Account`]), and may a terminal of one partition do
//! something to another ([`Policy`]).
//! All of it is pure: no clock, no randomness, no files.

mod account;
mod credentials;
mod hashing;
mod limiter;
mod login;
mod password;
mod policy;
mod recent;
mod seal;
mod token;
mod users;
mod version;

pub use account::{Account, AllowList, BadSignal, Lacking};
pub use credentials::Credentials;
pub use limiter::{LoginLimiter, RetryAfter};
pub use login::{Login, LoginVerdict, Refusal, SharedAccount};
pub use password::{hash_password, is_password};
pub use policy::{Denied, Explanation, Permit, Policy};
pub use recent::RecentLogins;
pub use seal::Sealer;
pub use token::{BadTokenHash, TokenHash, token};
pub use users::{BadToken, BadUser, BadUserTable, Place, User, Users};
pub use version::AccountVersion;

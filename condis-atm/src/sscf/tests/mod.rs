//! The service by its table, and two of them over a channel that does to PDUs what channels do.

mod channel;
mod replay;
mod service;

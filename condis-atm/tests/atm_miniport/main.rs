//! The ATM miniport by itself: virtual connections over a fibre and over a line of SDUs, made by a protocol without signaling.
#![allow(missing_docs, unreachable_pub, reason = "a test, in several files")]

mod bare;
mod cells;
mod pipe;
mod sdus;

//! Calls with many called parties.

//! The whole interface against another.

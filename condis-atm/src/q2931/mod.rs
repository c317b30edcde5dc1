//! The call control of the UNI: Q.2931, Q.2971 and Q.2963.1 as the ATM Forum's UNI 3.0, 3.1 and 4.0 use them.

pub mod call;
pub mod wire;

//! SSCOP, the assured transport of signaling (Q.2110).

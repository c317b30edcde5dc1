//! ATM as drivers of NDIS.

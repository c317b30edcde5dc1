//! AAL5: SDUs to cells and back (I.363.5).

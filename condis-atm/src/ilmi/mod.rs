//! ILMI: addresses between a host and its switch over VC 0/16.

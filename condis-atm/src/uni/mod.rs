//! One UNI: SAAL, Q.2931 and ILMI of one interface, without I/O.

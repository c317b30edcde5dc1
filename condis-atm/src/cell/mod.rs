//! Cells: headers of UNI and NNI, the HEC, raw cells, OAM (I.361, I.432.1, I.610).

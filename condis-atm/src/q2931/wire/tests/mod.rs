//! What the captures say, what is refused, and what comes back as it went.

mod captures;
mod check;
mod golden;
mod matrix;
mod round_trip;
mod samples;
mod tshark;

/// Holds text against a file beside the tests; with CONDIS_BLESS=1 the file is written anew.
fn snapshot(name: &str, expected: &str, found: &str) {
    if std::env::var_os("CONDIS_BLESS").is_some() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/q2931/wire/tests").join(name);
        std::fs::write(path, found).unwrap();
        return;
    }
    for (line, (expected, found)) in expected.lines().zip(found.lines()).enumerate() {
        assert_eq!(expected, found, "{name}, line {}", line + 1);
    }
    assert_eq!(expected.lines().count(), found.lines().count(), "lines of {name}");
}

/// The octets of hex digits, blanks where one likes.
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    assert!(digits.len().is_multiple_of(2), "{text}");
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

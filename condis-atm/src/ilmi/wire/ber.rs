//! BER, as far as SNMP goes: definite lengths, low tag numbers.

/// Why octets are no BER of the kind that is expected.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BerError {
    /// They end too early.
    #[error("it ends too early")]
    Truncated,
    /// The indefinite form, or more octets of length than four.
    #[error("a length in a form that is not taken")]
    Length,
    /// Something else stands there.
    #[error("tag {found:#04x}, expected {expected:#04x}")]
    Tag {
        /// What stands there.
        found: u8,
        /// What should.
        expected: u8,
    },
    /// A number without octets, or larger than any in SNMP.
    #[error("a number of {octets} octets")]
    Number {
        /// How many it has.
        octets: usize,
    },
    /// No object identifier, or one with too many arcs.
    #[error("no object identifier")]
    Oid,
    /// Octets behind the end.
    #[error("{0} octets behind its end")]
    Trailing(usize),
}

/// Elements one behind the other, to be read.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(octets: &'a [u8]) -> Reader<'a> {
        Reader(octets)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The next element: its tag and contents.
    pub(super) fn any(&mut self) -> Result<(u8, &'a [u8]), BerError> {
        let [tag, first, rest @ ..] = self.0 else { return Err(BerError::Truncated) };
        let (octets, rest) = match first {
            0..=0x7f => (usize::from(*first), rest),
            0x81..=0x84 => {
                let count = usize::from(first & 0x7f);
                let (length, rest) = rest.split_at_checked(count).ok_or(BerError::Truncated)?;
                (length.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)), rest)
            }
            0x80 | 0x85.. => return Err(BerError::Length),
        };
        let (contents, rest) = rest.split_at_checked(octets).ok_or(BerError::Truncated)?;
        self.0 = rest;
        Ok((*tag, contents))
    }

    /// The contents of the next element, which has this tag.
    pub(super) fn expect(&mut self, expected: u8) -> Result<&'a [u8], BerError> {
        match self.any()? {
            (found, contents) if found == expected => Ok(contents),
            (found, _) => Err(BerError::Tag { found, expected }),
        }
    }

    /// The next element, a number with this tag.
    pub(super) fn number(&mut self, tag: u8) -> Result<i64, BerError> {
        number(self.expect(tag)?)
    }

    /// There is no more.
    pub(super) fn end(self) -> Result<(), BerError> {
        if self.is_empty() { Ok(()) } else { Err(BerError::Trailing(self.0.len())) }
    }
}

/// A number's contents: two's complement, the highest octet first. Unsigned ones of 32 bits may have a leading zero.
pub(super) fn number(contents: &[u8]) -> Result<i64, BerError> {
    match contents {
        [first, ..] if contents.len() <= 5 => {
            let sign = if first & 0x80 != 0 { -1 } else { 0 };
            Ok(contents.iter().fold(sign, |number, octet| number << 8 | i64::from(*octet)))
        }
        _ => Err(BerError::Number { octets: contents.len() }),
    }
}

/// The shortest contents of a number.
pub(super) fn number_contents(number: i64) -> Vec<u8> {
    let octets = number.to_be_bytes();
    let needless = octets.windows(2).take_while(|pair| {
        let [first, second] = [pair[0], pair[1]];
        first == 0 && second < 0x80 || first == 0xff && second >= 0x80
    });
    octets[needless.count()..].to_vec()
}

/// Appends an element.
pub(super) fn put(to: &mut Vec<u8>, tag: u8, contents: &[u8]) {
    to.push(tag);
    let octets = contents.len();
    match octets {
        0..0x80 => to.push(octets as u8),
        0x80..0x100 => to.extend([0x81, octets as u8]),
        _ => to.extend([0x82, (octets >> 8) as u8, octets as u8]),
    }
    to.extend_from_slice(contents);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shortest_and_come_back() {
        let golden: [(i64, &[u8]); 8] = [
            (0, &[0]),
            (127, &[0x7f]),
            (128, &[0, 0x80]),
            (-1, &[0xff]),
            (-129, &[0xff, 0x7f]),
            (256, &[1, 0]),
            (i64::from(u32::MAX), &[0, 0xff, 0xff, 0xff, 0xff]),
            (i64::from(i32::MIN), &[0x80, 0, 0, 0]),
        ];
        for (value, octets) in golden {
            assert_eq!(number_contents(value), octets);
            assert_eq!(number(octets), Ok(value));
        }
        assert_eq!(number(&[]), Err(BerError::Number { octets: 0 }));
        assert_eq!(number(&[0; 6]), Err(BerError::Number { octets: 6 }));
    }

    #[test]
    fn lengths_of_every_form_are_read_and_the_indefinite_is_not() {
        for octets in [0, 1, 127, 128, 255, 256, 1000] {
            let mut element = Vec::new();
            put(&mut element, 4, &vec![7; octets]);
            let mut reader = Reader::new(&element);
            assert_eq!(reader.expect(4).unwrap().len(), octets);
            assert!(reader.end().is_ok());
            for len in 0..element.len() {
                assert_eq!(Reader::new(&element[..len]).any(), Err(BerError::Truncated));
            }
        }
        assert_eq!(Reader::new(&[4, 0x83, 0, 0, 1, 9]).any(), Ok((4, &[9][..])), "longer than need be");
        for first in [0x80, 0x85, 0xff] {
            assert_eq!(Reader::new(&[4, first, 0, 0, 0, 0, 0, 0]).any(), Err(BerError::Length));
        }
        assert_eq!(Reader::new(&[4, 0x84, 0xff, 0xff, 0xff, 0xff]).any(), Err(BerError::Truncated));
    }
}

//! Values that are written as text: times, sizes, rates, chances.

use std::num::NonZeroU64;
use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

use condis_link::memory::Chance;
use toml::Spanned;

use super::file::Quantity;
use super::{BitsPerSecond, LabError};

/// The text that a lab was read from.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// A path, or the name of a built-in.
    pub name: String,
    /// What is in it.
    pub text: String,
}

impl Source {
    pub(super) fn error(&self, span: Range<usize>, message: impl Into<String>, label: &str) -> LabError {
        LabError::new(message).at(self, span, label)
    }

    pub(super) fn duration(&self, value: &Spanned<String>) -> Result<Duration, LabError> {
        humantime::parse_duration(value.get_ref()).map_err(|_| {
            self.error(value.span(), format!("\"{}\" is no time", value.get_ref()), "here")
                .help("expected a number with a unit, such as \"1500us\", \"20ms\", \"5s\" or \"1min\"")
        })
    }

    pub(super) fn duration_or(
        &self,
        value: &Option<Spanned<String>>,
        default: Duration,
    ) -> Result<Duration, LabError> {
        value.as_ref().map_or(Ok(default), |value| self.duration(value))
    }

    pub(super) fn octets(&self, value: &Spanned<Quantity>) -> Result<u64, LabError> {
        let text = match value.get_ref() {
            Quantity::Number(octets) => return Ok(*octets),
            Quantity::Text(text) => text,
        };
        quantity(text, OCTET_UNITS).ok_or_else(|| {
            self.error(value.span(), format!("\"{text}\" is no size"), "here")
                .help("expected octets: a number, or one with a unit, such as 4096, \"64KiB\" or \"1MiB\"")
        })
    }

    pub(super) fn bits_per_second(&self, value: &Spanned<Quantity>) -> Result<BitsPerSecond, LabError> {
        let bits = match value.get_ref() {
            Quantity::Number(bits) => Some(*bits),
            Quantity::Text(text) => quantity(text, BIT_UNITS),
        };
        bits.and_then(BitsPerSecond::new).ok_or_else(|| {
            self.error(value.span(), "this is no rate", "here").help(
                "expected bits per second, more than none: a number, or one with a unit, such as \"100Mbit\"",
            )
        })
    }

    pub(super) fn cells_per_second(&self, value: &Spanned<Quantity>) -> Result<NonZeroU64, LabError> {
        self.cell_count(
            value,
            "this is no rate of cells",
            "expected cells a second, more than none: a number, such as 353207",
        )
    }

    pub(super) fn cells(&self, value: &Spanned<Quantity>) -> Result<NonZeroU64, LabError> {
        self.cell_count(value, "this is no number of cells", "expected cells, more than none")
    }

    fn cell_count(&self, value: &Spanned<Quantity>, what: &str, help: &str) -> Result<NonZeroU64, LabError> {
        let cells = match value.get_ref() {
            Quantity::Number(cells) => Some(*cells),
            Quantity::Text(text) => quantity(text, CELL_UNITS),
        };
        cells.and_then(NonZeroU64::new).ok_or_else(|| self.error(value.span(), what, "here").help(help))
    }

    pub(super) fn chance(&self, value: &Option<Spanned<f64>>) -> Result<Chance, LabError> {
        let Some(value) = value else { return Ok(Chance::NEVER) };
        Chance::try_from(*value.get_ref()).map_err(|error| {
            self.error(value.span(), error.to_string(), "here")
                .help("0.01 is one frame in a hundred, drawn for each frame by itself")
        })
    }
}

/// Octets as a text, such as `64KiB`.
pub(crate) fn octets_of(text: &str) -> Option<u64> {
    quantity(text, OCTET_UNITS)
}

fn quantity(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number = u64::from_str(&number.replace('_', "")).ok()?;
    let unit = unit.trim();
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.checked_mul(*factor)
}

const OCTET_UNITS: &[(&str, u64)] = &[
    ("", 1),
    ("B", 1),
    ("kB", 1000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

const CELL_UNITS: &[(&str, u64)] = &[("", 1), ("k", 1000), ("M", 1_000_000)];

const BIT_UNITS: &[(&str, u64)] =
    &[("", 1), ("bit", 1), ("kbit", 1000), ("Mbit", 1_000_000), ("Gbit", 1_000_000_000)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_have_units() {
        assert_eq!(quantity("1MiB", OCTET_UNITS), Some(1 << 20));
        assert_eq!(quantity("10_000", OCTET_UNITS), Some(10_000));
        assert_eq!(quantity("100 Mbit", BIT_UNITS), Some(100_000_000));
        for wrong in ["", "MiB", "-1", "1mib", "99999999999GiB"] {
            assert_eq!(quantity(wrong, OCTET_UNITS), None, "{wrong}");
        }
    }
}

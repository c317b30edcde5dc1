//! Why a call was closed: the data of a close, and of a drop of a party.

use condis::params::CloseData;

use super::ParamsError;
use super::call_params::{ie_of, octets_of};
use crate::q2931::wire::{Cause, CauseValue, Ie, IeValue, Location};

/// Why a call or a party ended.
///
/// In the form of ATM_CAUSE_IE, with a text behind it for people: location (1), value (1), octets of diagnostics (1), the
/// diagnostics as they are on the wire (padded to 4 at least), and then the text in UTF-8, up to the end.
///
/// A client's own close data has the same form; its text is not sent, since a cause has no place for it. Without close data a
/// client's close is "normal call clearing", 16.
#[derive(Clone, PartialEq, Eq, Debug)]
#[doc(alias = "ATM_CAUSE_IE")]
pub struct CloseCause {
    /// The cause as Q.2931 has it (Q.850).
    pub cause: Cause,
}

impl CloseCause {
    /// This cause, as it arises at a user.
    pub fn user(value: CauseValue) -> CloseCause {
        CloseCause { cause: Cause::user(value) }
    }

    /// The cause in words.
    pub fn text(&self) -> &'static str {
        self.cause.text()
    }

    /// The close data.
    pub fn to_data(&self) -> CloseData {
        let ie = octets_of(Ie::new(self.cause.clone())).unwrap_or_default();
        let diagnostics = ie.get(CAUSE_AT + 2..).unwrap_or_default();
        let mut data = vec![self.cause.location.0, self.cause.value.0, diagnostics.len() as u8];
        data.extend_from_slice(diagnostics);
        data.resize(data.len().max(FIXED_OCTETS), 0);
        data.extend_from_slice(self.text().as_bytes());
        data
    }

    /// Reads close data. Empty data is "normal call clearing" of the user.
    ///
    /// # Errors
    /// See [`ParamsError`].
    pub fn from_data(data: &[u8]) -> Result<CloseCause, ParamsError> {
        if data.is_empty() {
            return Ok(CloseCause::user(CauseValue::NORMAL_CLEARING));
        }
        let cut = ParamsError::Truncated { len: data.len() };
        let (&[location, value, len], rest) = data.split_first_chunk().ok_or(cut)?;
        let diagnostics = rest.get(..usize::from(len)).filter(|_| data.len() >= FIXED_OCTETS).ok_or(cut)?;
        if location > 0x0f || value > 0x7f {
            return Err(ParamsError::InformationElement);
        }
        let mut ie = octets_of(Ie::new(Cause::new(Location(location), CauseValue(value))))
            .ok_or(ParamsError::InformationElement)?;
        ie.extend_from_slice(diagnostics);
        let octets = u16::try_from(ie.len() - CAUSE_AT).map_err(|_| ParamsError::InformationElement)?;
        ie[CAUSE_AT - 2..CAUSE_AT].copy_from_slice(&octets.to_be_bytes());
        match ie_of(&ie).map(|ie| ie.value) {
            Some(IeValue::Cause(cause)) => Ok(CloseCause { cause }),
            _ => Err(ParamsError::InformationElement),
        }
    }
}

/// `user busy (17), user`.
impl std::fmt::Display for CloseCause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}), {}", self.text(), self.cause.value.0, self.cause.location)
    }
}

/// Where the contents of an IE begin.
const CAUSE_AT: usize = 4;
/// Octets of an ATM_CAUSE_IE.
const FIXED_OCTETS: usize = 7;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::q2931::wire::IeId;

    #[test]
    fn causes_are_read_as_they_were_written() {
        let causes = [
            Cause::user(CauseValue::USER_BUSY),
            Cause::timer(Location::PRIVATE_LOCAL, 303),
            Cause::user(CauseValue::MANDATORY_IE_MISSING).about(IeId::CALLED_PARTY_NUMBER),
            Cause::new(Location::BEYOND_INTERWORKING, CauseValue(127)),
        ];
        for cause in causes {
            let close = CloseCause { cause };
            let data = close.to_data();
            assert!(data.ends_with(close.text().as_bytes()));
            assert_eq!(CloseCause::from_data(&data), Ok(close.clone()));
            for len in 1..FIXED_OCTETS {
                assert!(CloseCause::from_data(&data[..len]).is_err(), "{len} octets of {close}");
            }
        }
        assert_eq!(CloseCause::from_data(&[]), Ok(CloseCause::user(CauseValue::NORMAL_CLEARING)));
        assert_eq!(CloseCause::from_data(b"bye bye bye"), Err(ParamsError::Truncated { len: 11 }));
        assert_eq!(CloseCause::from_data(&[0, 200, 0, 0, 0, 0, 0]), Err(ParamsError::InformationElement));
    }

    #[test]
    fn a_cause_prints_in_one_line() {
        assert_eq!(CloseCause::user(CauseValue::USER_BUSY).to_string(), "user busy (17), user");
    }
}

//! The octet behind a message type and behind an IE identifier: coding standard, and what to do with what is
//! not understood.

use std::fmt;

/// Whose coding an IE's contents are in (Q.2931 §4.5.1, bits 7 and 6).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Coding {
    /// ITU-T.
    Itu = 0,
    /// ISO/IEC.
    Iso = 1,
    /// National.
    National = 2,
    /// The network's own, public or private: the ATM Forum's.
    Network = 3,
}

/// What a sender wants done with an IE that the receiver does not understand (Q.2931 §4.5.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum IeAction {
    /// Clear the call.
    ClearCall = 0,
    /// Discard the IE and proceed.
    DiscardIe = 1,
    /// Discard the IE, proceed, and report status.
    DiscardIeAndReport = 2,
    /// Discard the message and ignore it.
    DiscardMessage = 5,
    /// Discard the message and report status.
    DiscardMessageAndReport = 6,
}

/// What a sender wants done with a message that the receiver does not understand (Q.2931 §4.4.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum MessageAction {
    /// Clear the call.
    ClearCall = 0,
    /// Discard it and ignore it.
    Discard = 1,
    /// Discard it and report status.
    DiscardAndReport = 2,
}

/// The lower five bits of an IE's second octet: flag, pass along, action.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IeInstruction(u8);

/// The second octet of a message type: flag, pass along, action.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageInstruction(u8);

const FLAG: u8 = 0x10;
const PASS_ALONG: u8 = 0x08;

impl Coding {
    pub(super) const fn of(octet: u8) -> Coding {
        match octet >> 5 & 3 {
            0 => Coding::Itu,
            1 => Coding::Iso,
            2 => Coding::National,
            _ => Coding::Network,
        }
    }
}

impl IeInstruction {
    /// Flag 0: the regular error handling.
    pub const REGULAR: IeInstruction = IeInstruction(0);

    /// Flag 1: follow `action`.
    pub const fn follow(action: IeAction) -> IeInstruction {
        IeInstruction(FLAG | action as u8)
    }

    /// The same, with PNNI's request to pass on what is not understood.
    pub const fn with_pass_along(self) -> IeInstruction {
        IeInstruction(self.0 | PASS_ALONG)
    }

    /// What to follow; `None` with flag 0, or if the action is one that the standard has not.
    pub const fn action(self) -> Option<IeAction> {
        if self.0 & FLAG == 0 {
            return None;
        }
        match self.0 & 7 {
            0 => Some(IeAction::ClearCall),
            1 => Some(IeAction::DiscardIe),
            2 => Some(IeAction::DiscardIeAndReport),
            5 => Some(IeAction::DiscardMessage),
            6 => Some(IeAction::DiscardMessageAndReport),
            _ => None,
        }
    }

    /// PNNI's pass along request.
    pub const fn is_pass_along(self) -> bool {
        self.0 & PASS_ALONG != 0
    }

    pub(super) const fn from_bits(octet: u8) -> IeInstruction {
        IeInstruction(octet & 0x1f)
    }

    pub(super) const fn bits(self) -> u8 {
        self.0
    }
}

impl MessageInstruction {
    /// Flag 0: the regular error handling.
    pub const REGULAR: MessageInstruction = MessageInstruction(0);

    /// Flag 1: follow `action`.
    pub const fn follow(action: MessageAction) -> MessageInstruction {
        MessageInstruction(FLAG | action as u8)
    }

    /// The same, with PNNI's request to pass on what is not understood.
    pub const fn with_pass_along(self) -> MessageInstruction {
        MessageInstruction(self.0 | PASS_ALONG)
    }

    /// What to follow; `None` with flag 0, or if the action is one that the standard has not.
    pub const fn action(self) -> Option<MessageAction> {
        if self.0 & FLAG == 0 {
            return None;
        }
        match self.0 & 3 {
            0 => Some(MessageAction::ClearCall),
            1 => Some(MessageAction::Discard),
            2 => Some(MessageAction::DiscardAndReport),
            _ => None,
        }
    }

    /// PNNI's pass along request.
    pub const fn is_pass_along(self) -> bool {
        self.0 & PASS_ALONG != 0
    }

    pub(super) const fn from_bits(octet: u8) -> MessageInstruction {
        MessageInstruction(octet & 0x1b)
    }

    pub(super) const fn bits(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Coding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Coding::Itu => "itu",
            Coding::Iso => "iso",
            Coding::National => "national",
            Coding::Network => "network",
        })
    }
}

impl fmt::Display for IeInstruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let along = if self.is_pass_along() { "+pass-along" } else { "" };
        match self.action() {
            Some(IeAction::ClearCall) => write!(f, "clear{along}"),
            Some(IeAction::DiscardIe) => write!(f, "discard{along}"),
            Some(IeAction::DiscardIeAndReport) => write!(f, "discard+report{along}"),
            Some(IeAction::DiscardMessage) => write!(f, "discard-message{along}"),
            Some(IeAction::DiscardMessageAndReport) => write!(f, "discard-message+report{along}"),
            None if self.0 & FLAG != 0 => write!(f, "action-{}{along}", self.0 & 7),
            None => write!(f, "regular{along}"),
        }
    }
}

impl fmt::Debug for IeInstruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for MessageInstruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let along = if self.is_pass_along() { "+pass-along" } else { "" };
        match self.action() {
            Some(MessageAction::ClearCall) => write!(f, "clear{along}"),
            Some(MessageAction::Discard) => write!(f, "discard{along}"),
            Some(MessageAction::DiscardAndReport) => write!(f, "discard+report{along}"),
            None if self.0 & FLAG != 0 => write!(f, "action-{}{along}", self.0 & 3),
            None => write!(f, "regular{along}"),
        }
    }
}

impl fmt::Debug for MessageInstruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

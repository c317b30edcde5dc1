//! Message types.

use std::fmt;

/// Defines the known types and their names, from one list.
macro_rules! message_types {
    ($($variant:ident = $code:literal, $name:literal, $source:literal;)*) => {
        /// The type of a message (Q.2931 §4.4, UNI 3.1 §5.4.4).
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum MessageType {
            $(#[doc = concat!($name, ": ", $source)] $variant,)*
            /// A type that none of these standards has. [`MessageType::from_u8`] never gives it for one that
            /// they have.
            Unknown(u8),
        }

        impl MessageType {
            /// All that are known.
            pub const KNOWN: &[MessageType] = &[$(MessageType::$variant),*];

            /// The type with this code.
            pub const fn from_u8(code: u8) -> MessageType {
                match code {
                    $($code => MessageType::$variant,)*
                    unknown => MessageType::Unknown(unknown),
                }
            }

            /// The octet on the wire.
            pub const fn get(self) -> u8 {
                match self {
                    $(MessageType::$variant => $code,)*
                    MessageType::Unknown(code) => code,
                }
            }

            /// The standard's name, if this type is known here.
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    $(MessageType::$variant => Some($name),)*
                    MessageType::Unknown(_) => None,
                }
            }
        }
    };
}

message_types! {
    Alerting = 0x01, "ALERTING", "Q.2931 §3.1.1, UNI 4.0";
    CallProceeding = 0x02, "CALL PROCEEDING", "Q.2931 §3.1.2, UNI 3.1 §5.3.1.1";
    Progress = 0x03, "PROGRESS", "Q.2931 §3.2.7 (narrow-band interworking)";
    Setup = 0x05, "SETUP", "Q.2931 §3.1.7, UNI 3.1 §5.3.1.6";
    Connect = 0x07, "CONNECT", "Q.2931 §3.1.3, UNI 3.1 §5.3.1.2";
    SetupAcknowledge = 0x0b, "SETUP ACKNOWLEDGE", "Q.2931 §3.2.10 (narrow-band interworking)";
    ConnectAcknowledge = 0x0f, "CONNECT ACKNOWLEDGE", "Q.2931 §3.1.4, UNI 3.1 §5.3.1.3";
    Restart = 0x46, "RESTART", "Q.2931 §3.3.1, UNI 3.1 §5.3.2.1";
    Release = 0x4d, "RELEASE", "Q.2931 §3.1.5, UNI 3.1 §5.3.1.4";
    RestartAcknowledge = 0x4e, "RESTART ACKNOWLEDGE", "Q.2931 §3.3.2, UNI 3.1 §5.3.2.2";
    ReleaseComplete = 0x5a, "RELEASE COMPLETE", "Q.2931 §3.1.6, UNI 3.1 §5.3.1.5";
    Notify = 0x6e, "NOTIFY", "Q.2931 §3.1.10, UNI 4.0";
    StatusEnquiry = 0x75, "STATUS ENQUIRY", "Q.2931 §3.1.9, UNI 3.1 §5.3.1.8";
    Information = 0x7b, "INFORMATION", "Q.2931 §3.2.5 (narrow-band interworking)";
    Status = 0x7d, "STATUS", "Q.2931 §3.1.8, UNI 3.1 §5.3.1.7";
    AddParty = 0x80, "ADD PARTY", "Q.2971 §8.1.2.1, UNI 3.1 §5.3.3.1";
    AddPartyAcknowledge = 0x81, "ADD PARTY ACKNOWLEDGE", "Q.2971 §8.1.2.2, UNI 3.1 §5.3.3.2";
    AddPartyReject = 0x82, "ADD PARTY REJECT", "Q.2971 §8.1.2.4, UNI 3.1 §5.3.3.3";
    DropParty = 0x83, "DROP PARTY", "Q.2971 §8.1.2.5, UNI 3.1 §5.3.3.4";
    DropPartyAcknowledge = 0x84, "DROP PARTY ACKNOWLEDGE", "Q.2971 §8.1.2.6, UNI 3.1 §5.3.3.5";
    PartyAlerting = 0x85, "PARTY ALERTING", "Q.2971 §8.1.2.3, UNI 4.0";
    ModifyRequest = 0x88, "MODIFY REQUEST", "Q.2963.1 §8.1";
    ModifyAcknowledge = 0x89, "MODIFY ACKNOWLEDGE", "Q.2963.1 §8.1";
    ModifyReject = 0x8a, "MODIFY REJECT", "Q.2963.1 §8.1";
    ConnectionAvailable = 0x8b, "CONNECTION AVAILABLE", "Q.2963.1 §8.1";
    LeafSetupFailure = 0x90, "LEAF SETUP FAILURE", "UNI 4.0 §6.1.2";
    LeafSetupRequest = 0x91, "LEAF SETUP REQUEST", "UNI 4.0 §6.1.2";
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "message {:#04x}", self.get()),
        }
    }
}

impl fmt::Debug for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

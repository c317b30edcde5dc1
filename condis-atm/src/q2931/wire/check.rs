//! What is wrong with a message, and what is to be done about it (Q.2931 §5.6 and §5.7, Q.2971 §9.5, UNI 3.1
//! §5.5.6 and §5.5.7).
//!
//! The order in which errors outweigh each other is that of FreeBSD's ngatm, which names the clauses: a wrong
//! length; a message of an unknown type; a mandatory IE that is missing, whatever the instructions of others
//! say (§5.6.7.1); then what IEs ask for that are unknown or wrong: clear the call, discard the message and
//! report, discard the message (§5.7.2); then a mandatory IE that is wrong (§5.6.7.2); then what is reported
//! though the message counts, wrong contents before unknown IEs (§5.6.8).

use std::fmt;

use super::grammar::{MessageRule, OnMandatoryError, Presence, Reference};
use super::{
    Cause, CauseValue, ContentError, DIAGNOSTICS_OCTETS_MAX, Diagnostics, IeAction, IeId, IeInstruction,
    IeValue, LengthError, Location, Message, MessageAction, MessageType, Side, Version,
};

/// Who looks at a message that arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Receiver {
    /// Which version it speaks.
    pub version: Version,
    /// Which end of the line it is.
    pub side: Side,
    /// What it gives as the location of its causes.
    pub location: Location,
}

/// One thing that is wrong with a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Finding {
    /// Nobody here knows the message type, or this version does not have it.
    MessageType(MessageType),
    /// The message may not come under the global call reference.
    GlobalReference(MessageType),
    /// The message's length is wrong.
    Length(LengthError),
    /// A mandatory IE is missing, or is there without contents.
    Missing(IeId),
    /// An IE that is not known, or not in this message, in this version or in this direction.
    Unrecognized {
        /// Which.
        id: IeId,
        /// Of which codeset.
        codeset: u8,
        /// What its sender wants done.
        instruction: IeInstruction,
    },
    /// An IE with contents that it cannot have.
    Content {
        /// Which.
        id: IeId,
        /// What is wrong.
        error: ContentError,
        /// What its sender wants done.
        instruction: IeInstruction,
        /// It is mandatory in this message.
        mandatory: bool,
    },
    /// An IE that comes more often than it may: it is not looked at, and nothing is said.
    TooMany {
        /// Which.
        id: IeId,
        /// How often it may come.
        max: u8,
    },
}

/// What is to be done with a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Treatment {
    /// It counts; wrong or unknown IEs are passed over.
    Proceed,
    /// It counts, and this is told: in the acknowledgement of a RELEASE or DROP PARTY, else in a STATUS.
    ProceedAndReport(Cause),
    /// It is as if it had not come.
    Discard,
    /// It is as if it had not come, but this is told in a STATUS.
    DiscardAndReport(Cause),
    /// What it asks for is refused: SETUP by RELEASE COMPLETE, ADD PARTY by ADD PARTY REJECT, MODIFY REQUEST
    /// by MODIFY REJECT.
    Refuse(Cause),
    /// The call is cleared: by RELEASE, by RELEASE COMPLETE if the message is a SETUP.
    ClearCall(Cause),
}

/// What a check gives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// All that is wrong, in the order in which it stands in the message; what is missing comes last.
    pub findings: Vec<Finding>,
    /// What is to be done.
    pub treatment: Treatment,
}

impl Receiver {
    /// The user's end.
    pub const fn user(version: Version) -> Receiver {
        Receiver { version, side: Side::User, location: Location::USER }
    }

    /// A private network's end.
    pub const fn network(version: Version) -> Receiver {
        Receiver { version, side: Side::Network, location: Location::PRIVATE_LOCAL }
    }
}

impl Treatment {
    /// The cause that is to be told, if one is.
    pub fn cause(&self) -> Option<&Cause> {
        match self {
            Treatment::Proceed | Treatment::Discard => None,
            Treatment::ProceedAndReport(cause)
            | Treatment::DiscardAndReport(cause)
            | Treatment::Refuse(cause)
            | Treatment::ClearCall(cause) => Some(cause),
        }
    }

    /// The message counts.
    pub fn proceeds(&self) -> bool {
        matches!(self, Treatment::Proceed | Treatment::ProceedAndReport(_))
    }
}

impl Message {
    /// Holds a message that arrived against the table. Whether its call reference is in use, and whether the
    /// state of the call lets it in, is for the call machine to say: see [`Message::not_compatible`].
    pub fn check(&self, receiver: Receiver) -> Verdict {
        let rule = MessageRule::of(self.kind).filter(|rule| rule.since.in_version(receiver.version));
        let Some(rule) = rule else {
            let treatment = self.by_instruction(receiver.location, CauseValue::MESSAGE_TYPE_NON_EXISTENT);
            return Verdict { findings: vec![Finding::MessageType(self.kind)], treatment };
        };
        if self.call_ref.is_global() && rule.reference == Reference::Call {
            // Q.2931 §5.6.3.2 e).
            let cause = Cause::new(receiver.location, CauseValue::INVALID_CALL_REFERENCE);
            let treatment = Treatment::DiscardAndReport(cause);
            return Verdict { findings: vec![Finding::GlobalReference(self.kind)], treatment };
        }
        let findings = self.findings(rule, receiver);
        let treatment = self.treatment(rule, receiver, &findings);
        Verdict { findings, treatment }
    }

    /// What to do with a message that the state of its call does not let in (Q.2931 §5.6.4, §5.7.1): cause
    /// 101, and what the message's instruction asks for.
    pub fn not_compatible(&self, location: Location) -> Treatment {
        self.by_instruction(location, CauseValue::MESSAGE_NOT_COMPATIBLE)
    }

    fn by_instruction(&self, location: Location, value: CauseValue) -> Treatment {
        let cause = Cause::new(location, value).with(Diagnostics::MessageType(self.kind));
        match self.instruction.action() {
            Some(MessageAction::ClearCall) => Treatment::ClearCall(cause),
            Some(MessageAction::Discard) => Treatment::Discard,
            Some(MessageAction::DiscardAndReport) | None => Treatment::DiscardAndReport(cause),
        }
    }

    fn findings(&self, rule: &MessageRule, receiver: Receiver) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.length_error().map(Finding::Length).into_iter().collect();
        let mut seen = IeIds::default();
        for (at, ie) in self.ies.iter().enumerate() {
            let id = ie.id();
            let unrecognized = |codeset| Finding::Unrecognized { id, codeset, instruction: ie.instruction };
            match &ie.value {
                IeValue::LockingShift(_) | IeValue::NonLockingShift(_) => continue,
                IeValue::Empty(_) => continue,
                IeValue::Unknown { codeset, .. } => {
                    findings.push(unrecognized(*codeset));
                    continue;
                }
                _ => {}
            }
            let Some(allowed) = rule.ie(id).filter(|rule| rule.applies(receiver.version, receiver.side))
            else {
                findings.push(unrecognized(0));
                continue;
            };
            if seen.insert(id) && self.is_one_too_many(at, allowed.max, allowed.listed) {
                findings.push(Finding::TooMany { id, max: allowed.max });
            } else if let IeValue::Invalid { error, .. } = ie.value {
                let mandatory = allowed.presence.is_required(self, receiver.version, receiver.side);
                findings.push(Finding::Content { id, error, instruction: ie.instruction, mandatory });
            }
        }
        for rule in rule.ies {
            if rule.presence.is_required(self, receiver.version, receiver.side)
                && rule.applies(receiver.version, receiver.side)
                && !seen.contains(rule.id)
            {
                findings.push(Finding::Missing(rule.id));
            }
        }
        findings
    }

    /// Whether the IE at this place comes after as many of its kind as may come. Of a kind that is listed,
    /// more than one may come only behind a repeat indicator.
    fn is_one_too_many(&self, at: usize, max: u8, listed: bool) -> bool {
        let id = self.ies[at].id();
        let counts = |value: &IeValue| !matches!(value, IeValue::Empty(_) | IeValue::Unknown { .. });
        let of_kind = |at: &usize| self.ies[*at].id() == id && counts(&self.ies[*at].value);
        let before = (0..at).filter(of_kind).count();
        if before == 0 {
            return max == 0;
        }
        let first = (0..=at).find(of_kind).unwrap_or(at);
        let repeat = first > 0 && matches!(self.ies[first - 1].value, IeValue::RepeatIndicator(_));
        let max = if listed && !repeat { 1 } else { usize::from(max) };
        before >= max
    }

    fn treatment(&self, rule: &MessageRule, receiver: Receiver, findings: &[Finding]) -> Treatment {
        if findings.is_empty() {
            return Treatment::Proceed;
        }
        let cause = |value| Cause::new(receiver.location, value);
        if findings.iter().any(|finding| matches!(finding, Finding::Length(_))) {
            return self.on_mandatory_error(rule, cause(CauseValue::INCORRECT_MESSAGE_LENGTH));
        }
        let missing = ids(findings, |finding| match finding {
            Finding::Missing(id) => Some(*id),
            _ => None,
        });
        if !missing.is_empty() {
            let cause = cause(CauseValue::MANDATORY_IE_MISSING).with(Diagnostics::Ies(missing));
            return self.on_mandatory_error(rule, cause);
        }
        let about = |wanted: fn(Option<IeAction>) -> bool| about(findings, receiver.location, wanted);
        if let Some(cause) = about(|action| action == Some(IeAction::ClearCall)) {
            return match self.kind {
                // The call is being cleared already.
                MessageType::Release => Treatment::ProceedAndReport(cause),
                MessageType::ReleaseComplete => Treatment::Proceed,
                _ => Treatment::ClearCall(cause),
            };
        }
        if let Some(cause) = about(|action| action == Some(IeAction::DiscardMessageAndReport)) {
            return Treatment::DiscardAndReport(cause);
        }
        if about(|action| action == Some(IeAction::DiscardMessage)).is_some() {
            return Treatment::Discard;
        }
        let invalid = ids(findings, |finding| match finding {
            Finding::Content { id, mandatory: true, .. } => Some(*id),
            _ => None,
        });
        if !invalid.is_empty() {
            let cause = cause(CauseValue::INVALID_IE_CONTENTS).with(Diagnostics::Ies(invalid));
            return self.on_mandatory_error(rule, cause);
        }
        let silent = matches!(rule.on_mandatory_error, OnMandatoryError::Proceed | OnMandatoryError::Discard);
        match about(|action| matches!(action, None | Some(IeAction::DiscardIeAndReport))) {
            Some(cause) if !silent => Treatment::ProceedAndReport(cause),
            Some(_) | None => Treatment::Proceed,
        }
    }

    fn on_mandatory_error(&self, rule: &MessageRule, cause: Cause) -> Treatment {
        let about_party =
            rule.ie(IeId::ENDPOINT_REFERENCE).is_some_and(|ie| ie.presence == Presence::Mandatory);
        if about_party && self.endpoint_reference().is_none() {
            // No party can be told: Q.2971 §9.5.3.2.
            return Treatment::DiscardAndReport(cause);
        }
        match rule.on_mandatory_error {
            OnMandatoryError::Report => Treatment::DiscardAndReport(cause),
            OnMandatoryError::Refuse => Treatment::Refuse(cause),
            OnMandatoryError::ProceedAndReport => Treatment::ProceedAndReport(cause),
            OnMandatoryError::Proceed => Treatment::Proceed,
            OnMandatoryError::Discard => Treatment::Discard,
        }
    }
}

/// Kinds of IEs: those that are there with contents, good or bad.
#[derive(Default)]
struct IeIds([u64; 4]);

impl IeIds {
    /// True if it was among them before.
    fn insert(&mut self, id: IeId) -> bool {
        let was_there = self.contains(id);
        self.0[usize::from(id.0 >> 6)] |= 1 << (id.0 & 63);
        was_there
    }

    fn contains(&self, id: IeId) -> bool {
        self.0[usize::from(id.0 >> 6)] & 1 << (id.0 & 63) != 0
    }
}

/// Identifiers of the findings that are meant, each once, as many as the diagnostics hold.
fn ids(findings: &[Finding], wanted: impl Fn(&Finding) -> Option<IeId>) -> Vec<IeId> {
    let mut ids = Vec::new();
    for id in findings.iter().filter_map(wanted) {
        if !ids.contains(&id) && ids.len() < DIAGNOSTICS_OCTETS_MAX {
            ids.push(id);
        }
    }
    ids
}

/// The cause that tells of the IEs whose senders want this done. Of access information "access information
/// discarded" is told, if there is no other (Q.2931 §5.6.8.2); where contents are wrong 100, else 99.
fn about(findings: &[Finding], location: Location, wanted: fn(Option<IeAction>) -> bool) -> Option<Cause> {
    let contents = |access: bool| {
        ids(findings, |finding| match finding {
            Finding::Content { id, instruction, .. }
                if wanted(instruction.action()) && id.is_access_information() == access =>
            {
                Some(*id)
            }
            _ => None,
        })
    };
    let unrecognized = ids(findings, |finding| match finding {
        Finding::Unrecognized { id, instruction, .. } if wanted(instruction.action()) => Some(*id),
        _ => None,
    });
    [
        (CauseValue::INVALID_IE_CONTENTS, contents(false)),
        (CauseValue::IE_NON_EXISTENT, unrecognized),
        (CauseValue::ACCESS_INFORMATION_DISCARDED, contents(true)),
    ]
    .into_iter()
    .find(|(_, ids)| !ids.is_empty())
    .map(|(value, ids)| Cause::new(location, value).with(Diagnostics::Ies(ids)))
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::MessageType(kind) => write!(f, "{kind} is not implemented"),
            Finding::GlobalReference(kind) => write!(f, "{kind} under the global call reference"),
            Finding::Length(error) => error.fmt(f),
            Finding::Missing(id) => write!(f, "no {id}"),
            Finding::Unrecognized { id, codeset: 0, instruction } => {
                write!(f, "{id} not recognized ({instruction})")
            }
            Finding::Unrecognized { id, codeset, instruction } => {
                write!(f, "ie {:#04x} of codeset {codeset} not recognized ({instruction})", id.0)
            }
            Finding::Content { id, error, instruction, mandatory } => {
                let mandatory = if *mandatory { "mandatory " } else { "" };
                write!(f, "{mandatory}{id}: {error} ({instruction})")
            }
            Finding::TooMany { id, max } => write!(f, "more than {max} of {id}"),
        }
    }
}

impl fmt::Display for Treatment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Treatment::Proceed => f.write_str("proceed"),
            Treatment::ProceedAndReport(cause) => write!(f, "proceed and report {cause}"),
            Treatment::Discard => f.write_str("discard"),
            Treatment::DiscardAndReport(cause) => write!(f, "discard and report {cause}"),
            Treatment::Refuse(cause) => write!(f, "refuse, {cause}"),
            Treatment::ClearCall(cause) => write!(f, "clear the call, {cause}"),
        }
    }
}

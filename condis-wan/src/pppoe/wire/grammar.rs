//! Which packet must, may and must not say what: one table, read by the checker.

use super::{Code, GrammarError, SessionId, TagType, Tags};

/// What SESSION_ID may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Session {
    Zero,
    Some,
    /// Zero in a refusal, a session otherwise.
    SomeUnlessError,
}

/// How often a tag comes in a packet. `min` does not bind a PADO or PADS that carries an error tag: a refusal need not
/// name what it refuses.
struct Rule {
    tag: TagType,
    min: usize,
    max: usize,
}

const fn once(tag: TagType) -> Rule {
    Rule { tag, min: 1, max: 1 }
}

const fn at_most_once(tag: TagType) -> Rule {
    Rule { tag, min: 0, max: 1 }
}

const fn at_least_once(tag: TagType) -> Rule {
    Rule { tag, min: 1, max: usize::MAX }
}

/// Tags that no packet has a use for twice, and which would be ambiguous.
const EVERYWHERE: [Rule; 4] = [
    at_most_once(TagType::HOST_UNIQ),
    at_most_once(TagType::AC_COOKIE),
    at_most_once(TagType::RELAY_SESSION_ID),
    at_most_once(TagType::PPP_MAX_PAYLOAD),
];

/// The table.
const fn grammar(code: Code) -> (Session, &'static [Rule]) {
    match code {
        // RFC 2516 §5.1: "exactly one TAG of TAG_TYPE Service-Name".
        Code::Padi => (Session::Zero, &const { [once(TagType::SERVICE_NAME)] }),
        // RFC 2516 §5.2: one AC-Name, the Service-Name of the PADI and any number of others.
        Code::Pado => {
            (Session::Zero, &const { [once(TagType::AC_NAME), at_least_once(TagType::SERVICE_NAME)] })
        }
        // RFC 2516 §5.3.
        Code::Padr => (Session::Zero, &const { [once(TagType::SERVICE_NAME)] }),
        // RFC 2516 §5.4: in a refusal the id is zero and an error tag is there.
        Code::Pads => (Session::SomeUnlessError, &const { [once(TagType::SERVICE_NAME)] }),
        // RFC 2516 §5.5: "No TAGs are required".
        Code::Padt => (Session::Some, &[]),
    }
}

/// Holds a packet against the table.
pub(super) fn check(code: Code, session_id: Option<SessionId>, tags: Tags<'_>) -> Result<(), GrammarError> {
    let (session, rules) = grammar(code);
    let refusal = matches!(code, Code::Pado | Code::Pads) && tags.error().is_some();
    match (session, session_id) {
        (Session::Zero, Some(id)) => return Err(GrammarError::SessionId { code, id }),
        (Session::Some, None) => return Err(GrammarError::NoSessionId { code }),
        (Session::SomeUnlessError, None) if !refusal => return Err(GrammarError::NoSessionId { code }),
        (Session::Zero | Session::SomeUnlessError, None) => {}
        (Session::Some | Session::SomeUnlessError, Some(_)) => {}
    }
    for &Rule { tag, min, max } in rules.iter().chain(&EVERYWHERE) {
        let count = tags.count(tag);
        if count > max {
            return Err(GrammarError::TooMany { code, tag, count, max });
        }
        if count < min && !refusal {
            return Err(GrammarError::Missing { code, tag });
        }
    }
    Ok(())
}

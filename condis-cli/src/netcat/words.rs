//! What became of a call, in words.

use condis::params::{CallParams, CloseData};
use condis::status::NdisStatus;
use condis::trace::VcId;
use condis_atm::driver::{AtmCall, AtmVcParams, CloseCause};
use condis_atm::uni::Cause;
use condis_wan::pppoe::driver::{CallTarget, IncomingHost};

/// Which family speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Words {
    Pppoe,
    Atm,
}

impl Words {
    /// A call that is up.
    pub(super) fn connected(self, vc: VcId, params: &CallParams, taken: bool) -> String {
        match self {
            Words::Pppoe => {
                if let Ok(host) = IncomingHost::from_params(params) {
                    return format!("{vc}, host {} calls \"{}\"", host.mac, lossy(&host.service_name));
                }
                let target = CallTarget::from_params(params).unwrap_or_default();
                let concentrator =
                    target.ac_name.map_or_else(String::new, |name| format!(" of \"{}\"", lossy(&name)));
                format!("{vc}, service \"{}\"{concentrator}", lossy(&target.service_name))
            }
            Words::Atm => {
                let mut text = vc.to_string();
                if let Ok(vc) = AtmVcParams::from_params(params) {
                    text += &format!(" ({vc})");
                }
                if let Ok(call) = AtmCall::from_params(params) {
                    text += &match (taken, call.calling) {
                        (true, Some(calling)) => format!(", {calling} calls"),
                        (true, None) => ", from an address that is not told".to_owned(),
                        (false, _) => format!(", to {}", call.called),
                    };
                }
                text
            }
        }
    }

    /// A call that did not come up.
    pub(super) fn refused(self, status: NdisStatus, params: Option<&CallParams>) -> String {
        if let (Words::Atm, Some(params)) = (self, params)
            && let Ok(call) = AtmCall::from_params(params)
            && let Some(found) = call.causes.first()
        {
            return format!("{} ({status})", cause(found));
        }
        let why = match (self, status) {
            (Words::Pppoe, NdisStatus::NO_ROUTE_TO_DESTINATION) => "no access concentrator offers it",
            (Words::Pppoe, NdisStatus::DEST_OUT_OF_ORDER) => {
                "the access concentrator does not confirm the session"
            }
            (Words::Pppoe, NdisStatus::INVALID_ADDRESS) => "the access concentrator refuses the service",
            (Words::Pppoe, NdisStatus::VC_NOT_AVAILABLE) => "the access concentrator has no session to give",
            (Words::Pppoe, NdisStatus::FAILURE) => "the access concentrator refuses the call",
            (Words::Atm, NdisStatus::DEST_OUT_OF_ORDER) => "signaling is not up",
            (_, NdisStatus::MEDIA_DISCONNECTED) => "the link is down",
            (_, NdisStatus::REQUEST_ABORTED) => "given up",
            (_, NdisStatus::INVALID_DATA) => "the address cannot be called",
            _ => return status.to_string(),
        };
        format!("{why} ({status})")
    }

    /// A call that the other end, or the network, closed: an error if that is no normal end.
    pub(super) fn released(self, status: NdisStatus, data: &CloseData) -> Result<String, String> {
        match (self, status) {
            (Words::Pppoe, NdisStatus::SUCCESS) if data.is_empty() => {
                Ok("closed by the other end (PADT)".to_owned())
            }
            (Words::Pppoe, NdisStatus::SUCCESS) => {
                Ok(format!("closed by the other end (PADT): {}", lossy(data)))
            }
            (Words::Atm, status) if !data.is_empty() => {
                let Ok(close) = CloseCause::from_data(data) else {
                    return Err(format!("released by the remote: {status}"));
                };
                // Only a user's own location is another user.
                let who = if close.cause.location.0 == 0 { "the remote" } else { "the network" };
                let text = format!("released by {who}: {}", cause(&close.cause));
                if status == NdisStatus::SUCCESS { Ok(text) } else { Err(text) }
            }
            (Words::Atm, NdisStatus::SUCCESS) => Ok("released by the remote".to_owned()),
            (_, NdisStatus::MEDIA_DISCONNECTED) => Err("the link went down (MEDIA_DISCONNECTED)".to_owned()),
            (_, status) => Err(format!("the call broke: {status}")),
        }
    }
}

/// `cause 16, normal call clearing`.
fn cause(cause: &Cause) -> String {
    format!("cause {}, {}", cause.value.0, cause.text())
}

/// What another machine said, for a terminal.
fn lossy(octets: &[u8]) -> String {
    let text = String::from_utf8_lossy(octets);
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

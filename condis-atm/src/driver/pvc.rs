//! Permanent virtual connections, as an operator's client tells an ATM manager of them.
//!
//! OID_CO_ADD_PVC and OID_CO_DELETE_PVC carry a CO_PVC: an AF handle (8 octets, which mean nothing here), `param_type` (4), length
//! (4), and a Q2931_ADD_PVC or Q2931_DELETE_PVC (`atm.h`).

use condis::oid::{OidRequest, code};

use super::layers::{self, Bhli, Field, Layer2, Layer3};
use super::shapes::{self, AddressField, Reader};
use super::vc_params::{Aal, AtmFlow, AtmVcParams};
use super::{ATM_CALL, ParamsError};
use crate::addr::AtmAddress;
use crate::{Vci, VpVc, Vpi};

/// A permanent virtual connection.
///
/// A client makes a call on it with [`CallFlags::PERMANENT_VC`](condis::params::CallFlags::PERMANENT_VC), or simply by calling its
/// called party.
#[derive(Clone, PartialEq, Eq, Debug)]
#[doc(alias = "Q2931_ADD_PVC")]
pub struct AtmPvc {
    /// Who is at the other end; `None`: it is found by its numbers alone.
    pub called: Option<AtmAddress>,
    /// Who is at this end.
    pub calling: Option<AtmAddress>,
    /// The numbers in the cells' headers.
    pub vpvc: VpVc,
    /// The adaptation layer.
    pub aal: Aal,
    /// From this end.
    pub forward: AtmFlow,
    /// Towards this end.
    pub backward: AtmFlow,
}

impl AtmPvc {
    /// A best effort connection over AAL5 to this address.
    pub fn to(called: AtmAddress, vpvc: VpVc) -> AtmPvc {
        let flow = AtmFlow::ubr(AtmVcParams::SDU_OCTETS_DEFAULT);
        AtmPvc { called: Some(called), calling: None, vpvc, aal: Aal::Aal5, forward: flow, backward: flow }
    }

    /// What a VC on it is activated with.
    pub fn vc_params(&self) -> AtmVcParams {
        AtmVcParams {
            vpvc: self.vpvc,
            aal: self.aal,
            clp: false,
            transmit: self.forward,
            receive: self.backward,
        }
    }

    /// OID_CO_ADD_PVC for it.
    pub fn add_request(&self) -> OidRequest {
        let mut parameters = Vec::with_capacity(ADD_OCTETS);
        let address = |address: &Option<AtmAddress>| match address {
            Some(address) => AddressField::Is(address.clone()),
            None => AddressField::Absent,
        };
        shapes::put_address(&mut parameters, &address(&self.called));
        shapes::put_address(&mut parameters, &address(&self.calling));
        put_vpvc(&mut parameters, self.vpvc);
        parameters.extend((self.aal as u32).to_le_bytes());
        shapes::put_flow(&mut parameters, &self.forward);
        shapes::put_flow(&mut parameters, &self.backward);
        parameters.extend((NO_DEST_SAP | NO_LOCAL_SAP).to_le_bytes());
        for _ in 0..2 {
            layers::put_blli(&mut parameters, &Field::<Layer2>::Any, &Field::<Layer3>::Any);
            layers::put_bhli(&mut parameters, &Field::<Bhli>::Any);
        }
        // No leaf initiated join.
        parameters.extend([0; 8]);
        OidRequest::set(code::CO_ADD_PVC, co_pvc(&parameters))
    }

    /// OID_CO_DELETE_PVC for the connection with these numbers.
    pub fn delete_request(vpvc: VpVc) -> OidRequest {
        let mut parameters = Vec::new();
        put_vpvc(&mut parameters, vpvc);
        OidRequest::set(code::CO_DELETE_PVC, co_pvc(&parameters))
    }

    /// Reads the buffer of an OID_CO_ADD_PVC.
    ///
    /// # Errors
    /// See [`ParamsError`].
    pub fn from_add(buffer: &[u8]) -> Result<AtmPvc, ParamsError> {
        let mut from = parameters_of(buffer)?;
        let mut address = || match shapes::take_address(&mut from)? {
            AddressField::Absent | AddressField::Any => Ok(None),
            AddressField::Is(address) => Ok(Some(address)),
            _ => Err(ParamsError::Address),
        };
        let (called, calling) = (address()?, address()?);
        let vpvc = take_vpvc(&mut from)?;
        let aal = Aal::from_code(from.u32()?)?;
        let (forward, backward) = (shapes::take_flow(&mut from)?, shapes::take_flow(&mut from)?);
        from.u32()?;
        for _ in 0..2 {
            layers::take_blli(&mut from)?;
            layers::take_bhli(&mut from)?;
        }
        from.octets(8)?;
        from.end()?;
        let pvc = AtmPvc { called, calling, vpvc, aal, forward, backward };
        pvc.vc_params().check()?;
        Ok(pvc)
    }

    /// Reads the buffer of an OID_CO_DELETE_PVC.
    ///
    /// # Errors
    /// See [`ParamsError`].
    pub fn from_delete(buffer: &[u8]) -> Result<VpVc, ParamsError> {
        let mut from = parameters_of(buffer)?;
        let vpvc = take_vpvc(&mut from)?;
        from.end()?;
        Ok(vpvc)
    }
}

fn co_pvc(parameters: &[u8]) -> Vec<u8> {
    let mut buffer = vec![0; 8];
    buffer.extend(ATM_CALL.to_le_bytes());
    buffer.extend((parameters.len() as u32).to_le_bytes());
    buffer.extend_from_slice(parameters);
    buffer
}

fn parameters_of(buffer: &[u8]) -> Result<Reader<'_>, ParamsError> {
    let mut from = Reader::new(buffer);
    from.octets(8)?;
    let found = from.u32()?;
    if found != ATM_CALL {
        return Err(ParamsError::Type { found, expected: ATM_CALL });
    }
    let len = from.u32()?;
    let parameters = from.octets(len as usize)?;
    from.end()?;
    Ok(Reader::new(parameters))
}

fn put_vpvc(out: &mut Vec<u8>, vpvc: VpVc) {
    out.extend(u32::from(vpvc.vpi.0).to_le_bytes());
    out.extend(u32::from(vpvc.vci.0).to_le_bytes());
}

fn take_vpvc(from: &mut Reader<'_>) -> Result<VpVc, ParamsError> {
    let (vpi, vci) = (from.u32()?, from.u32()?);
    let number = |number| u16::try_from(number).map_err(|_| ParamsError::VpVc { vpi, vci });
    Ok(VpVc { vpi: Vpi(number(vpi)?), vci: Vci(number(vci)?) })
}

/// CO_FLAG_NO_DEST_SAP, CO_FLAG_NO_LOCAL_SAP.
const NO_DEST_SAP: u32 = 2;
const NO_LOCAL_SAP: u32 = 4;
/// Octets of a Q2931_ADD_PVC.
const ADD_OCTETS: usize = 296;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::Esi;
    use crate::traffic::Contract;

    fn some() -> AtmPvc {
        let called = AtmAddress::new([0x47; 13], Esi([1; 6]), 0);
        let forward = AtmFlow { contract: Contract::cbr(1000), sdu_octets_max: 1500 };
        AtmPvc { forward, ..AtmPvc::to(called, VpVc::new(0, 77)) }
    }

    #[test]
    fn connections_are_read_as_they_were_written() {
        let pvc = some();
        let request = pvc.add_request();
        assert_eq!((request.oid, request.buffer.len()), (code::CO_ADD_PVC, 16 + ADD_OCTETS));
        assert_eq!(AtmPvc::from_add(&request.buffer), Ok(pvc));
        let nobody = AtmPvc { called: None, ..some() };
        assert_eq!(AtmPvc::from_add(&nobody.add_request().buffer), Ok(nobody));
        let delete = AtmPvc::delete_request(VpVc::new(1, 33));
        assert_eq!(AtmPvc::from_delete(&delete.buffer), Ok(VpVc::new(1, 33)));
    }

    #[test]
    fn every_prefix_is_refused() {
        let add = some().add_request().buffer;
        for len in 0..add.len() {
            assert!(AtmPvc::from_add(&add[..len]).is_err(), "{len} octets");
        }
        let delete = AtmPvc::delete_request(VpVc::new(1, 33)).buffer;
        for len in 0..delete.len() {
            assert!(AtmPvc::from_delete(&delete[..len]).is_err(), "{len} octets");
        }
        assert!(AtmPvc::from_add(&[add, vec![0]].concat()).is_err());
    }
}
